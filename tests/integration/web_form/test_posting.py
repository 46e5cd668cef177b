"""Forms over real HTTP: who may post, what they are told, and that a fact is in before anybody hears «ok»."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer

from channels.web import WebChannel, WebConfig, create
from crm_core.errors import IntakeError, IntakeFull, IntakeUnavailable, PermanentDeliveryError
from crm_core.messages import ChannelKey, FormSubmitted, Ignored, OutboundMessage, Unparsable
from crm_core.ports import ChannelState, HttpRequest, HttpResponse, HttpRoute, ReceivesHttp
from tests.fakes.channel_world import ChannelWorld
from tests.fakes.clock import DrivenClock
from tests.fakes.sink import MemorySink
from tests.patience import PATIENCE_S

URL = "/in/web/site?key=secret-key"
ORIGIN = {"Origin": "https://example.org"}
Client = TestClient[web.Request, web.Application]


def application(routes: Sequence[HttpRoute]) -> web.Application:
    """The smallest face that mounts a channel's routes."""

    def mounted(route: HttpRoute) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            headers = {name.lower(): value for name, value in request.headers.items()}
            remote = headers.pop("x-test-remote", request.remote or "")
            asked = HttpRequest(
                request.method, request.path, dict(request.query), headers, await request.read(), remote
            )
            try:
                answer = await route.handle(asked)
                assert isinstance(answer, HttpResponse)
            except IntakeError:
                return web.Response(status=503, headers={"Retry-After": "1"})
            response = web.Response(status=answer.status, body=answer.body)
            if answer.body:
                response.headers["Content-Type"] = answer.content_type
            for name, value in answer.headers:
                response.headers.add(name, value)
            return response

        return handle

    app = web.Application(client_max_size=max(route.max_size for route in routes))
    for route in routes:
        app.router.add_route(route.method, route.path, mounted(route))
    return app


@pytest.fixture
def world() -> ChannelWorld:
    return ChannelWorld(DrivenClock())


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
async def site(world: ChannelWorld, sink: MemorySink) -> AsyncIterator[WebChannel]:
    channel = create(WebConfig("site", "secret-key", ("https://example.org",), per_minute=3), world.context())
    await channel.start(sink)
    yield channel
    await channel.stop()


@pytest.fixture
async def visitor(site: WebChannel) -> AsyncIterator[Client]:
    assert isinstance(site, ReceivesHttp)
    async with TestClient(TestServer(application(site.routes()), host="127.0.0.1")) as client:
        yield client


async def test_a_form_is_in_before_anybody_hears_ok(visitor: Client, sink: MemorySink, world: ChannelWorld) -> None:
    sink.gate = asyncio.Event()
    posting = asyncio.create_task(visitor.post(URL, data={"name": "Иван", "phone": "8 916 123-45-67"}))
    await asyncio.wait_for(sink.committing.wait(), PATIENCE_S)
    assert not posting.done()
    sink.gate.set()
    answer = await posting
    assert (answer.status, await answer.json()) == (200, {"ok": True})
    (event,) = sink.events
    assert str(event.key) == "web:site"
    assert event.occurred_at == world.clock.now()
    assert event.raw.startswith(b"name=%D0%98")
    assert isinstance(event.payload, FormSubmitted)
    assert event.payload.phone == "8 916 123-45-67"


@pytest.mark.parametrize(
    "url", ["/in/web/site", "/in/web/site?key=", "/in/web/site?key=secret-keyx", "/in/web/site?key=ключ"]
)
async def test_a_wrong_key_writes_nothing(visitor: Client, sink: MemorySink, url: str) -> None:
    answer = await visitor.post(url, data={"name": "a"})
    assert answer.status == 401
    assert sink.batches == []


@pytest.mark.parametrize("failure", [IntakeFull(), IntakeUnavailable()])
async def test_what_is_not_committed_is_to_be_sent_again(
    visitor: Client, sink: MemorySink, failure: IntakeError
) -> None:
    form = {"name": "a", "submission_id": "1"}
    sink.fail_next(failure)
    assert (await visitor.post(URL, data=form)).status == 503
    assert sink.events == []
    for _ in range(2):
        assert (await visitor.post(URL, data=form)).status == 200
    assert len(sink.events) == 1


