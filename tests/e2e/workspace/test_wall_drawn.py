"""The wall as it is drawn: every number of it beside what is known to have happened, and a countdown that runs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, expect

from crm_core.model.user import Role
from hub.demo.peers.bot_api.server import BotApiServer
from hub.demo.peers.process import free_port
from hub.demo.peers.scripted_pbx import ScriptedPbx
from tests.e2e.hub_process import HubProcess, staffed
from tests.e2e.workspace.office import Workspace, at_work, person, until

pytestmark = pytest.mark.timeout(600)

_TOKEN = "1001:wall-bot"
_CONFIG = """
time_zone = "{zone}"
[[telegram]]
name = "shop"
token = "{token}"
api_base = "{base}"
[[web]]
name = "site"
key = "site-key"
[[pbx]]
name = "office"
ami = "ami://hub:s3cret@127.0.0.1:{ami}"
agi = "127.0.0.1:{agi}"
[[cti]]
name = "other"
token = "cti-token"
[[ladder]]
on = "message.unanswered"
steps = [ {{ after = "0s", tell = ["manager"] }}, {{ after = "2h", tell = ["controller", "director"] }} ]
hours = "any"
[routing]
short_abandon = "0s"
"""
_LINE = "74951234567"


def _where_it_is_noon() -> str:
    """A time zone in which no midnight is near: what is today's stays so while the test runs."""
    east = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-east:+d}" if east else "Etc/UTC"


@pytest.fixture
async def office(tmp_path: Path, furnished_sqlite: str, chromium: Browser) -> AsyncIterator[Workspace]:
    """An office whose telephones stand at one telephone system, and whose clients call by another."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(BotApiServer())
        bot = server.bot(_TOKEN)
        token = await staffed(
            furnished_sqlite,
            person("root", "Главный Администратор", Role.ADMIN),
            person("head", "Елена Начальникова", Role.HEAD),
            person("ivan", "Иван Петров", Role.MANAGER, extension="PJSIP/101"),
            person("olga", "Ольга Сергеева", Role.MANAGER, extension="PJSIP/102"),
            person("petr", "Пётр Занятой", Role.MANAGER, extension="PJSIP/103"),
        )
        agi = free_port()
        pbx = ScriptedPbx("s3cret", ("127.0.0.1", agi))
        pbx.phones = dict.fromkeys(("101", "102", "103"))
        await pbx.start()
        stack.push_async_callback(pbx.stop)
        config = _CONFIG.format(zone=_where_it_is_noon(), token=_TOKEN, base=server.url, ami=pbx.port, agi=agi)
        hub = HubProcess(tmp_path, furnished_sqlite, config)
        yield await stack.enter_async_context(at_work(hub, chromium, token, bot))


async def rings(workspace: Workspace, call: str, client: str, event: str = "newCall", **more: str) -> None:
    """The telephone system tells of a call."""
    body = {"event": event, "from": client, "to": _LINE, "direction": "in", "callId": call, **more}
    async with workspace.api.post(f"{workspace.hub.url}/api/v1/cti/cti-token", json=body) as answer:
        assert answer.status == 200, await answer.text()


async def client(workspace: Workspace, name: str, identity: str, manager: str) -> int:
    """A client of somebody's."""
    body = {"name": name, "identities": [identity], "manager": manager}
    return int((await workspace.ask("POST", "/contacts", body))["id"])


def tile(wall: Any, words: str) -> Locator:
    """The number of a tile."""
    found: Locator = wall.locator("#wall-now .tile", has_text=words).locator("b")
    return found


