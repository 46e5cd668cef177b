"""Webhook over real sockets: committed, then 200; a wrong secret writes nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from channels.telegram import Mode, TelegramChannel
from crm_core.errors import IntakeError, IntakeFull, IntakeUnavailable
from crm_core.messages import MessageReceived, Unparsable
from crm_core.ports import ChannelState, HttpRequest, HttpResponse, HttpRoute
from hub.demo.peers.bot_api import SECRET_HEADER, Person, faults
from tests.integration.telegram.conftest import SECRET, Rig, until


class Face:
    """The hub's HTTP side as the port describes it."""

    def __init__(self) -> None:
        self.routes: list[HttpRoute] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        route = next((route for route in self.routes if route.path == request.path), None)
        if route is None:
            return web.Response(status=404)
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = HttpRequest(request.method, request.path, {}, headers, await request.read(), "127.0.0.1")
        try:
            answer = await route.handle(asked)
            assert isinstance(answer, HttpResponse)
        except IntakeError:
            return web.Response(status=503, headers={"Retry-After": "1"})
        return web.Response(status=answer.status, body=answer.body)


@pytest.fixture
async def face(rig: Rig) -> AsyncIterator[Face]:
    made = Face()
    app = web.Application()
    app.router.add_post("/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = rig.world.public_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    # The bot's deliveries keep a connection open.
    await rig.bot.webhook.close()
    await runner.cleanup()


async def hooked(rig: Rig, face: Face) -> TelegramChannel:
    channel = rig.channel(Mode.WEBHOOK)
    face.routes = list(channel.routes())
    await channel.start(rig.sink)
    await until(lambda: channel.health.state is ChannelState.CONNECTED)
    return channel


async def post(face: Face, body: bytes, secret: str | None = SECRET) -> int:
    headers = {} if secret is None else {SECRET_HEADER: secret}
    url = f"{face.url}/in/telegram/shop"
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        return answer.status


async def test_the_hub_sets_its_webhook_and_takes_updates(rig: Rig, face: Face, anna: Person) -> None:
    await anna.say("ещё до начала")
    await hooked(rig, face)
    await anna.say("раз")
    events = await rig.sink.wait_count(2)
    assert [event.payload.text for event in events if isinstance(event.payload, MessageReceived)] == [
        "ещё до начала",
        "раз",
    ]
    hook = rig.bot.webhook.hook
    assert hook is not None
    assert (hook.url, hook.secret) == (f"{face.url}/in/telegram/shop", SECRET)
    assert rig.bot.updates.allowed is not None
    assert "callback_query" in rig.bot.updates.allowed


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET.upper(), SECRET + "x"])
async def test_a_wrong_secret_is_401_and_writes_nothing(rig: Rig, face: Face, secret: str | None) -> None:
    await hooked(rig, face)
    assert await post(face, b'{"update_id": 1, "message": {}}', secret) == 401
    assert not rig.sink.batches


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe\x00", b"[]", b"17", b'{"update_id": 9, "message": {"text": 5}}', b"[" * 50_000]
)
async def test_what_is_not_understood_is_kept_and_accepted(rig: Rig, face: Face, body: bytes) -> None:
    await hooked(rig, face)
    assert await post(face, body) == 200
    assert await post(face, body) == 200
    assert len(rig.sink.events) == 1
    assert rig.sink.events[0].raw == body
    assert isinstance(rig.sink.events[0].payload, Unparsable)


@pytest.mark.parametrize("error", [IntakeFull(), IntakeUnavailable()])
async def test_what_was_not_committed_is_refused_and_comes_again(
    rig: Rig, face: Face, anna: Person, error: IntakeError
) -> None:
    await hooked(rig, face)
    rig.sink.fail_next(error, error)
    await anna.say("раз")
    await anna.say("два")
    await rig.sink.wait_count(2)
    deliveries = await rig.bot.webhook.deliveries.wait_count(4)
    assert [delivery.status for delivery in deliveries] == [503, 503, 200, 200]
    assert deliveries[0].retry_after == "1"


async def test_raw_bytes_are_kept_as_posted(rig: Rig, face: Face) -> None:
    await hooked(rig, face)
    body = b'{ "update_id" : 12,\n "hologram":{"a":1.50} }'
    assert await post(face, body) == 200
    assert (rig.sink.events[0].raw, rig.sink.events[0].external_id) == (body, "12")


async def test_pressed_buttons_are_answered(rig: Rig, face: Face, ivan: Person) -> None:
    rig.sink.answer = "Записано за вами"
    await hooked(rig, face)
    press = await ivan.press_raw("taken:42:", None)
    assert (await press.answer()).text == "Записано за вами"


async def test_setting_is_tried_again_until_it_succeeds(rig: Rig, face: Face, anna: Person) -> None:
    rig.bot.next_responses(faults.status(500), faults.bad_gateway(), faults.too_many(50))
    await hooked(rig, face)
    await anna.say("раз")
    await rig.sink.wait_count(1)
    assert max(rig.pauses[:3]) >= 50


async def test_a_webhook_that_somebody_removed_is_set_again(rig: Rig, face: Face, anna: Person) -> None:
    await hooked(rig, face)
    await rig.bot.webhook.set(None)
    await until(lambda: rig.bot.webhook.hook is not None)
    await anna.say("раз")
    await rig.sink.wait_count(1)


async def test_a_refused_token_is_said(rig: Rig, face: Face) -> None:
    channel = await hooked(rig, face)
    rig.bot.revoke()
    await until(lambda: channel.health.state is ChannelState.BAD_CREDENTIALS)
    rig.bot.restore()
    await until(lambda: channel.health.state is ChannelState.CONNECTED)


async def test_before_start_and_after_stop_the_provider_has_to_wait(rig: Rig, face: Face) -> None:
    channel = rig.channel(Mode.WEBHOOK)
    face.routes = list(channel.routes())
    assert await post(face, b"{}") == 503
    await channel.start(rig.sink)
    await channel.stop()
    assert await post(face, b"{}") == 503
    assert rig.bot.webhook.hook is None or rig.bot.webhook.hook.url.startswith(face.url)


async def test_polling_has_no_webhook_path_and_removes_one(rig: Rig, face: Face, anna: Person) -> None:
    hooks = await hooked(rig, face)
    await hooks.stop()
    polling = await rig.running(Mode.POLLING)
    face.routes = list(polling.routes())
    assert await post(face, json.dumps({"update_id": 1}).encode()) == 404
    assert rig.bot.webhook.hook is None
    await anna.say("раз")
    await rig.sink.wait_count(1)
