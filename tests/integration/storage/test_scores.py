"""What sales tell of clients: tables of histories on both engines, and a fixed number of statements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, event, insert

from crm_core.errors import StorageUnavailable
from crm_core.model.definitions import ScoringBody, Section
from crm_core.model.user import Role, User
from crm_core.services import defining
from crm_core.services.clients.contacts import ContactChange, create
from crm_core.storage import tables
from crm_core.storage.queries.scores import Times, todays_clients
from crm_core.storage.scoring import Day, run_scores, running, score_clients, scores_due
from crm_core.storage.scoring.slices import CLIENTS
from tests.fakes.clock import START
from tests.integration.storage.world import World
from tests.statements import engine_of, statements

_numbers = count(1)
_OF_CLIENTS = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM) (client_score|need|contact)\b")


def ago(days: float) -> datetime:
    """So many days before the start of the clock."""
    return START - timedelta(days=days)


async def client(world: World, name: str, **more: Any) -> int:
    """A client's id."""
    contact, _ = await world.store.run(lambda desk: create(desk, ContactChange(name=name, **more)))
    return contact.id


async def sold(world: World, contact_id: int, *lines: tuple[float, int], name: str = "бумага") -> None:
    """Sales to a client: so many days ago, for so many roubles."""
    rows = [
        {
            "id": next(_numbers) + 10_000_000,
            "ref": f"1c:{next(_numbers)}",
            "contact_id": contact_id,
            "name": name,
            "quantity": 1000,
            "amount": roubles * 100,
            "currency": "RUB",
            "at": ago(days),
            "recorded_at": START,
        }
        for days, roubles in lines
    ]
    await world.store.database.write(lambda conn: conn.execute(insert(tables.sale), rows))


async def scores(world: World) -> dict[int, Any]:
    """The figures by client."""
    return {row.contact_id: row for row in await world.rows("client_score")}


HISTORIES: dict[str, tuple[tuple[tuple[float, int], ...], str, int]] = {
    "nothing": ((), "потенциальный", 0),
    "one, today": (((0, 100),), "разовый свежий", 1),
    "one, 90 days ago": (((90, 100),), "разовый свежий", 1),
    "one, 91 days ago": (((91, 100),), "разовый старый", 1),
    "one, years ago": (((1000, 100),), "разовый старый", 1),
    "two lines of one day": (((10, 100), (10, 200)), "разовый свежий", 1),
    "two, lately": (((40, 100), (10, 100)), "постоянный", 2),
    "two, 180 days ago": (((400, 100), (180, 100)), "постоянный", 2),
    "two, 181 days ago": (((400, 100), (181, 100)), "ушедший", 2),
    "given back": (((10, 100), (10, -100)), "потенциальный", 0),
    "bought, another given back": (((40, 100), (10, 100), (5, -50)), "постоянный", 2),
    "to come": (((-2, 100),), "потенциальный", 0),
}


async def test_the_status_of_every_history(world: World) -> None:
    ids = {}
    for name, (lines, _, _) in HISTORIES.items():
        ids[name] = await client(world, name)
        if lines:
            await sold(world, ids[name], *lines)
    tally = await run_scores(world.store)
    found = await scores(world)
    for name, (_, status, orders) in HISTORIES.items():
        assert (found[ids[name]].status, found[ids[name]].orders) == (status, orders), name
    assert {row.id: row.status for row in await world.rows("contact")} == {
        ids[name]: status for name, (_, status, _) in HISTORIES.items()
    }
    # Whoever never bought became «потенциальный» without further ado; the others have it in their history.
    assert tally.statuses == len([1 for _, status, _ in HISTORIES.values() if status != "потенциальный"])
    history = await world.rows("change", kind="contact")
    assert len(history) == tally.statuses
    assert {each.author for each in history} == {"scores"}


async def test_a_second_run_changes_nothing_and_a_later_one_what_has_changed(world: World) -> None:
    fresh, regular = await client(world, "свежий"), await client(world, "постоянный")
    await sold(world, fresh, (80, 100))
    await sold(world, regular, (30, 100), (60, 100), (90, 100))
    first = await run_scores(world.store)
    assert (first.scored, first.statuses) == (2, 2)
    before = await scores(world), await world.rows("contact"), await world.rows("change")
    again = await run_scores(world.store)
    assert (again.scored, again.statuses) == (0, 0)
    assert before == (await scores(world), await world.rows("contact"), await world.rows("change"))
    world.clock.set(START + timedelta(days=20))
    later = await run_scores(world.store)
    assert later.statuses == 1
    assert (await world.row("contact", id=fresh)).status == "разовый старый"