async def test_every_number_of_the_wall_is_what_happened(office: Workspace) -> None:
    head = await office.enter("head")
    await head.goto(f"{office.hub.url}/wall")
    await head.evaluate("document.body.dataset.standsStill = 'yes'")
    for words in ("ждут ответа", "лидов не взято", "пропущено, не перезвонили", "звонков сейчас"):
        await expect(tile(head, words)).to_have_text("0")
    await expect(tile(head, "свободны")).to_have_text("3 / 3")
    await expect(tile(head, "первый ответ, медиана")).to_have_text("—")

    # Petr wants to be left in peace.
    await office.ask("PATCH", "/users/petr", {"do_not_disturb": True})
    await expect(tile(head, "свободны")).to_have_text("2 / 3")
    # Five deals: two of them stand longer than they may.
    stages = [{"name": "Новая"}, {"name": "Замер", "deadline": "1s"}, {"name": "Оплачена", "kind": "won"}]
    stages.append({"name": "Отказ", "kind": "lost"})
    await office.ask("POST", "/pipelines", {"name": "Окна", "stages": stages})
    for number in range(5):
        body = {"title": f"Сделка {number}", "pipeline": "Окна", "manager": "ivan"}
        deal = (await office.ask("POST", "/deals", body))["id"]
        if number >= 3:
            await office.ask("POST", f"/deals/{deal}/move", {"stage": "Замер"})
            await until(partial(_late, office, deal))
    # Vera called Ivan's telephone twice, in vain.
    await client(office, "Вера Пропущенная", "tel:+79160000003", "ivan")
    for each in ("v-1", "v-2"):
        await rings(office, each, "79160000003")
        await rings(office, each, "79160000003", "hangup", cause="noAnswer")
    # Galina talks with Olga.
    await client(office, "Галина Говорящая", "tel:+79160000004", "olga")
    await rings(office, "g-1", "79160000004")
    await rings(office, "g-1", "79160000004", "answer", answeringNumber="PJSIP/102")
    # Boris wrote, and Olga answered; Anna wrote to Ivan, and waits.
    boris, anna = office.client(5002, "Борис Отвеченный"), office.client(5001, "Анна Ждущая")
    await client(office, "Борис Отвеченный", "tg:5002", "olga")
    await client(office, "Анна Ждущая", "tg:5001", "ivan")
    await boris.say("Сколько стоит?")
    answered = await office.contact("tg:5002")
    await until(partial(_case_of, office, answered, "open"))
    await office.ask("POST", f"/contacts/{answered}/messages", {"channel": "telegram", "text": "18 500"})
    case = await until(partial(_case_of, office, answered, "closed"))
    took = int((_moment(case["closed_at"]) - _moment(case["opened_at"])).total_seconds())
    await anna.say("Кто-нибудь есть?")

    await expect(tile(head, "ждут ответа")).to_have_text("2")
    await expect(tile(head, "пропущено, не перезвонили")).to_have_text("1")
    await expect(tile(head, "звонков сейчас")).to_have_text("1")
    await expect(tile(head, "свободны")).to_have_text("1 / 3")
    await expect(tile(head, "первый ответ, медиана")).to_have_text(f"{took} с")
    await expect(tile(head, "первый ответ, 90 %")).to_have_text(f"{took} с")
    await expect(tile(head, "за 5 минут")).to_have_text("100 %")

    missed = head.locator("#wall-now section", has=head.get_by_role("heading", name="Пропущенные сегодня"))
    await expect(missed.locator("li")).to_have_count(1)
    await expect(missed.locator("li")).to_contain_text("Вера Пропущенная")
    await expect(missed.locator("li .many")).to_have_text("2 раза")
    call = head.locator("#wall-now .now-calls li")
    await expect(call).to_contain_text("Галина Говорящая")
    await expect(call).to_contain_text("говорит: Ольга Сергеева")
    doing = {"Ольга Сергеева": "busy", "Иван Петров": "free", "Пётр Занятой": "away", "Елена Начальникова": "away"}
    for name, state in doing.items():
        await expect(head.locator("#wall-now .people-now li", has_text=name)).to_have_class(state)
    await expect(head.locator(".people-now li", has_text="Иван Петров").locator(".load")).to_contain_text("2 ждут")

    # By person: Boris was answered, Anna and Vera wait.
    by_person = head.locator("#wall-now section", has_text="Первый ответ сегодня").locator("tbody tr")
    for name, cells in (("Ольга", ["1", "0", f"{took} с", f"{took} с"]), ("Иван", ["0", "2", "—", "—"])):
        await expect(by_person.filter(has_text=name).locator("td.number")).to_have_text(cells)

    # Those that stand too long first, of each stage how many.
    jams = head.locator("#wall-now section", has_text="Где копятся сделки").locator("tbody tr")
    await expect(jams.nth(0)).to_contain_text("Замер")
    await expect(jams.nth(0).locator("td.number").nth(0)).to_have_text("2")
    await expect(jams.nth(0).locator("td.number").nth(1)).to_have_text("2")
    await expect(jams.nth(0).locator("td.number").nth(3)).to_have_text("1 с")
    await expect(jams.nth(0)).to_have_class("jammed")
    await expect(jams.nth(1)).to_contain_text("Новая")
    await expect(jams.nth(1).locator("td.number").nth(0)).to_have_text("3")
    await expect(jams.nth(1).locator("td.number").nth(1)).to_have_text("0")
    await expect(jams.nth(1).locator("td.number").nth(3)).to_have_text("—")
    assert await head.evaluate("document.body.dataset.standsStill") == "yes"


async def test_the_time_to_the_next_rung_runs_down_by_itself(office: Workspace) -> None:
    await client(office, "Анна Ждущая", "tg:5001", "ivan")
    head = await office.enter("head")
    await head.clock.install(time=datetime.now(UTC))
    await head.goto(f"{office.hub.url}/wall")
    await head.evaluate("document.body.dataset.standsStill = 'yes'")
    await office.client(5001, "Анна").say("Кто-нибудь есть?")
    case = head.locator("article.climbing")
    await expect(case).to_contain_text("ступень 1 из 2")
    left, waited = case.locator(".climb-rung [data-until]"), case.locator(".climb-time [data-since]")
    await expect(left).to_have_text(re.compile(r"^1 ч 59 мин\.?$"))
    await expect(waited).not_to_contain_text("мин")
    await head.context.set_offline(True)  # nothing that is drawn anew helps the clock
    await head.clock.fast_forward("30:00")
    await expect(left).to_have_text(re.compile(r"^1 ч 29 мин\.?$"))
    await expect(waited).to_have_text(re.compile(r"^3[0-2] мин\.?( \d+ с\.?)?$"))
    await expect(left).not_to_have_class(re.compile("late"))
    await head.clock.fast_forward("01:32:00")
    await expect(left).to_have_text(re.compile(r"^−[1-3] мин\.?( \d+ с\.?)?$"))
    await expect(left).to_have_class("late")
    assert await head.evaluate("document.body.dataset.standsStill") == "yes"


async def _case_of(workspace: Workspace, contact: int, state: str) -> dict[str, Any] | None:
    found = (await workspace.ask("GET", f"/cases?state={state}"))["items"]
    return next((each for each in found if each["contact_id"] == contact), None)


async def _late(workspace: Workspace, deal: int) -> bool | None:
    due = (await workspace.ask("GET", f"/deals/{deal}"))["due_at"]
    return (due is not None and _moment(due) < datetime.now(UTC)) or None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
