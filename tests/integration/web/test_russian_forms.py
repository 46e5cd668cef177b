"""How Russian pages write what is counted, when it was and what it costs: the forms of nouns, days and moments, sums,
shares and sizes, as they are drawn."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial

import pytest

from crm_core.model.user import Role
from crm_core.services.acts.deals import DealChange, create
from crm_core.services.desk import Desk
from crm_core.services.tasking.tasks import NewTask, make
from tests.integration.storage.world import at, missed
from tests.integration.web.conftest import Workspace
from tests.integration.web.test_office import sent

NBSP = "\u00a0"


def text_of(page: str) -> str:
    """What is read of a page, its spaces as they are."""
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", "", page))


async def test_nouns_take_the_form_of_their_number(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    there = 0
    for count, noun in ((1, "клиент"), (2, "клиента"), (5, "клиентов"), (11, "клиентов"), (21, "клиент")):
        for each in range(there, count):
            await workspace.write("Добрый день", client=1001 + each, number=str(each))
        there = count
        page = text_of(await sent(boss, "/office/segments/new", given={"name": "Все", "of": "contact"}, act="who"))
        assert re.search(rf"\b{count} {noun}\b", page), page
    # The wall: how often somebody called in vain.
    for number, words in ((2, "2 раза"), (5, "5 раз")):
        caller = f"+7916000000{number}"
        for each in range(number):
            await workspace.hub.intake.receive(missed(f"{number}-{each}", caller, workspace.clock.now()))
        assert words in text_of(await boss.get("/wall"))


@pytest.mark.parametrize(
    ("earlier", "shown"),
    [
        (timedelta(minutes=5), "11:55"),
        (timedelta(days=4), "26.02 12:00"),
        (timedelta(days=100), "22.11.2025 12:00"),
    ],
)
async def test_moments_are_as_exact_as_they_are_near(workspace: Workspace, earlier: timedelta, shown: str) -> None:
    browser = await workspace.visitor("boss", Role.HEAD)
    now = workspace.clock.now()
    workspace.clock.set(now - earlier)
    contact = await workspace.write("Добрый день")
    workspace.clock.set(now)
    page = await browser.get(f"/contacts/{contact}")
    full = (now - earlier + timedelta(hours=3)).strftime("%d.%m.%Y %H:%M:%S")
    assert f'title="{full}">{shown}</time>' in page
    assert f"<dd>{(now - earlier).strftime('%d.%m.%Y')}</dd>" in page, "since when they are a client"


async def test_sums_have_groups_commas_and_signs(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    for title, amount, currency in (("Дробная", 123450, "RUB"), ("Целая", 1250000000, "RUB"), ("Малая", 5, "USD")):
        change = DealChange(title=title, manager="boss", amount=amount, currency=currency)
        await workspace.hub.store.run(partial(_create, change))
    page = text_of(await boss.get("/deals/list"))
    for words in (f"1{NBSP}234,50{NBSP}₽", f"12{NBSP}500{NBSP}000{NBSP}₽", f"0,05{NBSP}$"):
        assert words in page, page


async def test_waits_and_deadlines_are_said_in_words(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.write("Когда замер?")
    workspace.clock.advance(2 * 3600 + 5 * 60 + 59)
    assert "ждёт 2 ч 5 мин" in text_of(await boss.get("/wall"))
    new = NewTask("Перезвонить", assignee="boss", due_at=workspace.clock.now() + timedelta(days=1))
    await workspace.hub.store.run(lambda desk: make(desk, new))
    assert "03.03" in text_of(await boss.get("/tasks"))


async def test_shares_have_a_comma(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    for number in range(3):
        await workspace.hub.intake.receive(missed(f"c-{number}", f"+7916000000{number}", at(0)))
    address = "/reports/never_returned?from=2026-03-01&to=2026-03-03&by=manager"
    assert "100,0 %" in text_of(await boss.get(address))
    await boss.send("/me/tastes", page="/me", language="en", theme="auto")
    assert "100.0 %" in text_of(await boss.get(address))


def _create(change: DealChange, desk: Desk) -> None:
    create(desk, "boss", change, None, None)
