"""Presence, working hours and do-not-disturb over the API; routes explained in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestClient, TestServer

from crm_core.messages import DeviceState
from crm_core.model.calendar import DayHours, WorkingHours
from crm_core.model.line import Goal, Group, Line, Menu, RingStrategy, Target
from crm_core.model.policy import AccountPolicy
from hub.app import create_app
from hub.bootstrap import build
from hub.cli.running_hub import asked
from hub.http.keys import EventLimits
from hub.settings import Endpoint
from tests.fakes.clock import DrivenClock
from tests.integration.http.world import ENGLISH, LINE, SHOP, PlayedChannel, World, hire, settings_for
from tests.patience import PATIENCE_S

NUMBER = "+79161234567"
BY_DAY = WorkingHours("office", ZoneInfo("Europe/Moscow"), {day: (DayHours(time(9), time(18)),) for day in range(5)})
NIGHT = "2026-03-02T20:00:00+00:00"
MENU = Menu((("1", Target(Goal.USER, "petr")), ("2", Target(Goal.CALLBACK))), "custom/menu")


@pytest.fixture
async def world(migrated_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A hub whose line has hours, a menu and a group; its clock stands at noon of a Monday."""
    clock, shop = DrivenClock(), PlayedChannel(SHOP)
    settings = settings_for(migrated_url, tmp_path)
    line = Line(LINE, "office", AccountPolicy(group="sales"), hours="office", menu=MENU, record=False)
    settings = replace(
        settings,
        pbx=(replace(settings.pbx[0], wrap=timedelta(seconds=30)),),
        lines=(line,),
        groups=(Group("sales", RingStrategy.IN_TURN, 15, "office"),),
        hours=(BY_DAY,),
    )
    hub = build(settings, clock=clock, connectors={"played": lambda _settings, _context: [shop]})
    await hub.start()
    _, position = await hub.store.run_at(hire)
    assert await hub.live.reached(position, PATIENCE_S)
    limits = EventLimits(heartbeat_s=0.05, patience_s=0.2, most_readers=2)
    async with TestClient(TestServer(create_app(hub, events=limits)), headers=ENGLISH) as client:
        found = World(hub, clock, client, shop, tmp_path, limits, login="root")
        for login in ("ivan", "petr"):
            await found.patch(f"/users/{login}", {"group": "sales"})
        yield found
    await hub.stop()


async def now(world: World, login: str) -> dict[str, Any]:
    """What the API says of somebody at this moment."""
    page = await world.get("/presence")
    assert page["next"] is None
    found: dict[str, Any] = next(each for each in page["items"] if each["login"] == login)
    return found


async def test_presence_says_who_can_be_rung_and_why_the_others_can_not(world: World) -> None:
    assert [each["login"] for each in (await world.get("/presence"))["items"]] == ["ivan", "olga", "petr", "root"]
    ivan = await now(world, "ivan")
    assert (ivan["available"], ivan["state"], ivan["verdict"], ivan["words"]) == (True, "unknown", None, "неизвестно")
    assert (await now(world, "olga"))["verdict"] == "no_extension"
    presence = world.hub.presence
    presence.device("office", "PJSIP/101", DeviceState.BUSY)
    assert {key: (await now(world, "ivan"))[key] for key in ("available", "state", "verdict", "words")} == {
        "available": False,
        "state": "busy",
        "verdict": "busy",
        "words": "занят",
    }
    world.clock.advance(10)
    presence.device("office", "PJSIP/101", DeviceState.IDLE)
    ivan = await now(world, "ivan")
    assert (ivan["state"], ivan["verdict"], ivan["words"]) == ("idle", "wrap_up", "отдыхает после звонка")
    assert ivan["telephones"][0]["rests_until"] == "2026-03-02T09:00:40Z"
    world.clock.advance(30)
    presence.paused("office", "PJSIP/101", "desk", paused=True)
    ivan = await now(world, "ivan")
    assert (ivan["words"], ivan["telephones"][0]["paused_in"]) == ("пауза в очереди", ["desk"])
    presence.paused("office", "PJSIP/101", "desk", paused=False)
    assert (await now(world, "ivan"))["words"] == "свободен"
    world.clock.advance(timedelta(hours=10))
    ivan = await now(world, "ivan")
    assert (ivan["words"], ivan["working"]) == ("не в рабочее время", False)