async def test_without_any_sale_nothing_is_said_of_anybody(world: World) -> None:
    contact_id = await client(world, "кто-то", status="VIP")
    tally = await run_scores(world.store)
    assert (tally.scored, tally.needs, tally.statuses) == (0, 0, 0)
    assert (await world.row("contact", id=contact_id)).status == "VIP"
    assert await scores(world) == {}


async def test_axes_tell_of_clients_who_never_bought(world: World) -> None:
    points = {"Да": 10, "Нет": 0}
    await configured(
        world, attraction=[{"field": "big", "points": points}], relation=[{"field": "near", "points": points}]
    )
    worth, unknown = await client(world, "Крупный", fields={"big": "Да", "near": "Да"}), await client(world, "Никто")
    await run_scores(world.store)
    found = await scores(world)
    assert (found[worth].status, found[worth].relation, found[worth].attraction) == ("потенциальный", 100, 100)
    assert (found[unknown].relation, found[unknown].attraction) == (0, 0)
    times = Times("2026-03-05", START, START)
    root = User(0, "root", "Root", Role.ADMIN)
    today = await world.store.read(lambda conn: todays_clients(conn, world.store.access(conn, root), times, None, 10))
    assert [(each.id, each.priority) for each in today] == [(worth, 100)]


async def test_abc_xyz_and_rfm(world: World) -> None:
    whale, middle, small, even = [await client(world, name) for name in ("кит", "средний", "малый", "ровный")]
    await sold(world, whale, (20, 80_000))
    await sold(world, middle, (200, 7_000), (20, 7_000))
    await sold(world, small, (300, 1_000))
    await sold(world, even, *((30 * month + 1, 400) for month in range(12)))
    await run_scores(world.store)
    found = await scores(world)
    assert {each: found[each].abc for each in (whale, middle, small, even)} == {
        whale: "A",
        middle: "B",
        small: "C",
        even: "B",
    }
    assert {each: found[each].xyz for each in (whale, middle, small, even)} == {
        whale: "",
        middle: "Z",
        small: "Z",
        even: "X",
    }
    assert (found[even].rfm, found[small].rfm, found[whale].rfm) == ("442", "111", "214")
    assert found[even].revenue == 480_000


async def test_other_currencies_count_as_orders_but_not_as_revenue(world: World) -> None:
    contact_id = await client(world, "экспорт")
    await sold(world, contact_id, (10, 100))
    await world.store.database.write(lambda conn: conn.exec_driver_sql("UPDATE sale SET currency = 'USD'"))
    await run_scores(world.store)
    row = (await scores(world))[contact_id]
    assert (row.orders, row.revenue, row.status) == (1, 0, "разовый свежий")


async def configured(world: World, **clients: Any) -> None:
    """How clients are judged."""
    body = ScoringBody.model_validate({"clients": clients})
    await world.store.run(lambda desk: defining.add(desk, Section.SCORING, "клиенты", body, "head"))


async def test_the_office_says_what_counts(world: World) -> None:
    await configured(
        world,
        fresh_within="10d",
        regular_orders=3,
        relation=[{"field": "trust", "points": {"высокое": 10, "низкое": 2}}, {"field": "vip", "points": {"true": 10}}],
        attraction=[
            {"field": "abc", "points": {"A": 3, "B": 2, "C": 1}, "weight": 2},
            {"field": "goods", "points": {"окна": 2, "двери": 2}},
        ],
    )
    one = await client(world, "один", fields={"trust": "высокое", "vip": True, "goods": ["окна", "двери"]})
    two = await client(world, "два", fields={"trust": "низкое", "vip": False, "goods": "окна"})
    none = await client(world, "никто")
    await sold(world, one, (11, 1000))
    await sold(world, two, (20, 10), (15, 10))
    await run_scores(world.store)
    found = await scores(world)
    assert [found[each].status for each in (one, two)] == ["разовый старый", "разовый старый"]
    assert [(found[each].relation, found[each].attraction) for each in (one, two, none)] == [
        (100, 100),
        (10, 50),
        (0, 0),
    ]


