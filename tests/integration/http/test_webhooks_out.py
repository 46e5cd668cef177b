"""Events to other programs: subscriptions, signatures, retries, the log, replays, what is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from crm_core.ports import ChannelContext
from hub.app import create_app
from hub.bootstrap import build
from hub.http.keys import EventLimits
from hub.settings import Secret, Settings, WebhookSettings
from tests.fakes.clock import DrivenClock
from tests.integration.http.world import SHOP, PlayedChannel, World, hire, settings_for


@dataclass
class Receiver:
    """Another program: what it got, and what it answers."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 204, headers={"Location": self.url})

    @property
    def events(self) -> list[str]:
        return [json.loads(body)["event"] for _, body in self.got]

    def data(self, event: str) -> Any:
        return [json.loads(body)["data"] for _, body in self.got if json.loads(body)["event"] == event]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/hook"))
        yield made


@asynccontextmanager
async def office(url: str, folder: Path, **more: Any) -> AsyncIterator[World]:
    """A hub with further settings; root acts."""
    clock, shop = DrivenClock(), PlayedChannel(SHOP)

    def connect(_settings: Settings, _context: ChannelContext) -> list[PlayedChannel]:
        return [shop]

    hub = build(replace(settings_for(url, folder), **more), clock=clock, connectors={"played": connect})
    await hub.start()
    await hub.outbox.stop()  # the test says when something is sent
    try:
        await hub.store.run(hire)
        async with TestClient(TestServer(create_app(hub))) as client:
            yield World(hub, clock, client, shop, folder, EventLimits(), login="root")
    finally:
        await hub.stop()


@pytest.fixture
async def open_office(migrated_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """Addresses of the loopback are allowed, as the test's own receiver is one."""
    async with office(migrated_url, tmp_path, webhook_private=True) as made:
        yield made


async def flow(world: World, *, pass_s: float = 0) -> None:
    """Let everything be sent that is due."""
    world.clock.advance(timedelta(seconds=pass_s))
    while await world.hub.outbox.run_once():
        pass


async def subscribe(world: World, url: str, *events: str, **more: Any) -> Any:
    body = {"name": more.pop("name", "erp"), "url": url, "events": list(events), **more}
    return await world.post("/webhooks", body, status=201)


async def log(world: World, **query: Any) -> list[Any]:
    return list((await world.get("/webhook-deliveries", params=query))["items"])


async def test_a_subscription_is_made_seen_and_changed(open_office: World) -> None:
    world = open_office
    made = await subscribe(world, "https://example.org/hook", "deal.*", "lead.created")
    assert len(made["secret"]) > 30
    shown = await world.get(f"/webhooks/{made['id']}")
    assert "secret" not in shown
    assert made["secret"] not in json.dumps(await world.get("/webhooks"))
    own = await subscribe(world, "https://example.org/2", "*", name="own", secret="0123456789")
    assert own["secret"] == "0123456789"
    renewed = await world.post(f"/webhooks/{own['id']}/secret")
    assert renewed["secret"] not in {"0123456789", made["secret"]}
    changed = await world.patch(f"/webhooks/{made['id']}", {"active": False, "version": 1})
    assert (changed["active"], changed["events"]) == (False, ["deal.*", "lead.created"])
    await world.get("/webhooks", login="ivan", status=403)
    wrong: list[dict[str, Any]] = [
        {"url": "ftp://example.org"},
        {"url": "https://user:pass@example.org/"},
        {"url": "https://"},
        {"url": "https://example.org/#x"},
        {"events": []},
        {"events": ["deal"]},
        {"events": ["deal.moveed"]},
        {"events": ["d*"]},
        {"secret": "short"},
    ]
    for number, each in enumerate(wrong):
        body = {"name": f"w{number}", "url": "https://example.org", "events": ["*"], **each}
        await world.post("/webhooks", body, status=422)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://localhost:8080/",
        "http://[::1]/",
        "http://10.0.0.5/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:192.168.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://0.0.0.0/",
        "http://printer.local/",
        "http://2130706433/",
        "http://127.1/",
    ],
)
async def test_the_offices_own_network_is_refused(world: World, url: str) -> None:
    body = {"name": "erp", "url": url, "events": ["*"]}
    refused = await world.post("/webhooks", body, status=422, login="root")
    assert "own network" in refused["detail"]