async def test_hours_absence_and_peace_by_the_api(world: World) -> None:
    ivan = await world.patch("/users/ivan", {"hours": "office"})
    assert (ivan["hours"], ivan["working"]) == ("office", True)
    await world.ask("PATCH", "/users/ivan", {"hours": "ofice"}, status=422)
    await world.patch("/users/ivan", {"hours": None})
    await world.ask("PATCH", "/users/ivan", {"hours": "any"}, login="ivan", status=403)
    calm = await world.patch("/users/ivan", {"do_not_disturb": True}, login="ivan")
    assert calm["do_not_disturb"] is True
    assert (await now(world, "ivan"))["words"] == "не беспокоить"
    away = {"absence": {"from": "2026-03-01T00:00:00Z", "until": "2026-03-05T00:00:00Z"}, "deputy": "petr"}
    await world.patch("/users/ivan", {**away, "do_not_disturb": False}, login="ivan")
    assert (await now(world, "ivan"))["verdict"] == "absent"
    world.clock.advance(timedelta(days=3))
    assert (await now(world, "ivan"))["available"] is True


async def test_a_route_is_explained_in_words(world: World) -> None:
    world.hub.presence.device("office", "PJSIP/101", DeviceState.BUSY)
    asked = {"number": NUMBER, "line": LINE}
    found = await world.get("/explain/route", params=asked)
    assert (found["action"], found["keys"], found["sound"]) == ("menu", "12", "custom/menu")
    assert found["words"] == "голосовое меню 12: меню"
    assert [each["attempt"] for each in found["attempts"]] == [0, 0, 1]
    second = found["attempts"][1]
    assert (second["endpoints"], second["ring_s"], second["record"]) == (["PJSIP/102"], 15, False)
    assert "группа ivan: занят" in second["reasons"]
    assert "группа petr: звонит" in second["reasons"]
    assert "меню: ничего не нажато" in second["reasons"]
    chosen = await world.get("/explain/route", params={**asked, "key": "1"})
    assert chosen["attempts"][1]["words"] == "звонить PJSIP/102, 20 с: меню"
    closed = await world.get("/explain/route", params={**asked, "at": NIGHT})
    assert (closed["action"], closed["reason"]) == ("callback", "night")
    assert closed["reasons"][0] == "линия: закрыта, дальше callback"
    english = await world.get("/explain/route", params={**asked, "at": NIGHT, "language": "en"})
    assert english["words"] == "offer to call back: the line is closed"
    await world.ask("GET", "/explain/route", params={**asked, "key": "x"}, status=422)


async def test_lists_and_working_hours_in_words(world: World) -> None:
    await world.contact(name="Анна", identities=[f"tel:{NUMBER}"], manager="ivan")
    found = await world.get("/explain/route", params={"number": NUMBER, "line": LINE})
    assert (found["action"], found["endpoints"]) == ("dial", ["PJSIP/101"])
    await world.patch("/users/ivan", {"hours": "office"})
    late = await world.get("/explain/route", params={"number": NUMBER, "line": "", "at": NIGHT})
    assert "личный менеджер ivan: не в рабочее время" in late["reasons"]
    await world.post("/lists/чёрный список/numbers", {"number": "+79990000001", "reason": "спам"}, status=201)
    listed = await world.get("/explain/route", params={"number": "+79990000001", "line": LINE})
    assert (listed["action"], listed["reasons"]) == ("reject", ["особый список: в чёрном списке"])


async def test_explaining_changes_nobodys_turn(world: World) -> None:
    asked = {"number": NUMBER, "line": LINE, "key": "-"}
    first = await world.get("/explain/route", params=asked)
    assert first == await world.get("/explain/route", params=asked)
    assert await world.count("route_decision") == 0


async def test_the_command_line_asks_the_running_hub(world: World) -> None:
    settings = replace(world.hub.settings, http=Endpoint("127.0.0.1", world.client.port or 0))
    world.hub.presence.device("office", "PJSIP/101", DeviceState.BUSY)
    tokens = await world.count("api_token")
    query = {"number": NUMBER, "line": LINE, "key": ""}
    found = await asked(settings, world.hub.store, "/explain/route", query)
    assert found is not None
    assert "группа ivan: занят" in found["attempts"][1]["reasons"]
    assert await world.count("api_token") == tokens, "the token of the question is gone"
    nobody = replace(settings, http=Endpoint("127.0.0.1", 9))
    assert await asked(nobody, world.hub.store, "/explain/route", query) is None
