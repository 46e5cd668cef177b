"""Connectors that do not start: tried again ever more seldom, and at once when somebody asks."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from crm_core.errors import ChannelAuthError
from crm_core.messages import ChannelKey, DeliveryReceipt, OutboundMessage
from crm_core.ports import ChannelHealth, ChannelState, InboundSink
from hub.accounts import starting
from hub.accounts.advice import advice
from hub.accounts.channels import Channels
from hub.accounts.starting import Starts
from hub.metrics import Metrics
from tests.fakes.clock import DrivenClock
from tests.fakes.sink import MemorySink

KEY = ChannelKey("email", "sales")


class Moody:
    """A channel that starts once nothing is the matter any more."""

    def __init__(self, world: World) -> None:
        self.key = KEY
        self.health = ChannelHealth(ChannelState.STOPPED)
        self._world = world
        self.stopped = False

    async def start(self, sink: InboundSink) -> None:
        self._world.starts += 1
        await self._world.hurdle()
        if self._world.trouble is not None:
            raise self._world.trouble
        self.health = ChannelHealth(ChannelState.CONNECTED)

    async def stop(self) -> None:
        self.stopped = True
        self.health = ChannelHealth(ChannelState.STOPPED)

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        raise AssertionError(message)


class World:
    """Accounts of one channel that is in trouble, or not."""

    def __init__(self) -> None:
        self.trouble: Exception | None = OSError(98, "Address already in use")
        self.unmakable: Exception | None = None
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.starts = 0
        self.clock = DrivenClock()
        self.made: list[Moody] = []
        self.channels = Channels({KEY: self.make()})
        self.service = Starts(Metrics(), self.clock, self.channels)
        self.service.serve(MemorySink())

    def make(self) -> Moody:
        """A connector that nobody started yet."""
        if self.unmakable is not None:
            raise self.unmakable
        self.made.append(Moody(self))
        return self.made[-1]

    async def hurdle(self) -> None:
        """What a start takes."""
        self.begun.set()
        await self.open.wait()

    async def begin(self) -> None:
        """Start the account as the hub does."""
        await self.service.begin(KEY, self.make)

    def health(self) -> ChannelHealth:
        """How the account stands."""
        return self.channels[KEY].health


@pytest.fixture
def world() -> World:
    return World()


async def test_it_is_tried_again_with_growing_pauses_until_it_starts(world: World) -> None:
    await world.begin()
    assert world.health().state is ChannelState.RECONNECTING
    assert "Address already in use" in world.health().detail
    assert "ss -ltnp" in advice("email", world.health()), "what to do is said"
    assert world.made[0].stopped, "what was half started is closed"
    pauses = []
    for _ in range(8):
        stands = world.service.stands(KEY)
        assert stands is None or stands.again_at is not None
        before = world.starts
        waited = timedelta()
        while world.starts == before:
            world.clock.advance(timedelta(seconds=5))
            waited += timedelta(seconds=5)
            await world.service.turn()
        pauses.append(int(waited.total_seconds()))
    assert pauses == [5, 15, 45, 135, 405, 600, 600, 600]
    world.trouble = None
    world.clock.advance(timedelta(minutes=10))
    await world.service.turn()
    assert world.health().state is ChannelState.CONNECTED
    stands = world.service.stands(KEY)
    assert stands is not None
    assert stands.again_at is None
    started = world.starts
    world.clock.advance(timedelta(days=1))
    await world.service.turn()
    assert world.starts == started, "what runs is left alone"


async def test_somebody_asks_and_it_is_tried_at_once(world: World) -> None:
    world.trouble = ChannelAuthError("the token is refused")
    await world.begin()
    assert world.health().state is ChannelState.BAD_CREDENTIALS
    assert world.health().detail == "it did not start: the token is refused"
    assert not await world.service.again(KEY)
    world.trouble = None
    assert await world.service.again(KEY)
    assert world.health().state is ChannelState.CONNECTED
    assert not await world.service.again(ChannelKey("email", "nobody's"))


async def test_since_when_it_stands_so_is_remembered(world: World) -> None:
    await world.begin()
    world.service.look()
    down = world.clock.now()
    world.clock.advance(timedelta(seconds=3))
    world.service.look()
    stands = world.service.stands(KEY)
    assert stands is not None
    assert (stands.since, stands.again_at) == (down, down + timedelta(seconds=5))
    world.trouble = None
    world.clock.advance(timedelta(seconds=2))
    await world.service.turn()
    world.service.look()
    stands = world.service.stands(KEY)
    assert stands is not None
    assert stands.since == down + timedelta(seconds=5)


async def test_one_that_is_replaced_or_taken_away_is_tried_no_more(world: World) -> None:
    await world.begin()
    world.trouble = None
    await world.service.replace(KEY, world.make)
    assert world.health().state is ChannelState.CONNECTED
    await world.service.leave(KEY)
    assert KEY not in world.channels
    assert world.made[-1].stopped
    world.clock.advance(timedelta(hours=1))
    started = world.starts
    await world.service.turn()
    assert world.starts == started


async def test_one_that_can_not_be_made_is_tried_again_like_one_that_does_not_start(world: World) -> None:
    world.trouble = None
    world.unmakable = OSError(2, "No such file or directory")
    await world.service.replace(KEY, world.make)
    assert world.health().state is ChannelState.RECONNECTING
    assert "No such file or directory" in world.health().detail
    assert world.made[0].stopped, "whatever served before serves no more"
    assert not await world.service.again(KEY)
    assert world.starts == 0
    stands = world.service.stands(KEY)
    assert stands is not None
    assert stands.again_at == world.clock.now() + timedelta(seconds=5)
    world.clock.advance(timedelta(seconds=5))
    await world.service.turn()
    stands = world.service.stands(KEY)
    assert stands is not None
    assert stands.again_at == world.clock.now() + timedelta(seconds=15)
    world.unmakable = None
    world.clock.advance(timedelta(seconds=15))
    await world.service.turn()
    assert world.health().state is ChannelState.CONNECTED


async def test_of_several_who_ask_at_once_one_starts_it(world: World) -> None:
    await world.begin()
    world.trouble = None
    world.begun.clear()
    world.open.clear()
    before = world.starts
    asking = [asyncio.create_task(world.service.again(KEY)) for _ in range(3)]
    await world.begun.wait()
    world.open.set()
    assert await asyncio.gather(*asking) == [True] * 3
    assert world.starts == before + 1
    assert not world.made[-1].stopped
    assert await world.service.again(KEY), "it runs"
    assert world.starts == before + 1


async def test_whoever_asks_beside_one_who_fails_hears_of_it(world: World) -> None:
    await world.begin()
    before = world.starts
    assert await asyncio.gather(*(world.service.again(KEY) for _ in range(2))) == [False] * 2
    assert world.starts == before + 1


async def test_one_that_never_begins_keeps_nobody_else_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_START_S", 0.01)
    world.open.clear()
    await world.begin()
    assert world.health().state is ChannelState.RECONNECTING
    assert world.made[0].stopped
    stands = world.service.stands(KEY)
    assert stands is not None
    assert stands.again_at is not None


async def test_whoever_listens_hears_that_an_account_stands_otherwise(world: World) -> None:
    heard: list[ChannelState] = []
    world.trouble = None
    world.service.listen(lambda: heard.append(world.health().state if KEY in world.channels else ChannelState.STOPPED))
    await world.begin()
    world.service.look()
    world.made[0].health = ChannelHealth(ChannelState.RECONNECTING, "reset")
    await world.service.turn()
    await world.service.leave(KEY)
    assert heard == [ChannelState.CONNECTED, ChannelState.RECONNECTING, ChannelState.STOPPED]