async def test_browsers_of_other_sites_are_kept_out(visitor: Client, sink: MemorySink) -> None:
    allowed = await visitor.options(URL, headers={**ORIGIN, "Access-Control-Request-Method": "POST"})
    assert allowed.status == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://example.org"
    assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
    posted = await visitor.post(URL, json={"name": "a"}, headers=ORIGIN)
    assert posted.status == 200
    assert posted.headers["Access-Control-Allow-Origin"] == "https://example.org"
    assert posted.headers["Vary"] == "Origin"
    for origin in ("https://evil.example", "null", "https://example.org.evil.example"):
        assert (await visitor.options(URL, headers={"Origin": origin})).status == 403
        refused = await visitor.post(URL, json={"name": "b"}, headers={"Origin": origin})
        assert refused.status == 403
        assert "Access-Control-Allow-Origin" not in refused.headers
    assert len(sink.events) == 1


async def test_thanks_are_only_said_on_the_sites_own_pages(visitor: Client) -> None:
    thanks = "https://example.org/thanks?a=1"
    answer = await visitor.post(URL, data={"name": "a", "_redirect": thanks}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, thanks)
    for elsewhere in (
        "https://evil.example/",
        "//evil.example",
        "https://example.org@evil.example/",
        "https://example.org.evil.example/",
        "https://example.org\\@evil.example/",
        "javascript:alert(1)",
        "https://example.org/\r\nSet-Cookie: a=b",
    ):
        answer = await visitor.post(URL, data={"name": "a", "_redirect": elsewhere}, allow_redirects=False)
        assert (answer.status, await answer.json()) == (200, {"ok": True})
        assert "Location" not in answer.headers


async def test_an_address_that_posts_too_much_waits(visitor: Client, sink: MemorySink, world: ChannelWorld) -> None:
    clock = world.clock
    assert isinstance(clock, DrivenClock)

    async def post(remote: str) -> int:
        return (await visitor.post(URL, data={"name": "a"}, headers={"X-Test-Remote": remote})).status

    assert [await post("203.0.113.5") for _ in range(4)] == [200, 200, 200, 429]
    assert await post("203.0.113.6") == 200
    assert len(sink.events) == 4
    clock.advance(61)
    assert await post("203.0.113.5") == 200


async def test_files_are_kept(visitor: Client, sink: MemorySink, world: ChannelWorld) -> None:
    form = FormData()
    form.add_field("name", "Иван")
    form.add_field("plan", b"\x00\r\n\xff", filename="план.pdf", content_type="application/pdf")
    assert (await visitor.post(URL, data=form)).status == 200
    payload = sink.events[0].payload
    assert isinstance(payload, FormSubmitted)
    assert payload.name == "Иван"
    (file,) = payload.attachments
    assert (file.name, file.content_type) == ("план.pdf", "application/pdf")
    assert file.stored is not None
    assert await world.files.read(file.stored.sha256) == b"\x00\r\n\xff"


async def test_five_megabytes_are_too_much(visitor: Client, sink: MemorySink) -> None:
    answer = await visitor.post(
        URL, data=io.BytesIO(b'{"name": "' + b"x" * 5_000_000 + b'"}'), headers={"Content-Type": "application/json"}
    )
    assert answer.status == 413
    assert sink.batches == []


async def test_nothing_is_not_taken_for_a_form(visitor: Client, sink: MemorySink) -> None:
    answer = await visitor.post(URL, json={"utm_source": "ya", "name": " "})
    assert answer.status == 422
    assert "phone" in (await answer.json())["error"]
    assert sink.batches == []


async def test_what_can_not_be_read_is_kept_and_said(visitor: Client, sink: MemorySink) -> None:
    for _ in range(2):
        answer = await visitor.post(URL, data=b"{broken", headers={"Content-Type": "application/json"})
        assert answer.status == 422
        assert (await answer.json())["kept"] is True
    (event,) = sink.events
    assert isinstance(event.payload, Unparsable)
    assert event.raw == b"{broken"


async def test_a_robot_is_thanked_and_ignored(visitor: Client, sink: MemorySink) -> None:
    answer = await visitor.post(URL, data={"name": "Bot", "_trap": "x"})
    assert (answer.status, await answer.json()) == (200, {"ok": True})
    assert isinstance(sink.events[0].payload, Ignored)


async def test_a_stopped_site_asks_to_try_again(visitor: Client, site: WebChannel, sink: MemorySink) -> None:
    await site.stop()
    assert site.health.state is ChannelState.STOPPED
    assert (await visitor.post(URL, data={"name": "a"})).status == 503
    assert sink.batches == []


async def test_a_form_has_no_way_back(site: WebChannel) -> None:
    with pytest.raises(PermanentDeliveryError):
        await site.send(OutboundMessage(ChannelKey("web", "site"), "", "hi", "message:1"))
    assert "secret-key" not in await site.check()