async def test_merged_and_deleted_clients_are_left_out(world: World) -> None:
    kept, gone = await client(world, "есть"), await client(world, "удалён")
    await sold(world, kept, (10, 100))
    await sold(world, gone, (10, 100))
    await run_scores(world.store)
    assert set(await scores(world)) == {kept, gone}
    sql = f"UPDATE contact SET deleted_at = created_at WHERE id = {gone}"
    await world.store.database.write(lambda conn: conn.exec_driver_sql(sql))
    await run_scores(world.store)
    assert set(await scores(world)) == {kept}


async def test_what_will_be_bought_next(world: World) -> None:
    contact_id = await client(world, "типография")
    await sold(world, contact_id, (150, 100), (120, 100), (90, 100), (60, 100), (30, 100), (2, 100), name="бумага")
    await sold(world, contact_id, (60, 100), (30, 100), name="краска")  # twice is no habit
    await sold(world, contact_id, (60, 100), (50, 100), (40, 100), name="клей")  # late, perhaps never again
    await sold(world, contact_id, (300, 100), (290, 100), (280, 100), name="давно")
    await sold(world, contact_id, (40, 100), (30, 100), (17, 100), name="опаздывает")
    await run_scores(world.store)
    needs = {row.name: row for row in await world.rows("need")}
    assert set(needs) == {"бумага", "опаздывает"}
    paper = needs["бумага"]
    assert (paper.period_days, paper.next_on, paper.quantity) == (30, str((ago(2) + timedelta(days=30)).date()), 1000)
    assert (paper.checks, paper.hits, paper.probability) == (3, 3, 80)
    assert paper.explanation.startswith("Покупок: 6, в среднем каждые 30 дн., последняя 2026-02-28")
    assert "(3) сбылось 3" in paper.explanation
    late = needs["опаздывает"]
    assert (late.period_days, late.checks, late.hits, late.probability) == (12, 1, 0, 17)
    assert "срок прошёл" in late.explanation


async def test_forecasts_are_checked_against_what_came(world: World) -> None:
    regular, erratic = await client(world, "ровный"), await client(world, "как придётся")
    await sold(world, regular, *((10 * n, 100) for n in range(10)))
    await sold(world, erratic, *((days, 100) for days in (5, 6, 40, 45, 90, 91, 140)))
    await run_scores(world.store)
    found = {row.contact_id: row for row in await world.rows("need")}
    assert (found[regular].checks, found[regular].hits) == (7, 7)
    assert (found[erratic].checks, found[erratic].hits) == (4, 0)
    assert found[erratic].probability < 20
    assert found[regular].probability > 80