async def test_a_name_that_stands_for_the_own_network_is_refused_when_posted(
    migrated_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    async with office(migrated_url, tmp_path) as world:
        # 127.0.0.1 to whoever looks it up, though it is no address as it is written
        port = receiver.url.rpartition(":")[2].partition("/")[0]
        await subscribe(world, f"http://0x7f000001:{port}/hook", "contact.created")
        await world.contact(name="Анна")
        await flow(world)
        assert receiver.got == []
        (delivery,) = await log(world)
    assert delivery["state"] == "failed"
    assert "own network" in delivery["error"]


async def test_events_are_signed_and_tell_of_records(open_office: World, receiver: Receiver) -> None:
    world = open_office
    made = await subscribe(world, receiver.url, "contact.*", "deal.*", "payment.received")
    contact = await world.contact(name="Анна")
    deal = await world.post(
        "/deals", {"title": "Окна", "contact_id": contact["id"], "amount": {"amount": 5}}, status=201
    )
    await world.patch(f"/deals/{deal['id']}", {"title": "Двери"})
    await world.post(f"/deals/{deal['id']}/payments", {"amount": {"amount": 5}}, status=201)
    await flow(world)
    assert receiver.events.count("contact.created") == 1
    assert receiver.events.count("deal.created") == 1
    assert receiver.events.count("payment.received") == 1
    assert "payment.created" not in receiver.events
    headers, content = receiver.got[0]
    signed = f"{headers['X-Hub-Timestamp']}.".encode() + content
    expected = hmac.new(made["secret"].encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature"] == f"sha256={expected}"
    (created,) = receiver.data("contact.created")
    assert (created["id"], created["record"]["name"], created["author"]) == (contact["id"], "Анна", "root")
    changes = [each["changes"] for each in receiver.data("deal.changed")]
    assert [{"name": "title", "old": "Окна", "new": "Двери"}] in changes
    assert any({"name": "paid", "old": 0, "new": 5} in each for each in changes)
    assert receiver.data("deal.paid")
    ids = [headers["X-Hub-Delivery"] for headers, _ in receiver.got]
    assert len(set(ids)) == len(ids)


async def test_nobody_pays_for_what_nobody_wants(open_office: World, receiver: Receiver) -> None:
    world = open_office
    await subscribe(world, receiver.url, "deal.moved")
    await world.contact(name="Анна")
    assert await log(world) == []
    made = await subscribe(world, receiver.url, "contact.*", name="later")
    await world.patch(f"/webhooks/{made['id']}", {"active": False})
    await world.contact(name="Борис")
    assert await log(world) == []


async def test_what_is_not_taken_is_sent_again_under_its_id(open_office: World, receiver: Receiver) -> None:
    world = open_office
    made = await subscribe(world, receiver.url, "contact.created")
    receiver.answers = [500, 302, 200]
    await world.contact(name="Анна")
    await flow(world)
    (waiting,) = await log(world, state="waiting")
    assert (waiting["attempts"], waiting["status"], waiting["error"]) == (1, 500, "the receiver answered 500")
    await flow(world, pass_s=30)
    await flow(world, pass_s=30)
    (done,) = await log(world, subscription=str(made["id"]))
    assert (done["state"], done["attempts"], done["status"], done["error"], done["name"]) == ("done", 3, 200, "", "erp")
    assert {headers["X-Hub-Delivery"] for headers, _ in receiver.got} == {done["delivery"]}
    assert len({body for _, body in receiver.got}) == 1
    whole = await world.get(f"/webhook-deliveries/{done['id']}")
    assert whole["payload"] == json.loads(receiver.got[0][1])
    await world.get("/webhook-deliveries", login="ivan", status=403)


async def test_an_event_whose_tries_ended_unknown_is_posted_all_the_same(
    open_office: World, receiver: Receiver
) -> None:
    """A subscriber knows an event by its number: a hub that died in the middle of three posts gives nothing up."""
    world = open_office
    await subscribe(world, receiver.url, "contact.created")
    await world.contact(name="Анна")

    died = "UPDATE outbox SET started = 3, attempts = 3 WHERE kind = 'webhook'"
    touched = await world.hub.store.database.write(lambda conn: conn.exec_driver_sql(died).rowcount)
    assert touched == 1
    await flow(world)
    (done,) = await log(world)
    assert (done["state"], done["error"], len(receiver.got)) == ("done", "", 1)


async def test_deliveries_are_sent_again_on_demand(open_office: World, receiver: Receiver) -> None:
    world = open_office
    began = world.clock.now().isoformat()
    made = await subscribe(world, receiver.url, "contact.created")
    receiver.answers = [410, 410]
    for name in ("Анна", "Борис", "Вера"):
        await world.contact(name=name)
        await flow(world)
    assert [each["state"] for each in await log(world)] == ["done", "failed", "failed"]
    failed = (await log(world, state="failed"))[0]
    again = await world.post(f"/webhook-deliveries/{failed['id']}/replay")
    assert (again["state"], again["attempts"]) == ("waiting", 0)
    await world.post(f"/webhook-deliveries/{failed['id']}/replay", status=409)
    await flow(world)
    assert receiver.got[-1][0]["X-Hub-Delivery"] == failed["delivery"]
    body = {"since": began, "until": (world.clock.now() + timedelta(seconds=1)).isoformat()}
    assert await world.post("/webhook-deliveries/replay", body) == {"count": 1, "next": None}
    await flow(world)
    assert {each["state"] for each in await log(world)} == {"done"}
    assert await world.post("/webhook-deliveries/replay", {**body, "state": "done"}) == {"count": 3, "next": None}
    await flow(world)
    assert len(receiver.got) == 8
    await world.post("/webhook-deliveries/replay", {**body, "state": "waiting"}, status=422)
    await world.ask("DELETE", f"/webhooks/{made['id']}", status=204)
    await world.post(f"/webhook-deliveries/{failed['id']}/replay", status=409)
    await world.post("/webhook-deliveries/1/replay", status=404)


async def test_who_is_dead_for_long_is_told_and_holds_up_nobody(open_office: World, receiver: Receiver) -> None:
    world = open_office
    dead = await subscribe(world, "http://127.0.0.1:9/", "contact.created", name="dead")
    await subscribe(world, receiver.url, "contact.created", name="alive")
    for number in range(20):
        await world.contact(name=f"Клиент {number}")
    await flow(world)
    assert len(receiver.got) == 20
    await world.hub.subscribers.turn()
    assert (await world.get("/alarms"))["items"] == []
    for _ in range(5):
        await flow(world, pass_s=900)
    await world.hub.subscribers.turn()
    (alarm,) = (await world.get("/alarms"))["items"]
    assert (alarm["kind"], alarm["subject"]) == ("webhook", "dead")
    assert "20" in alarm["detail"]
    await world.patch(f"/webhooks/{dead['id']}", {"url": receiver.url})
    await flow(world, pass_s=3600)  # one goes out to see whether somebody answers
    await flow(world, pass_s=3600)
    await world.hub.subscribers.turn()
    assert (await world.get("/alarms"))["items"] == []
    assert len(receiver.got) == 40


async def test_webhooks_of_the_settings_stand_beside(migrated_url: str, tmp_path: Path, receiver: Receiver) -> None:
    own = WebhookSettings(f"{receiver.url}?token=hidden", Secret("settings-secret"), ("contact.*",))
    async with office(migrated_url, tmp_path, webhooks=(own,)) as world:
        shown = await world.get("/webhooks")
        assert shown["configured"] == [{"address": receiver.url, "events": ["contact.*"]}]
        assert "hidden" not in json.dumps(shown)
        await world.contact(name="Анна")
        await flow(world)
        assert receiver.events == ["contact.created"]
        (delivery,) = await log(world, subscription=receiver.url)
        assert (delivery["state"], delivery["name"]) == ("done", receiver.url)
        assert "hidden" not in json.dumps(delivery)
