"""A bot connector beside a strict Bot API server on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from channels.telegram import Mode, TelegramChannel, TelegramConfig
from crm_core.ports import ChannelState
from hub.demo.peers.bot_api import Bot, BotApiServer, Limits, Person
from tests.fakes.channel_world import ChannelWorld
from tests.fakes.clock import DrivenClock
from tests.fakes.sink import MemorySink
from tests.patience import PATIENCE_S

TOKEN = "7654321:AAE-strict_local_token"
SECRET = "s3cret_of-the-hook"


@dataclass
class Rig:
    """The connector, its surroundings, and pauses that take no time."""

    server: BotApiServer
    bot: Bot
    clock: DrivenClock
    world: ChannelWorld
    sink: MemorySink = field(default_factory=MemorySink)
    pauses: list[float] = field(default_factory=list)
    started: list[TelegramChannel] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """The clock moves on instead of the test waiting."""
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    def channel(self, mode: Mode = Mode.POLLING, api_base: str | None = None) -> TelegramChannel:
        """A connector that is not started."""
        config = TelegramConfig("shop", TOKEN, mode, SECRET, api_base or self.server.url)
        made = TelegramChannel(config, self.world.context(), sleep=self.sleep)
        self.started.append(made)
        return made

    async def running(self, mode: Mode = Mode.POLLING) -> TelegramChannel:
        """A connector that is started and connected."""
        made = self.channel(mode)
        await made.start(self.sink)
        await until(lambda: made.health.state is ChannelState.CONNECTED)
        return made


async def until(condition: Callable[[], bool]) -> None:
    """Let the other tasks run until `condition()` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = DrivenClock()
    async with BotApiServer(clock=clock, limits=Limits()) as server:
        made = Rig(server, server.bot(TOKEN), clock, ChannelWorld(clock))
        yield made
        if made.sink.gate is not None:
            made.sink.gate.set()
        for channel in made.started:
            await channel.stop()


@pytest.fixture
def anna(rig: Rig) -> Person:
    return rig.bot.user(id=1001, first_name="Анна", last_name="Петрова")


@pytest.fixture
def ivan(rig: Rig) -> Person:
    return rig.bot.user(id=77, first_name="Иван")
