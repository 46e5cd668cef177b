"""Calling a client by a press, and clients whom a robot rings back, over the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from crm_core.messages import CallChanged, InboundEvent, Sender
from crm_core.model.call import CallSnapshot, CallState, Direction
from crm_core.model.identity import parse_identity
from crm_core.ports import ChannelContext
from crm_core.services.calls import dials
from hub.app import create_app
from hub.bootstrap import build
from hub.http.keys import EventLimits
from hub.settings import Settings
from hub.settings.model import RobotSettings
from tests.fakes.clock import START, DrivenClock
from tests.integration.http.world import ENGLISH, LINE, PBX, SHOP, PlayedChannel, World, hire, settings_for
from tests.patience import PATIENCE_S

CLIENT = "+79161234567"
OTHER = "+79161234568"
NIGHT = START + timedelta(hours=12)  # midnight in Moscow


def with_trunk(settings: Settings) -> Settings:
    """The office can dial clients, and robots ring whoever orders it."""
    (pbx,) = settings.pbx
    return replace(settings, pbx=(replace(pbx, trunk="PJSIP/{number}@trunk"),), robot=RobotSettings(on_order=True))


@asynccontextmanager
async def served(settings: Settings, folder: Path) -> AsyncIterator[World]:
    """A hub with these settings behind its HTTP port."""
    clock, shop = DrivenClock(), PlayedChannel(SHOP)

    def connect(_settings: Settings, _context: ChannelContext) -> list[PlayedChannel]:
        return [shop]

    hub = build(settings, clock=clock, connectors={"played": connect})
    await hub.start()
    _, position = await hub.store.run_at(hire)
    assert await hub.live.reached(position, PATIENCE_S)
    limits = EventLimits(heartbeat_s=0.05, patience_s=0.2, most_readers=2)
    async with TestClient(TestServer(create_app(hub, events=limits)), headers=ENGLISH) as client:
        yield World(hub, clock, client, shop, folder, limits)
    await hub.stop()


@pytest.fixture
async def world(migrated_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with served(with_trunk(settings_for(migrated_url, tmp_path)), tmp_path) as made:
        yield made


def missed(linkedid: str, number: str) -> InboundEvent:
    """A call nobody took."""
    end = START + timedelta(seconds=20)
    call = CallSnapshot(linkedid, Direction.IN, number, LINE, CallState.MISSED, START, finished_at=end)
    sender = Sender((parse_identity(f"tel:{number}"),))
    return InboundEvent(PBX, linkedid, number, end, sender, CallChanged(call), b"{}")


def key(value: str) -> dict[str, str]:
    return {"Idempotency-Key": value}


# ---------------------------------------------------------------- POST /calls


async def test_every_way_of_naming_the_client(world: World) -> None:
    await world.take(missed("c1", CLIENT))
    contact = (await world.get(f"/contacts?identity=tel:{CLIENT}"))["items"][0]["id"]
    lead = (await world.get("/leads"))["items"][0]["id"]
    case = (await world.get("/cases"))["items"][0]["id"]
    await world.post("/pipelines", {"name": "Продажи", "stages": [{"name": "Новая"}]}, status=201, login="root")
    deal = (await world.post("/deals", {"contact_id": contact, "title": "Сделка", "pipeline": "Продажи"}, status=201))[
        "id"
    ]
    ways: list[dict[str, Any]] = [
        {"contact_id": contact},
        {"number": "8 (916) 123-45-67"},
        {"contact_id": contact, "number": CLIENT},
        {"lead_id": lead},
        {"case_id": case, "number": "89161234567"},
        {"deal_id": deal},
    ]
    for body in ways:
        placed = await world.post("/calls", body, status=202)
        assert (placed["contact_id"], placed["number"], placed["line"]) == (contact, CLIENT, LINE), body
        assert (placed["user"], placed["state"], placed["purpose"]) == ("ivan", "queued", "click")
        assert placed["outcome"] is placed["call_id"] is placed["sent_at"] is None
        again = await world.post("/calls", body, status=409)
        assert again["type"] == "urn:hub:problem:conflict"
        await world.hub.store.run(partial(dials.refused, dial_id=placed["id"], detail="no"))
    found = await world.get("/dials")
    assert len(found["items"]) == len(ways)
    assert {each["outcome"] for each in found["items"]} == {"failed"}


async def test_by_a_card_that_is_not_seen_nobody_is_called(world: World) -> None:
    """Nor is told that it is there; whoever sees it calls its client, and is told where it has none."""
    await world.take(missed("c1", CLIENT))
    contact = (await world.get(f"/contacts?identity=tel:{CLIENT}"))["items"][0]["id"]
    pipeline = {"name": "Продажи", "stages": [{"name": "Новая"}], "reach": {"manager": "own"}}
    await world.post("/pipelines", pipeline, status=201, login="root")
    theirs = {"title": "Сделка", "pipeline": "Продажи", "manager": "petr"}
    card = (await world.post("/deals", {**theirs, "contact_id": contact}, status=201, login="root"))["id"]
    without = (await world.post("/deals", theirs, status=201, login="root"))["id"]
    for deal in (card, without, 999_999_999):
        told = await world.post("/calls", {"deal_id": deal}, status=404)
        assert told["detail"] == f"there is no deal {deal}"
    assert await world.count("dial") == 0
    told = await world.post("/calls", {"deal_id": without, "user": "ivan"}, status=404, login="root")
    assert told["detail"] == f"deal {without} belongs to no client"
    placed = await world.post("/calls", {"deal_id": card, "user": "ivan"}, status=202, login="root")
    assert placed["contact_id"] == contact


async def test_a_stranger_becomes_a_client(world: World) -> None:
    placed = await world.post("/calls", {"number": "8 916 123 45 67"}, status=202)
    contact = await world.get(f"/contacts/{placed['contact_id']}")
    assert contact["identities"] == [f"tel:{CLIENT}"]
    assert await world.count("lead") == 0


async def test_one_press_is_one_call_however_often_it_arrives(world: World) -> None:
    body = {"number": CLIENT}
    answers = await asyncio.gather(
        *(world.call("POST", "/calls", body, headers=key("press")) for _ in range(4)),
    )
    late = await world.call("POST", "/calls", body, headers=key("press"))
    assert {each.status for each in (*answers, late)} == {202}
    assert len({await each.read() for each in (*answers, late)}) == 1
    assert await world.count("dial") == 1
    other = await world.call("POST", "/calls", body, headers=key("another"))
    assert other.status == 409
    assert await world.count("dial") == 1


async def test_at_night_a_call_is_confirmed(world: World) -> None:
    world.clock.set(NIGHT)
    problem = await world.post("/calls", {"number": CLIENT}, status=409)
    assert problem["type"] == "urn:hub:problem:needs-confirmation"
    assert "00:00" in problem["detail"]
    assert "confirm" in problem["detail"]
    assert await world.count("contact") == 0
    await world.post("/calls", {"number": CLIENT, "confirm": True}, status=202)


async def test_telephones_of_others_need_a_right(world: World) -> None:
    problem = await world.post("/calls", {"number": CLIENT, "user": "petr"}, status=403)
    assert problem["type"] == "urn:hub:problem:forbidden"
    placed = await world.post("/calls", {"number": CLIENT, "user": "petr"}, status=202, login="olga")
    assert (placed["user"], placed["purpose"]) == ("petr", "click")
    await world.post("/calls", {"number": OTHER, "user": "ivan"}, status=202)  # oneself, by name


BAD: tuple[tuple[Any, int, str], ...] = (
    ({}, 422, "name the client"),
    ({"number": ""}, 422, "name the client"),
    ({"number": "garbage"}, 422, "not a valid telephone number"),
    ({"number": "101"}, 422, "not a valid telephone number"),
    ({"number": "+7916\r\nAction: Originate"}, 422, ""),
    ({"number": "9" * 5000}, 422, ""),
    ({"number": 79161234567}, 422, ""),
    ({"contact_id": 1, "lead_id": 2}, 422, "name one client"),
    ({"contact_id": 10**15}, 404, "no contact"),
    ({"contact_id": -1}, 422, ""),
    ({"contact_id": "<script>"}, 422, ""),
    ({"lead_id": 10**15}, 404, "no lead"),
    ({"case_id": 10**15}, 404, ""),
    ({"deal_id": 10**15}, 404, "no deal"),
    ({"number": CLIENT, "user": "nobody"}, 422, "no active user"),
    ({"number": CLIENT, "user": "olga"}, 422, "no extension"),
    ({"number": CLIENT, "line": "+74950000000"}, 422, "not among the configured lines"),
    ({"number": CLIENT, "whatever": 1}, 422, ""),
)


async def test_bad_input_is_said_and_nothing_is_written(world: World) -> None:
    for body, status, words in BAD:
        problem = await world.post("/calls", body, status=status, login="root")
        assert words in problem["detail"], (body, problem)
    assert await world.count("dial") == await world.count("contact") == 0
    mine = (await world.contact(name="Без телефона"))["id"]
    problem = await world.post("/calls", {"contact_id": mine}, status=422)
    assert "has no telephone" in problem["detail"]
    problem = await world.post("/calls", {"contact_id": mine, "number": CLIENT}, status=422)
    assert "none of this client's numbers" in problem["detail"]
    assert await world.count("dial") == 0


async def test_without_a_trunk_nobody_can_be_called(migrated_url: str, tmp_path: Path) -> None:
    async with served(settings_for(migrated_url, tmp_path), tmp_path) as world:
        problem = await world.post("/calls", {"number": CLIENT}, status=422)
        assert "trunk" in problem["detail"]
        problem = await world.post("/callbacks", {"number": CLIENT}, status=409)
        assert "on_order" in problem["detail"]
        assert await world.count("contact") == 0


# ---------------------------------------------------------------- GET /dials


async def test_placed_calls_are_listed_the_newest_first(world: World) -> None:
    first = await world.post("/calls", {"number": CLIENT}, status=202)
    world.clock.advance(1)
    other = await world.post("/calls", {"number": OTHER}, status=202, login="petr")
    page = await world.get("/dials?limit=1")
    assert [each["id"] for each in page["items"]] == [other["id"]]
    page = await world.get(f"/dials?limit=1&after={page['next']}")
    assert ([each["id"] for each in page["items"]], page["next"]) == ([first["id"]], None)
    for query in (f"contact_id={first['contact_id']}", "user=ivan", "user=ivan&state=queued"):
        assert [each["id"] for each in (await world.get(f"/dials?{query}"))["items"]] == [first["id"]]
    assert (await world.get("/dials?state=ended"))["items"] == []
    assert await world.get(f"/dials/{first['id']}") == first
    await world.get("/dials/999999999", status=404)
    await world.get("/dials?state=nonsense", status=422)


# ---------------------------------------------------------------- callbacks


async def test_a_callback_is_ordered_found_and_cancelled(world: World) -> None:
    at = (START + timedelta(hours=3)).isoformat()
    ordered = await world.post("/callbacks", {"number": "8 916 123 45 67", "at": at, "manager": "petr"}, status=202)
    assert (ordered["number"], ordered["reason"], ordered["state"]) == (CLIENT, "ordered", "waiting")
    assert (ordered["manager"], ordered["author"], ordered["attempts"]) == ("petr", "ivan", 0)
    assert ordered["due_at"] == "2026-03-02T12:00:00Z"
    assert await world.get(f"/callbacks/{ordered['id']}") == ordered
    for query in ("", "state=waiting", "manager=petr", f"contact_id={ordered['contact_id']}"):
        assert (await world.get(f"/callbacks?{query}"))["items"] == [ordered]
    assert (await world.get("/callbacks?state=reached"))["items"] == []
    now = await world.post("/callbacks", {"contact_id": ordered["contact_id"]}, status=202)
    assert (now["id"], now["due_at"]) == (ordered["id"], "2026-03-02T09:00:00Z")
    cancelled = await world.post(f"/callbacks/{ordered['id']}/cancel", {"reason": "передумали"})
    assert (cancelled["state"], cancelled["detail"]) == ("cancelled", "передумали")
    await world.post(f"/callbacks/{ordered['id']}/cancel", {"reason": "again"}, status=409)
    timeline = await world.get(f"/contacts/{ordered['contact_id']}/timeline")
    assert any("передумали" in entry["text"] for entry in timeline["items"])


async def test_an_order_is_placed_once_by_its_key(world: World) -> None:
    for _ in range(2):
        await world.post("/callbacks", {"number": CLIENT}, status=202, headers=key("order"))
    assert await world.count("callback") == 1


async def test_callbacks_that_make_no_sense(world: World) -> None:
    far = (START + timedelta(days=91)).isoformat()
    for body, status, words in (
        ({}, 422, "name the client"),
        ({"number": "x"}, 422, "not a valid telephone number"),
        ({"contact_id": 10**15}, 404, "no contact"),
        ({"number": CLIENT, "manager": "nobody"}, 422, "no active user"),
        ({"number": CLIENT, "at": far}, 422, "90 days"),
        ({"number": CLIENT, "at": "2026-03-02T12:00:00"}, 422, ""),
        ({"number": CLIENT, "at": "tomorrow"}, 422, ""),
    ):
        problem = await world.post("/callbacks", body, status=status)
        assert words in problem["detail"], (body, problem)
    await world.post("/callbacks/999999999/cancel", {"reason": "x"}, status=404)
    assert await world.count("callback") == await world.count("contact") == 0
    ordered = await world.post("/callbacks", {"number": CLIENT}, status=202)
    await world.post(f"/callbacks/{ordered['id']}/cancel", {"reason": " "}, status=422)
    await world.post(f"/callbacks/{ordered['id']}/cancel", {}, status=422)
