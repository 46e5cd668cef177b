"""What every channel promises that is pushed to over HTTP, whoever the provider is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import cast

import pytest

from channels.cti import CtiConfig
from channels.cti import create as create_cti
from channels.web import WebConfig
from channels.web import create as create_web
from crm_core.errors import IntakeError, IntakeFull, IntakeUnavailable, PermanentDeliveryError
from crm_core.messages import OutboundMessage, RouteAction, RouteDecision, RouteQuery, Unparsable
from crm_core.ports import (
    Channel,
    ChannelContext,
    ChannelState,
    HttpRequest,
    HttpResponse,
    ProvesItself,
    ReceivesHttp,
    ReparsesRaw,
)
from tests.fakes.channel_world import ChannelWorld
from tests.fakes.clock import DrivenClock
from tests.fakes.sink import MemorySink

SECRET = "s3cret-of-the-account"


class PutsThrough:
    """A call router that refuses nobody."""

    def route(self, query: RouteQuery) -> RouteDecision:
        """Anybody may ring."""
        return RouteDecision(RouteAction.FALLBACK, reason=query.number)


@dataclass(frozen=True)
class Account:
    """One account of a channel, and how a provider speaks to it."""

    create: Callable[[ChannelContext], Channel]
    path: str
    query: dict[str, str]
    body: bytes
    content_type: str

    def request(self, *, body: bytes | None = None, secret: str = SECRET) -> HttpRequest:
        """A post of the provider."""
        query = {name: value.replace(SECRET, secret) for name, value in self.query.items()}
        headers = {"content-type": self.content_type}
        path = self.path.replace(SECRET, secret)
        return HttpRequest("POST", path, query, headers, self.body if body is None else body, "127.0.0.1")


CALL = {"event": "newCall", "direction": "in", "callId": "c1", "from": "79161234567", "to": "74951234567"}
ACCOUNTS = {
    "web": Account(
        lambda context: create_web(WebConfig("site", SECRET), context),
        "/in/web/site",
        {"key": SECRET},
        b'{"name": "A", "phone": "+79161234567", "submission_id": "1"}',
        "application/json",
    ),
    "cti": Account(
        lambda context: create_cti(CtiConfig("site", SECRET), context),
        f"/api/v1/cti/{SECRET}",
        {},
        json.dumps(CALL).encode(),
        "application/json",
    ),
}


@dataclass
class Scene:
    """A started channel, where its facts go, and its provider."""

    account: Account
    channel: Channel
    sink: MemorySink
    world: ChannelWorld

    def state(self) -> ChannelState:
        """How the channel stands now."""
        return self.channel.health.state

    async def post(self, request: HttpRequest | None = None) -> HttpResponse:
        """What the provider is answered."""
        assert isinstance(self.channel, ReceivesHttp)
        (route,) = [route for route in self.channel.routes() if route.method == "POST"]
        answer = await route.handle(request or self.account.request())
        assert isinstance(answer, HttpResponse)
        return answer


@pytest.fixture(params=ACCOUNTS)
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    account, world, sink = ACCOUNTS[cast("str", request.param)], ChannelWorld(DrivenClock()), MemorySink()
    channel = account.create(replace(world.context(), call_router=PutsThrough()))
    assert channel.health.state is ChannelState.CONNECTING
    await channel.start(sink)
    yield Scene(account, channel, sink, world)
    await channel.stop()


async def test_it_is_well_while_it_is_started(scene: Scene) -> None:
    assert scene.state() is ChannelState.CONNECTED
    assert isinstance(scene.channel, ProvesItself)
    assert SECRET not in await scene.channel.check()
    for _ in range(2):
        await scene.channel.stop()
    assert scene.state() is ChannelState.STOPPED
    with pytest.raises(IntakeUnavailable):
        await scene.post()


async def test_a_fact_is_in_before_the_provider_hears_so(scene: Scene) -> None:
    assert (await scene.post()).status == 200
    (event,) = scene.sink.events
    assert event.key == scene.channel.key
    assert event.raw == scene.account.body
    assert event.occurred_at == scene.world.clock.now()


async def test_a_repeat_is_answered_like_the_first(scene: Scene) -> None:
    first, again = await scene.post(), await scene.post()
    assert (again.status, again.body) == (first.status, first.body)
    assert len(scene.sink.events) == 1


@pytest.mark.parametrize("secret", ["wrong", SECRET + "x", SECRET[:-1], "ключ", ""])
async def test_a_wrong_secret_writes_nothing(scene: Scene, secret: str) -> None:
    assert (await scene.post(scene.account.request(secret=secret))).status in {401, 403}
    assert scene.sink.batches == []


@pytest.mark.parametrize("failure", [IntakeFull(), IntakeUnavailable()])
async def test_what_was_not_committed_is_not_acknowledged(scene: Scene, failure: IntakeError) -> None:
    scene.sink.fail_next(failure)
    with pytest.raises(IntakeError):
        await scene.post()
    assert (await scene.post()).status == 200
    assert len(scene.sink.events) == 1


async def test_what_can_not_be_understood_is_kept_and_said(scene: Scene) -> None:
    answer = await scene.post(scene.account.request(body=b'{"broken'))
    assert answer.status == 422
    assert "JSON" in json.loads(answer.body)["error"]
    (event,) = scene.sink.events
    assert isinstance(event.payload, Unparsable)
    assert event.raw == b'{"broken'


async def test_raw_facts_are_read_again_to_the_same(scene: Scene) -> None:
    await scene.post()
    (event,) = scene.sink.events
    assert isinstance(scene.channel, ReparsesRaw)
    again = scene.channel.reparse(event.external_id, event.raw, scene.world.clock.now())
    assert (again.payload, again.external_id, again.sender) == (event.payload, event.external_id, event.sender)
    broken = scene.channel.reparse("x", b"\xff\x00", scene.world.clock.now())
    assert isinstance(broken.payload, Unparsable)


async def test_nothing_can_be_sent_back(scene: Scene) -> None:
    message = OutboundMessage(scene.channel.key, "", "hello", "k1")
    with pytest.raises(PermanentDeliveryError):
        await scene.channel.send(message)
