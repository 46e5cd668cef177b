"""The daily control list: its views and their lines, whose they are, what is done from them, taken away."""

from __future__ import annotations

from functools import partial

import pytest

from crm_core.model.user import Role
from crm_core.services.acts.deals import DealChange, create
from crm_core.services.cards.leads import reject
from crm_core.services.tasking.tasks import NewTask, close, make
from crm_core.storage.queries.workspace.control.views import ControlView
from crm_core.storage.queries.workspace.control.words import VIEWS
from crm_core.storage.users import UserChange, update_user
from hub.web.control.layout import GROUPS
from tests.integration.storage.world import at, missed
from tests.integration.web.conftest import Workspace

ANNA = "+79161234567"
EVIL = "<script>alert(1)</script>"


async def rejected(workspace: Workspace, by: str, name: str = "Анна") -> int:
    """A lead that somebody rejected."""
    await workspace.write("Сколько стоит?", name=name)
    found = await workspace.scalar("SELECT id FROM lead")
    assert isinstance(found, int)
    await workspace.hub.store.run(lambda desk: reject(desk, found, by, "спам"))
    return found


async def a_deal(workspace: Workspace, title: str, manager: str, amount: int = 0) -> int:
    """An open deal."""
    given = DealChange(title=title, manager=manager, amount=amount)
    placed = await workspace.hub.store.run(lambda desk: create(desk, manager, given, None, None))
    return placed.deal.id


def test_every_view_stands_in_one_group() -> None:
    shown = [view for _title, views in GROUPS for view in views]
    assert sorted(shown) == sorted(ControlView)


