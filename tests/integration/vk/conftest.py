"""A community's connector beside a strict VK server on a real socket, with the hub's HTTP face before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from channels.vk import Mode, VkChannel, VkConfig
from crm_core.errors import IntakeError
from crm_core.model.identity import Identity, IdentityKind
from crm_core.ports import ChannelState, HttpRequest, HttpResponse, HttpRoute
from hub.demo.peers.vk import Community, Person, VkServer
from tests.fakes.channel_world import ChannelWorld
from tests.fakes.clock import DrivenClock
from tests.fakes.sink import MemorySink
from tests.patience import PATIENCE_S

GROUP, TOKEN, SECRET, CONFIRMATION = 123456, "vk1.a.strict-local-token", "s3cret", "c0nf1rm"
LONG_S = 60.0


class KnownNameless:
    """Clients without a name, as the test says."""

    def __init__(self) -> None:
        self.ids: list[int] = []

    async def nameless(self, kind: IdentityKind, limit: int) -> Sequence[Identity]:
        """The first of them."""
        return [Identity(kind, str(each)) for each in self.ids[:limit]]


@dataclass
class Rig:
    """The connector, its surroundings, and pauses that take no time."""

    server: VkServer
    community: Community
    clock: DrivenClock
    world: ChannelWorld
    sink: MemorySink = field(default_factory=MemorySink)
    nameless: KnownNameless = field(default_factory=KnownNameless)
    pauses: list[float] = field(default_factory=list)
    started: list[VkChannel] = field(default_factory=list)
    routes: list[HttpRoute] = field(default_factory=list)
    url: str = ""

    async def sleep(self, seconds: float) -> None:
        """The clock moves on instead of the test waiting; who only looks now and then is left to wait."""
        self.pauses.append(seconds)
        if seconds > LONG_S:
            await asyncio.Event().wait()
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    def config(self, mode: Mode = Mode.CALLBACK, **more: Any) -> VkConfig:
        """The account."""
        return VkConfig("community", GROUP, TOKEN, mode, SECRET, CONFIRMATION, self.server.url, **more)

    def channel(self, mode: Mode = Mode.CALLBACK, world: ChannelWorld | None = None, **more: Any) -> VkChannel:
        """A connector that is not started."""
        context = replace((world or self.world).context(), nameless=self.nameless)
        made = VkChannel(self.config(mode, **more), context, sleep=self.sleep)
        self.started.append(made)
        return made

    async def running(self, mode: Mode = Mode.CALLBACK, **more: Any) -> VkChannel:
        """A connector that is started and connected; in mode callback VK posts to it."""
        made = self.channel(mode, **more)
        if mode is Mode.CALLBACK:
            self.routes = list(made.routes())
            self.community.hook(f"{self.url}/in/vk/community", SECRET, CONFIRMATION)
        await made.start(self.sink)
        await until(lambda: made.health.state is ChannelState.CONNECTED)
        return made

    async def face(self, request: web.Request) -> web.Response:
        """The hub's HTTP side as the port describes it."""
        route = next((route for route in self.routes if route.path == request.path), None)
        if route is None:
            return web.Response(status=404)
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        if len(body) > route.max_size:
            return web.Response(status=413)
        asked = HttpRequest(request.method, request.path, dict(request.query), headers, body, "127.0.0.1")
        try:
            answer = await route.handle(asked)
        except IntakeError:
            return web.Response(status=503, headers={"Retry-After": "1"})
        assert isinstance(answer, HttpResponse)
        return web.Response(status=answer.status, body=answer.body)


async def until(condition: Callable[[], bool]) -> None:
    """Let the other tasks run until `condition()` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    clock = DrivenClock()
    async with VkServer(clock=clock, per_second=20) as server:
        made = Rig(server, server.community(GROUP, TOKEN), clock, ChannelWorld(clock))
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/{path:.*}", made.face)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = made.world.public_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
        if made.sink.gate is not None:
            made.sink.gate.set()
        await made.community.callback.end()
        for channel in made.started:
            await channel.stop()
        await runner.cleanup()


@pytest.fixture
def anna(rig: Rig) -> Person:
    return rig.community.user(1001, "Анна", "Петрова")


@pytest.fixture
def boris(rig: Rig) -> Person:
    return rig.community.user(1002, "Борис")
