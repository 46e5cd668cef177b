"""Open windows: what they are sent, when they are woken, when they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from channels.web.config import ChatConfig
from channels.web.shapes import HEARTBEAT, HELLO
from channels.web.streams import Streams, TooManyStreams
from crm_core.errors import StorageUnavailable
from crm_core.messages import ChannelKey
from crm_core.model.call import Direction
from crm_core.model.timeline import Delivery
from crm_core.ports import Conversations, Said

KEY = ChannelKey("web", "site")
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def message(seq: int, delivery: Delivery | None = None) -> Said:
    """One of the office where it has a delivery, else the visitor's."""
    direction = Direction.IN if delivery is None else Direction.OUT
    return Said(seq, seq, f"r{seq}", direction, AT, f"text {seq}", "", False, delivery)


@dataclass
class Talk(Conversations):
    """Conversations in memory."""

    messages: dict[str, list[Said]] = field(default_factory=dict)
    followers: list[tuple[str, Callable[[], None]]] = field(default_factory=list)
    asked: int = 0
    away: bool = False

    async def said(self, key: ChannelKey, conversation: str, after: int, limit: int) -> Sequence[Said]:
        self.asked += 1
        if self.away:
            self.away = False
            raise StorageUnavailable
        return [each for each in self.messages.get(conversation, []) if each.seq > after][:limit]

    def follow(self, key: ChannelKey, conversation: str, changed: Callable[[], None]) -> Callable[[], None]:
        entry = (conversation, changed)
        self.followers.append(entry)
        return lambda: self.followers.remove(entry)

    def put(self, conversation: str, *several: Said) -> None:
        """Something was said, or changed."""
        known = {each.seq: each for each in self.messages.get(conversation, [])}
        known |= {each.seq: each for each in several}
        self.messages[conversation] = [known[seq] for seq in sorted(known)]
        for place, changed in tuple(self.followers):
            if place == conversation:
                changed()


@dataclass
class Scene:
    talk: Talk
    told: list[tuple[str, int]]
    streams: Streams

    def open(self, visitor: str, after: int = 0, address: str | None = None) -> AsyncGenerator[bytes, None]:
        return self.streams.open(
            visitor, address, after, lambda found: b",".join(str(each.seq).encode() for each in found)
        )


def scene(**more: float) -> Scene:
    talk, told = Talk(), []

    async def tell(visitor: str, said: Said) -> None:
        told.append((visitor, said.seq))

    config = replace(ChatConfig(), heartbeat_s=1000.0, **more)  # type: ignore[arg-type]  # numbers of either kind
    return Scene(talk, told, Streams(KEY, config, talk, tell))


async def test_what_was_said_comes_first_and_then_what_comes() -> None:
    world = scene()
    world.talk.put("a", message(1), message(2, Delivery.SENT))
    async with aclosing(world.open("a")) as window:
        assert await anext(window) == HELLO
        assert await anext(window) == b"1,2"
        coming = asyncio.ensure_future(anext(window))
        await asyncio.sleep(0)
        world.talk.put("b", message(3))
        world.talk.put("a", message(4))
        assert await coming == b"4"
    assert world.told == [("a", 2)]
    assert world.talk.followers == []
    assert len(world.streams) == 0


async def test_only_who_is_concerned_looks() -> None:
    world = scene()
    async with aclosing(world.open("a")) as window:
        await anext(window)
        coming = asyncio.ensure_future(anext(window))
        await asyncio.sleep(0)
        before = world.talk.asked
        for seq in range(1, 50):
            world.talk.put("b", message(seq))
        await asyncio.sleep(0)
        assert world.talk.asked == before
        world.streams.end()
        with pytest.raises(StopAsyncIteration):
            await coming


async def test_arrival_is_told_when_the_message_is_sent_and_once() -> None:
    world = scene()
    world.talk.put("a", message(1, Delivery.QUEUED))
    async with aclosing(world.open("a")) as window:
        await anext(window)
        assert await anext(window) == b"1"
        coming = asyncio.ensure_future(anext(window))
        await asyncio.sleep(0)
        assert world.told == []
        world.talk.put("a", message(2), message(1, Delivery.QUEUED))
        assert await coming == b"2"
        coming = asyncio.ensure_future(anext(window))
        for _ in range(5):
            await asyncio.sleep(0)
        world.talk.put("a", message(1, Delivery.SENT))
        for _ in range(5):
            await asyncio.sleep(0)
        assert world.told == [("a", 1)]
        world.talk.put("a", message(1, Delivery.DELIVERED), message(3))
        assert await coming == b"3"
    assert world.told == [("a", 1)]


async def test_long_histories_come_in_pieces() -> None:
    world = scene()
    world.talk.put("a", *(message(seq) for seq in range(1, 251)))
    async with aclosing(world.open("a")) as window:
        await anext(window)
        pieces = [await anext(window) for _ in range(3)]
    assert b",".join(pieces) == b",".join(str(seq).encode() for seq in range(1, 251))


async def test_windows_are_bounded_by_visitor_address_and_node() -> None:
    world = scene(per_visitor=2, per_address=3, streams=4)
    windows = [world.open("a", address="1.1.1.1") for _ in range(3)]
    for window in windows:
        await anext(window)
    with pytest.raises(StopAsyncIteration):  # the oldest made room
        await anext(windows[0])
    assert len(world.streams) == 2
    more = [world.open("b", address="1.1.1.1")]
    await anext(more[0])
    with pytest.raises(TooManyStreams):
        world.open("c", address="1.1.1.1")
    more.append(world.open("c", address="2.2.2.2"))
    await anext(more[1])
    with pytest.raises(TooManyStreams):
        world.open("d", address="3.3.3.3")
    for window in (*windows, *more):
        await window.aclose()
    assert len(world.streams) == 0
    assert not world.streams._of_address


async def test_a_window_that_is_never_begun_counts_nowhere() -> None:
    world = scene()
    await world.open("a", address="1.1.1.1").aclose()
    assert len(world.streams) == 0


async def test_signs_of_life_while_nothing_happens() -> None:
    world = scene()
    world.streams._config = replace(world.streams._config, heartbeat_s=0.001)
    async with aclosing(world.open("a")) as window:
        assert [await anext(window) for _ in range(3)] == [HELLO, HEARTBEAT, HEARTBEAT]
