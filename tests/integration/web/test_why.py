"""The page that says where a call would go, and why."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import time
from functools import partial
from zoneinfo import ZoneInfo

from crm_core.messages import DeviceState
from crm_core.model.calendar import DayHours, WorkingHours
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.line import Goal, Line, Menu, Target
from crm_core.model.policy import AccountPolicy
from crm_core.model.user import Role
from crm_core.services.clients import contacts
from crm_core.storage.users import NewUser, add_user
from tests.integration.web.conftest import Browser, Workspace
from tests.patience import PATIENCE_S

LINE = "+74951234567"
NUMBER = "+79161234567"
BY_DAY = WorkingHours("офис", ZoneInfo("Europe/Moscow"), {day: (DayHours(time(9), time(18)),) for day in range(5)})
MENU = Menu((("1", Target(Goal.USER, "petr")), ("2", Target(Goal.CALLBACK))), "custom/menu")


async def office(workspace: Workspace) -> Browser:
    """Two managers and a line with hours and a menu; it is noon of a Monday."""
    store = workspace.hub.store
    line = Line(LINE, "office", AccountPolicy(group="sales"), hours="офис", menu=MENU)
    store.office = replace(store.office, lines=(line,), calendars={"офис": BY_DAY})
    await workspace.hub.directory.reconfigured()
    for login, name, extension in (("ivan", "Иван Петров", "101"), ("petr", "Пётр Лукин", "102")):
        new = NewUser(login, name, Role.MANAGER, extension=f"PJSIP/{extension}", group="sales")
        _, position = await store.run_at(partial(add_user, new=new))
        assert await workspace.hub.live.reached(position, PATIENCE_S)
    return await workspace.visitor()


def said(page: str) -> str:
    """What stands in the answer, as text."""
    found = re.search(r'id="answer-title".*?</section>', page, re.DOTALL)
    assert found is not None, page
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[0])).split())


async def test_the_page_says_who_rings_in_which_order_and_who_not(workspace: Workspace) -> None:
    browser = await office(workspace)
    assert 'href="/calls/why"' in await browser.get("/calls")
    assert "answer-title" not in await browser.get("/calls/why"), "nothing is answered before it is asked"
    workspace.hub.presence.device("office", "PJSIP/101", DeviceState.BUSY)
    page = await browser.get(f"/calls/why?number={NUMBER[1:]}&line={LINE[1:]}&key=")
    text = said(page)
    assert "голосовое меню: меню" in text
    assert "клавиши 12" in text
    assert "сначала звучит custom/menu" in text
    assert "группа Иван Петров: занят" in text
    assert "PJSIP/102" in text
    assert "Такого номера ни у кого нет" in text
    chosen = said(await browser.get(f"/calls/why?line={LINE[1:]}&key=2"))
    assert "предложить перезвонить" in chosen
    night = said(await browser.get(f"/calls/why?line={LINE[1:]}&at=2026-03-02T23:00"))
    assert "линия закрыта" in night
    assert await workspace.scalar("SELECT count(*) FROM route_decision") == 0


async def test_a_client_goes_to_their_manager(workspace: Workspace) -> None:
    browser = await office(workspace)
    given = contacts.ContactChange(name="Анна", identities=(Identity(IdentityKind.TEL, NUMBER),), manager="petr")
    (made, _identities), position = await workspace.hub.store.run_at(lambda desk: contacts.create(desk, given))
    assert await workspace.hub.live.reached(position, PATIENCE_S)
    text = await browser.get(f"/calls/why?number={NUMBER[1:]}&line={LINE[1:]}")
    assert f'<a href="/contacts/{made.id}">Анна</a>' in text
    assert "личный менеджер Пётр Лукин: звонит" in said(text)
    await browser.send("/me/tastes", page="/me", language="en", theme="auto")
    assert "own manager Пётр Лукин: rings" in said(await browser.get(f"/calls/why?number={NUMBER[1:]}"))


async def test_a_number_without_a_line_and_a_moment_that_is_none(workspace: Workspace) -> None:
    browser = await office(workspace)
    assert "Линии с номером 84957654321 в hub.toml нет" in said(await browser.get("/calls/why?line=84957654321"))
    assert "в hub.toml нет" not in said(await browser.get("/calls/why?line=8(495)123-45-67"))
    page = await browser.get("/calls/why?at=вчера", status=422)
    assert "вчера" in page
    assert 'role="alert"' in page