async def test_the_views_are_counted_and_open(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.hub.intake.receive(missed("c-1", ANNA, at(0)))
    page = await boss.get("/control")
    tile = page.split('href="/control/missed-calls"')[1].split("</a>")[0]
    assert "<b>1</b>" in tile
    assert "Пропущенные звонки" in tile
    assert "<html" not in await boss.get("/control?part=tiles")
    for view in ControlView:
        assert VIEWS[view].title.ru in await boss.get(f"/control/{view.value}")
        assert "<html" not in await boss.get(f"/control/{view.value}?part=lines")
    await boss.get("/control/no-such", status=404)
    await boss.get("/control/missed-calls?after=nonsense", status=400)


async def test_a_rejection_is_confirmed(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    lead = await rejected(workspace, "boss", EVIL)
    page = await boss.get("/control/rejections")
    assert EVIL not in page
    assert "спам" in page
    await boss.send(f"/control/leads/{lead}/confirm", page="/control/rejections", back="/control/rejections")
    assert "Отказ проверен" in await boss.get("/control/rejections")
    assert f"/control/leads/{lead}/confirm" not in await boss.get("/control/rejections")
    assert await workspace.scalar("SELECT status FROM lead") == "rejected"
    assert await workspace.scalar(f"SELECT state FROM task WHERE lead_id = {lead}") == "done"


async def test_a_wrong_rejection_goes_back_to_work_and_what_was_to_be_checked_is_done(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    lead = await rejected(workspace, "boss")
    new = NewTask("Проверить отказ", assignee="boss", lead_id=lead)
    await workspace.hub.store.run(lambda desk: make(desk, new))
    await boss.send(f"/control/leads/{lead}/restore", page="/control/rejections", back="/control/rejections")
    assert await workspace.scalar("SELECT status FROM lead") == "new"
    assert await workspace.scalar("SELECT closed_at FROM lead") is None
    assert await workspace.scalar("SELECT state FROM task") == "done"
    assert await workspace.scalar("SELECT count(*) FROM task") == 1
    await boss.send(f"/control/leads/{lead}/restore", page="/control/rejections", back="/control/rejections")
    assert "Лид не отклонён" in await boss.get("/control/rejections")


async def test_nobody_checks_their_own_rejections(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    lead = await rejected(workspace, "ivan")
    assert f"/control/leads/{lead}/confirm" not in await ivan.get("/control/rejections")
    done = await ivan.send(f"/control/leads/{lead}/confirm", page="/control/rejections")
    assert done.status == 403
    assert await workspace.scalar("SELECT count(*) FROM task") == 0


async def test_only_one_person_or_group_is_shown(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    for login, group in (("ivan", "окна"), ("olga", "балконы")):
        await workspace.hire(login, Role.MANAGER)
        change = UserChange(group=group)
        await workspace.hub.store.run(partial(update_user, login=login, change=change))
    await a_deal(workspace, "Окна Ивана", "ivan")
    await a_deal(workspace, "Балкон Ольги", "olga")
    assert "Балкон Ольги" in await boss.get("/control/deals-without-tasks")
    for choice in ("person=ivan", "group=окна"):
        page = await boss.get(f"/control/deals-without-tasks?{choice}")
        assert "Окна Ивана" in page
        assert "Балкон Ольги" not in page
        assert "<b>1</b>" in (await boss.get(f"/control?{choice}")).split("/control/deals-without-tasks")[1]


async def test_somebody_sees_their_own_alone(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.hire("olga", Role.MANAGER)
    await a_deal(workspace, "Окна Ивана", "ivan")
    await a_deal(workspace, "Балкон Ольги", "olga")
    page = await ivan.get("/control/deals-without-tasks?person=olga")
    assert "Окна Ивана" in page
    assert "Балкон Ольги" not in page


async def test_a_deal_and_a_task_go_to_somebody_else(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.hire("ivan", Role.MANAGER)
    deal = await a_deal(workspace, "Окна", "boss")
    task = (await workspace.hub.store.run(lambda desk: make(desk, NewTask("Позвонить", assignee="boss")))).id
    page = "/control/deals-without-tasks"
    await boss.send(f"/control/deals/{deal}/give", page=page, to="ivan", back=page)
    assert await workspace.scalar("SELECT manager FROM deal") == "ivan"
    page = "/control/tasks-without-deadline"
    await boss.send(f"/control/tasks/{task}/give", page=page, to="ivan", due="2026-03-05T12:00", back=page)
    assert await workspace.scalar("SELECT assignee FROM task") == "ivan"
    assert await workspace.scalar("SELECT due_at FROM task") is not None
    assert "Позвонить" not in await boss.get(page)


async def test_pages_go_on_behind_a_cursor(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    for number in range(52):
        await a_deal(workspace, f"Сделка {number:02}", "boss")
    first = await boss.get("/control/deals-without-tasks")
    assert "Сделка 51" in first
    assert "Сделка 01" not in first
    behind = first.split('<p class="on"><a class="button plain" href="')[1].split('"')[0].replace("&amp;", "&")
    second = await boss.get(behind)
    assert "Сделка 01" in second
    assert "Сделка 51" not in second


async def test_a_view_is_taken_away_harmless_and_noted(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await a_deal(workspace, "=cmd|' /C calc'!A0", "boss", 60_000_000)
    response = await boss.client.get("/control/large-deals/export")
    text = (await response.read()).decode("utf-8-sig")
    assert response.headers["Content-Disposition"] == 'attachment; filename="control-large-deals.csv"'
    heading, line = text.splitlines()
    assert heading.startswith("Сделка;Клиент;Телефон;")
    assert line.startswith("'=cmd|")
    assert "600000.00;RUB" in line
    assert await workspace.scalar("SELECT login FROM access_log WHERE what = 'export.control.large-deals'") == "boss"
    for view in ControlView:
        assert (await boss.client.get(f"/control/{view.value}/export")).status == 200


@pytest.mark.parametrize(("role", "page", "export"), [(Role.MARKETER, 403, 403), (Role.MANAGER, 200, 403)])
async def test_who_comes_in(workspace: Workspace, role: Role, page: int, export: int) -> None:
    somebody = await workspace.visitor("somebody", role)
    await somebody.get("/control", status=page)
    await somebody.get("/control/large-deals", status=page)
    await somebody.get("/control/large-deals/export", status=export)


async def test_leading_indicators_stand_by_day_and_person(workspace: Workspace) -> None:
    boss = await workspace.visitor("boss", Role.HEAD)
    await workspace.hire("ivan", Role.MANAGER, name=f"Иван {EVIL}")
    task = (await workspace.hub.store.run(lambda desk: make(desk, NewTask("Замер", assignee="ivan", author="ivan")))).id
    await workspace.hub.store.run(lambda desk: close(desk, task, "ivan", "140×120"))
    page = await boss.get("/control/leading")
    assert "Опережающие показатели" in page
    assert EVIL not in page
    assert "Встреч и замеров: 1" in page, "of all of the day"
    assert 'href="/control?person=ivan"' in page
    assert "/deals/board/None" not in page
    assert "/control/leading" in await boss.get("/control")
