"""The daily control list: what stands on each view, how many lines, what it costs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from crm_core.errors import InvalidInput
from crm_core.model.call import CallState
from crm_core.model.definitions import FieldBody
from crm_core.model.definitions.pipelines import StageSettings
from crm_core.model.records import StageKind
from crm_core.services.acts import deals
from crm_core.services.acts.pipeline_keeping import NewStage
from crm_core.services.cards import leads
from crm_core.services.tasking import tasks
from crm_core.storage.queries.pages import Page, Slice
from crm_core.storage.queries.workspace.control.asking import control_counts, control_page
from crm_core.storage.queries.workspace.control.figures import FIGURES
from crm_core.storage.queries.workspace.control.lists import LISTS
from crm_core.storage.queries.workspace.control.views import ControlRow, ControlView
from crm_core.storage.queries.workspace.control.words import VIEWS
from hub.tongues import told_in
from tests.integration.storage.test_fields import declare
from tests.integration.storage.test_stages import pipeline
from tests.integration.storage.test_workspace import ANNA, BORIS, LARGE, act, deal, look, plans, task
from tests.integration.storage.world import World, answered, at, ended, message, missed, moved, ringing, talked

DAY = 86_400.0


async def rows(world: World, view: ControlView, login: str = "head", **where: Any) -> list[ControlRow]:
    slice_ = Slice(**where)
    page: Page[ControlRow] = await look(world, login, lambda conn, asker: control_page(conn, asker, view, slice_))
    return list(page.items)


async def titles(world: World, view: ControlView, login: str = "head") -> list[str]:
    return [each.title for each in await rows(world, view, login)]


def test_every_view_says_what_it_is() -> None:
    assert list(VIEWS) == list(ControlView)
    assert LISTS | FIGURES | {ControlView.MISSED_CALLS} == set(ControlView)
    assert {name for name, view in VIEWS.items() if view.figures} == FIGURES
    for view in VIEWS.values():
        assert all((view.title.ru, view.title.en, view.definition.ru, view.definition.en))


async def test_deals_by_their_tasks(world: World) -> None:
    planned, late, done = [await deal(world, "ivan", title) for title in ("С планом", "Просрочена", "Без задач")]
    await task(world, "ivan", "Позвонить", due_at=at(7 * DAY), deal_id=planned.id)
    await task(world, "ivan", "Позвонить", due_at=at(60), deal_id=late.id)
    ready = await task(world, "ivan", "Готово", deal_id=done.id)
    await act(world, "ivan", lambda desk: tasks.close(desk, ready.id, "ivan", "сделано"))
    await deal(world, "petr", "Крупная", amount=60_000_000)
    world.clock.set(at(2 * DAY))
    assert await titles(world, ControlView.OVERDUE_DEALS) == ["Просрочена"]
    assert await titles(world, ControlView.TASKLESS_DEALS) == ["Крупная", "Без задач"]
    assert await titles(world, ControlView.PLANLESS_DEALS) == ["Крупная", "Без задач", "Просрочена"]
    assert await titles(world, ControlView.LARGE_DEALS) == ["Крупная"]
    assert await titles(world, ControlView.TASKLESS_DEALS, "ivan") == ["Без задач"]
    counted = await look(world, "head", control_counts)
    assert (counted[ControlView.TASKLESS_DEALS], counted[ControlView.LARGE_DEALS]) == (2, 1)
    assert list(counted) == [each for each in ControlView if each not in FIGURES]


async def test_tasks_of_ones_own_and_without_a_deadline(world: World) -> None:
    for n in range(3):
        await task(world, "ivan", f"Дело {n}", due_at=at(DAY * (3 - n)))
    await task(world, "ivan", "Без срока")
    await task(world, "petr", "Чужое без срока")
    assert await titles(world, ControlView.MY_TASKS, "ivan") == ["Дело 2", "Дело 1", "Дело 0", "Без срока"]
    assert await titles(world, ControlView.MY_TASKS) == []
    assert set(await titles(world, ControlView.UNDATED_TASKS)) == {"Без срока", "Чужое без срока"}
    assert await titles(world, ControlView.UNDATED_TASKS, "petr") == ["Чужое без срока"]


async def test_leads_that_are_stuck_and_rejections_that_nobody_checked(world: World) -> None:
    await world.take(*(message(n, f"m{n}", at(n)) for n in range(1, 5)))
    first, second, third, fourth = await world.rows("lead")
    await act(world, "ivan", lambda desk: leads.take(desk, second.id, "ivan"))
    world.clock.set(at(DAY))
    for each in (third, fourth):
        await act(world, "ivan", partial(leads.reject, lead_id=each.id, login="ivan", reason="Спам"))
    stuck = await rows(world, ControlView.STUCK_LEADS)
    assert [each.id for each in stuck] == [first.id]
    check = await task(world, "head", "Проверить отказ", lead_id=third.id)
    assert {each.id for each in await rows(world, ControlView.REJECTIONS)} == {third.id, fourth.id}
    await act(world, "head", lambda desk: tasks.close(desk, check.id, "head", "верно"))
    (left,) = await rows(world, ControlView.REJECTIONS)
    assert (left.id, left.note, left.client is not None) == (fourth.id, "Спам", True)
    world.clock.set(at(4 * DAY))
    assert [each.id for each in await rows(world, ControlView.STUCK_LEADS)] == [first.id, second.id]
    world.clock.set(at(9 * DAY))
    assert await rows(world, ControlView.REJECTIONS) == []


async def test_missed_calls_by_pages(world: World) -> None:
    await world.take(*(missed(f"x{n}", f"+7916222{n:04}", at(n * 60)) for n in range(5)))
    await world.take(talked("back", "+79162220003", at(3600)))
    shown: list[int | None] = []
    after = None
    for _ in range(3):
        where = Slice(after, 2)
        page = await look(world, "head", partial(control_page, view=ControlView.MISSED_CALLS, where=where))
        shown += [each.id for each in page.items]
        after = page.next
        if after is None:
            break
    assert len(shown) == len(set(shown)) == 4
    counted = await look(world, "head", control_counts)
    assert counted[ControlView.MISSED_CALLS] == 4
    with pytest.raises(InvalidInput):
        await rows(world, ControlView.MISSED_CALLS, after="nonsense")


async def test_calls_worth_listening_to(world: World) -> None:
    def call(linkedid: str, number: str, start: float, lasts: float) -> Any:
        return moved(ended(answered(ringing(linkedid, number, at(start)), 5), 5 + lasts, CallState.ANSWERED))

    await world.take(call("long", ANNA, 0, 900), call("short", ANNA, 2000, 10), call("first", BORIS, 4000, 60))
    calls = {row.linkedid: row.id for row in await world.rows("call")}
    of = {
        view: [each.id for each in await rows(world, view)]
        for view in (ControlView.LONG_CALLS, ControlView.SHORT_CALLS)
    }
    assert of == {ControlView.LONG_CALLS: [calls["long"]], ControlView.SHORT_CALLS: [calls["short"]]}
    assert [each.id for each in await rows(world, ControlView.FIRST_CALLS)] == [calls["first"], calls["long"]]
    assert await rows(world, ControlView.LOST_AFTER) == []
    await pipeline(world, NewStage("Новая"), NewStage("Потеряно", kind=StageKind.LOST), name="Окна")
    contact = (await world.row("identity", key=f"tel:{ANNA}")).contact_id
    change = deals.DealChange(title="Окна", contact_id=contact)
    lost = await act(world, "ivan", lambda desk: deals.create(desk, "ivan", change, "Окна", "Новая"))
    await act(world, "ivan", lambda desk: deals.move(desk, lost.deal.id, "Потеряно", reason="Дорого"))
    assert [each.id for each in await rows(world, ControlView.LOST_AFTER)] == [calls["short"]]
    assert await rows(world, ControlView.LONG_CALLS, "petr") == []


async def test_required_fields_and_wrong_stages(world: World) -> None:
    await declare(world, FieldBody(of="deal", key="address", title="Адрес"))
    await pipeline(
        world,
        NewStage("Новая"),
        NewStage("Замер", settings=StageSettings(required=["address", "amount"])),
        NewStage("Готово", kind=StageKind.WON),
        name="Окна",
    )

    async def card(title: str, stage: str, **given: Any) -> int:
        change = deals.DealChange(title=title, **given)
        return int((await act(world, "ivan", lambda desk: deals.create(desk, "ivan", change, "Окна", stage))).deal.id)

    await card("Полная", "Замер", amount=100, fields={"address": "Ленина, 5"})
    await card("Ранняя", "Новая")
    for title, unset in (("Без адреса", "fields = '{}'"), ("Без суммы", "amount = 0")):
        number = await card(title, "Замер", amount=100, fields={"address": "Ленина, 5"})
        sql = f"UPDATE deal SET {unset} WHERE id = {number}"
        await world.store.database.write(partial(_run, sql=sql))
    found = {each.title: each.note for each in await rows(world, ControlView.BAD_FIELDS)}
    assert found == {"Без адреса": "Адрес", "Без суммы": "Sum"}
    assert told_in(found["Без суммы"], "ru") == "Сумма"
    won = await card("Отгружена", "Замер", amount=500, fields={"address": "x"})
    await act(world, "ivan", lambda desk: deals.move(desk, won, "Готово"))
    assert await titles(world, ControlView.WRONG_STAGE) == ["Отгружена"]


async def test_conversions_times_and_averages(world: World) -> None:
    await pipeline(
        world,
        NewStage("Новая"),
        NewStage("Предложение", settings=StageSettings(key=True)),
        NewStage("Готово", kind=StageKind.WON),
        NewStage("Потеряно", kind=StageKind.LOST),
        name="Окна",
    )

    async def card(amount: int) -> int:
        change = deals.DealChange(title="Окна", amount=amount)
        return int((await act(world, "ivan", lambda desk: deals.create(desk, "ivan", change, "Окна", "Новая"))).deal.id)

    async def move(number: int, stage: str) -> None:
        await act(world, "ivan", lambda desk: deals.move(desk, number, stage, reason="Дорого"))

    ids = [await card(n * 1000) for n in range(1, 5)]
    world.clock.set(at(DAY))
    for each in ids[:3]:
        await move(each, "Предложение")
    world.clock.set(at(3 * DAY))
    await move(ids[0], "Готово")
    await move(ids[1], "Готово")
    await move(ids[2], "Потеряно")
    whole, *stages = await rows(world, ControlView.CONVERSIONS)
    assert [each.value for each in whole.figures] == [4, 2, 0.5]
    assert [(each.title, each.figures[0].value) for each in stages] == [("Новая", 4), ("Предложение", 3), ("Готово", 2)]
    (key,) = await rows(world, ControlView.KEY_STAGE)
    assert [each.value for each in key.figures] == [4, 3, 0.75, 2, 2 / 3]
    times = {each.title: each.figures[1].value for each in await rows(world, ControlView.TIME_IN_STAGE)}
    assert times == {"Новая": DAY, "Предложение": 2 * DAY}
    (average,) = await rows(world, ControlView.AVERAGES)
    assert [each.value for each in average.figures] == [2, 1500, 3 * DAY]
    jam = {each.title: each.figures[0].value for each in await rows(world, ControlView.JAMS)}
    assert jam == {"Новая": 1}
    load = {each.login: [one.value for one in each.figures] for each in await rows(world, ControlView.LOAD)}
    assert load["ivan"] == [0, 0, 1, 0, 0]
    assert await rows(world, ControlView.MALFORMED) == []
    assert await rows(world, ControlView.CONVERSIONS, "petr") == []


async def test_pages_of_deals_go_on_behind_their_cursor(world: World) -> None:
    made = [(await deal(world, "ivan", f"Сделка {n}")).id for n in range(5)]
    shown: list[int | None] = []
    where: Slice | None = Slice(limit=2)
    while where is not None:
        page: Page[ControlRow] = await look(
            world, "ivan", partial(control_page, view=ControlView.TASKLESS_DEALS, where=where)
        )
        shown += [each.id for each in page.items]
        where = replace(where, after=page.next) if page.next is not None else None
    assert shown == sorted(made, reverse=True)


@pytest.mark.parametrize("view", ControlView)
async def test_what_a_view_costs(world: World, view: ControlView) -> None:
    await world.take(*(missed(f"x{n}", f"+7916222{n:04}", at(n)) for n in range(5)))
    await world.take(*(talked(f"t{n}", f"+7916223{n:04}", at(100 + n)) for n in range(5)))
    for n in range(4):
        made = await deal(world, "ivan", f"Сделка {n}", amount=60_000_000)
        if n % 2:
            await task(world, "ivan", "Дело", deal_id=made.id)
    world.clock.set(at(5 * 3600))
    where = Slice(limit=3)
    seen = await plans(world, "head", lambda conn, asker: control_page(conn, asker, view, where))
    assert len(seen.statements) <= (5 if view in FIGURES else 3)
    assert seen.scans("contact", "identity", "timeline", "call", "change", "contact_case", "lead", "task") == []


async def test_what_all_counts_cost(world: World) -> None:
    await deal(world, "ivan", "Сделка")
    for login in ("head", "ivan"):
        seen = await plans(world, login, control_counts)
        assert len(seen.statements) == 2
        assert seen.scans(*LARGE) == [], login


def _run(conn: Any, *, sql: str) -> None:
    conn.exec_driver_sql(sql)
