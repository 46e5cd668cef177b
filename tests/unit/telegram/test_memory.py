"""What is remembered for sending: business connections by their latest news, groups that moved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram.api import BotApi
from channels.telegram.business import BusinessLink, BusinessLinks, parse_link
from channels.telegram.conversation import Conversation
from channels.telegram.inbound import Arrival, Move, Reader
from channels.telegram.memory import Memory
from crm_core.errors import IntakeUnavailable, PermanentDeliveryError, StorageUnavailable, TransientDeliveryError
from crm_core.messages import ChannelKey
from tests.fakes.channel_world import MemoryCursors
from tests.fakes.clock import DrivenClock
from tests.unit.telegram.expected import NOW

KEY = ChannelKey("telegram", "shop")
READER = Reader(KEY)


class Asked:
    """The one call of the Bot API that is needed here."""

    def __init__(self) -> None:
        self.known: dict[str, object] = {}
        self.asked: list[str] = []

    async def business_connection(self, connection_id: str) -> object:
        """What Telegram says."""
        self.asked.append(connection_id)
        if connection_id not in self.known:
            raise PermanentDeliveryError("Bad Request: business connection not found")
        return self.known[connection_id]


class World:
    """A memory over stored cursors; `again()` is another process."""

    def __init__(self) -> None:
        self.cursors = MemoryCursors()
        self.api = Asked()
        self.memory = self.again()

    def again(self) -> Memory:
        links = BusinessLinks(KEY, self.cursors, cast("BotApi", self.api), DrivenClock())
        return Memory(KEY, self.cursors, links)

    async def told(self, *links: BusinessLink) -> None:
        event = READER.update({"update_id": 1}, NOW).event
        await self.memory.keep([Arrival(event, link=link) for link in links])


def link(identifier: str, number: int, *, enabled: bool = True, replies: bool = True, **more: Any) -> BusinessLink:
    return BusinessLink(identifier, 77, "Ivan", enabled, replies, number, more.get("at", NOW))


async def where(memory: Memory, connection: str) -> str | None:
    return (await memory.where(Conversation(1001, connection))).business


async def test_a_connection_is_known_after_a_restart() -> None:
    world = World()
    await world.told(link("A", 1))
    assert await where(world.again(), "A") == "A"
    assert world.api.asked == []


async def test_a_connection_that_is_off_says_so() -> None:
    world = World()
    await world.told(link("A", 1), link("A", 2, enabled=False))
    with pytest.raises(PermanentDeliveryError, match="Ivan no longer connects the bot"):
        await where(world.memory, "A")


async def test_a_connection_without_the_right_to_reply_says_so() -> None:
    world = World()
    await world.told(link("A", 1, replies=False))
    with pytest.raises(PermanentDeliveryError, match="Ivan does not let the bot answer"):
        await where(world.memory, "A")


async def test_whoever_connects_anew_is_answered_for_through_the_new_connection() -> None:
    world = World()
    await world.told(link("A", 1), link("A", 2, enabled=False), link("B", 3))
    assert await where(world.memory, "A") == "B"
    assert await where(world.memory, "B") == "B"
    await world.told(link("B", 4, enabled=False))
    with pytest.raises(PermanentDeliveryError):
        await where(world.memory, "A")


@given(st.permutations([link("A", 1), link("A", 2, enabled=False), link("A", 3), link("A", 4, enabled=False)]))
async def test_news_in_any_order_come_to_the_same(links: list[BusinessLink]) -> None:
    world = World()
    await world.told(*links)
    with pytest.raises(PermanentDeliveryError):
        await where(world.memory, "A")


async def test_news_under_lower_numbers_after_a_quiet_week_are_news() -> None:
    world = World()
    await world.told(link("A", 900), link("A", 5, enabled=False, at=NOW + timedelta(days=8)))
    with pytest.raises(PermanentDeliveryError):
        await where(world.memory, "A")


async def test_one_made_before_the_hub_came_is_asked_for_once() -> None:
    world = World()
    user = {"id": 77, "is_bot": False, "first_name": "Ivan"}
    world.api.known["A"] = {
        "id": "A", "user": user, "user_chat_id": 77, "date": 1, "is_enabled": True, "rights": {"can_reply": True},
    }  # fmt: skip
    assert await where(world.memory, "A") == "A"
    assert await where(world.again(), "A") == "A"
    assert world.api.asked == ["A"]
    with pytest.raises(PermanentDeliveryError, match="not found"):
        await where(world.memory, "C")
    world.api.known["D"] = {"id": "D"}
    with pytest.raises(TransientDeliveryError, match="does not describe"):
        await where(world.memory, "D")


@pytest.mark.parametrize("text", [None, "", "{}", "[]", "nonsense", "[1]", '["a",1,"b",true,true,1,"yesterday"]'])
def test_what_is_no_stored_link(text: str | None) -> None:
    assert parse_link(text) is None


async def test_a_group_that_moved_is_found_after_a_restart() -> None:
    world = World()
    event = READER.update({"update_id": 1}, NOW).event
    await world.memory.keep([Arrival(event, move=Move(-5, -1005))])
    for memory in (world.memory, world.again()):
        assert await memory.where(Conversation(-5)) == Conversation(-1005)
        assert await memory.where(Conversation(-6)) == Conversation(-6)
        assert await memory.where(Conversation(1001)) == Conversation(1001)


async def test_without_the_database_nothing_is_acknowledged_and_nothing_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()

    async def away(*_: object) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(world.cursors, "load", away)
    monkeypatch.setattr(world.cursors, "save", away)
    with pytest.raises(IntakeUnavailable):
        await world.told(link("A", 1))
    for conversation in (Conversation(1001, "A"), Conversation(-5)):
        with pytest.raises(TransientDeliveryError):
            await world.memory.where(conversation)