@contextmanager
def transactions(world: World) -> Iterator[list[int]]:
    """How many rows of clients' figures, needs and statuses each transaction of the world's database writes."""
    written: list[int] = []
    under_way: Counter[int] = Counter()
    engine = engine_of(world.store)

    def note(conn: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if _OF_CLIENTS.match(statement):
            under_way[id(conn.connection.dbapi_connection)] += cursor.rowcount

    def end(conn: Connection) -> None:
        rows = under_way.pop(id(conn.connection.dbapi_connection), None)
        if rows is not None:
            written.append(rows)

    event.listen(engine, "after_cursor_execute", note)
    event.listen(engine, "commit", end)
    try:
        yield written
    finally:
        event.remove(engine, "after_cursor_execute", note)
        event.remove(engine, "commit", end)


async def test_a_run_holds_the_database_for_a_slice_of_the_clients_at_a_time(world: World) -> None:
    await many(world, range(100_000, 101_300))
    with statements(world.store) as seen, transactions(world) as written:
        await run_scores(world.store, clients=200)
    # The figures and the needs of each; statuses follow, a few at a time.
    assert max(written) <= 2 * 200
    assert sum("INSERT INTO client_score" in each for each in seen) == 7
    assert len([each for each in seen if "FROM sale" in each]) == 2 + 2 * 7
    assert len(await scores(world)) == 1_300
    assert CLIENTS <= 1000, "so many at a time, unless somebody says otherwise"


async def test_clients_in_slices_are_judged_as_all_together(world: World) -> None:
    ids = [await client(world, f"k{number}") for number in range(37)]
    # Many alike: whoever is equal is in the same fifth.
    lines = {
        each: [(number * 7 % 11 + 1, number * 13 % 6 * 100), (40 + number % 3, 50)] for number, each in enumerate(ids)
    }
    for each in ids[:-4]:
        await sold(world, each, *lines[each])
    await run_scores(world.store, clients=5)
    found = await scores(world)
    assert set(found) == set(ids)
    revenue = {each: sum(roubles for _, roubles in lines[each]) for each in ids[:-4]}
    last = {each: -min(days for days, roubles in lines[each] if roubles) for each in ids[:-4]}
    orders = {each: len([1 for _, roubles in lines[each] if roubles]) for each in ids[:-4]}

    def fifth(figures: dict[int, int], each: int) -> int:
        return 5 * sum(other < figures[each] for other in figures.values()) // len(figures) + 1

    whole, before = sum(revenue.values()), 0
    for each in sorted(revenue, key=lambda one: (-revenue[one], one)):
        letter = "A" if before < 0.8 * whole else "B" if before < 0.95 * whole else "C"
        rfm = "".join(str(fifth(figures, each)) for figures in (last, orders, revenue))
        assert (found[each].abc, found[each].rfm, found[each].revenue) == (letter, rfm, revenue[each] * 100)
        before += revenue[each]
    assert {found[each].status for each in ids[-4:]} == {"потенциальный"}
    assert (await run_scores(world.store, clients=3)).scored == 0


async def test_a_run_that_was_cut_off_goes_on_where_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [await client(world, f"k{number}") for number in range(6)]
    for each in ids:
        await sold(world, each, (10, 100), (20, 100))

    def dying(*args: Any) -> int:
        if args[-1].above >= ids[3]:
            raise StorageUnavailable("away")
        return score_clients(*args)

    monkeypatch.setattr(running, "score_clients", dying)
    with pytest.raises(StorageUnavailable):
        await run_scores(world.store, clients=2)
    monkeypatch.undo()
    assert set(await scores(world)) == set(ids[:4])
    assert await scores_due(world.store, world.clock.now())
    world.clock.advance(timedelta(minutes=1))
    with statements(world.store) as seen:
        tally = await run_scores(world.store, clients=2)
    assert (tally.scored, tally.statuses) == (2, 6)
    assert sum("INSERT INTO client_score" in each for each in seen) == 1
    assert not await scores_due(world.store, world.clock.now())
    # The next day everybody is looked at again.
    world.clock.advance(timedelta(days=1))
    with statements(world.store) as seen:
        await run_scores(world.store, clients=2)
    assert sum("INSERT INTO client_score" in each for each in seen) == 3


async def many(world: World, ids: Iterable[int]) -> None:
    """Clients with three sales each."""
    listed = list(ids)
    contact = {"created_at": START, "updated_at": START, "search": "", "fields": {}, "tags": [], "marks": {}}
    people = [{"id": each, "name": f"k{each}", **contact} for each in listed]
    rows = [
        {
            "id": 50_000_000 + each * 3 + n,
            "ref": f"m:{each}:{n}",
            "contact_id": each,
            "name": "товар",
            "quantity": 1000,
            "amount": (each % 97 + 1) * 1000,
            "currency": "RUB",
            "at": ago(each % 300 + 30 * n),
            "recorded_at": START,
        }
        for each in listed
        for n in range(3)
    ]

    def write(conn: Any) -> None:
        conn.execute(insert(tables.contact), people)
        conn.execute(insert(tables.sale), rows)

    await world.store.database.write(write)


async def test_the_day_is_done_once_and_made_up_for(world: World) -> None:
    await sold(world, await client(world, "клиент"), (10, 100))
    assert await scores_due(world.store, world.clock.now())
    await run_scores(world.store)
    assert not await scores_due(world.store, world.clock.now())
    night = START.replace(hour=0, minute=59) + timedelta(days=1)  # 3:59 in Moscow
    assert not await scores_due(world.store, night)
    assert await scores_due(world.store, night + timedelta(minutes=1))
    assert await scores_due(world.store, START + timedelta(days=5))


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York", "Asia/Kolkata"])
def test_days_are_those_of_the_office(zone: str) -> None:
    day = Day.at(START, ZoneInfo(zone))
    assert day.number == (START.astimezone(ZoneInfo(zone)).date() - date(1970, 1, 1)).days
