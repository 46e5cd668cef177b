"""Control reports: each figure as it is defined, the same on both engines, read over indexes, bounded."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, text

from crm_core.errors import Forbidden
from crm_core.messages import InboundEvent
from crm_core.model.call import CallState
from crm_core.model.identity import parse_identity
from crm_core.model.rights import Reach, Right
from crm_core.model.user import Role, User
from crm_core.services.acts import listing
from crm_core.services.clients.contacts import ContactChange, change, create, put_on_list
from crm_core.services.desk import Desk
from crm_core.services.intake.receive import receive
from crm_core.services.watching import cases
from crm_core.storage.reports import REPORTS
from crm_core.storage.reports.base import By, Report, Table, Wanted, nearest_rank
from crm_core.storage.reports.numbers_unknown import unknown_statement
from crm_core.storage.reports.reading import report_of
from crm_core.storage.reports.waitings import BEGUN, parameters, waitings_statement
from crm_core.storage.types import JsonText, UtcDateTime
from tests.fakes.clock import START
from tests.integration.storage.world import LINE, World, answered, at, ended, missed, moved, ringing, talked

ANNA, BORIS, VERA = "+79161110001", "+79161110002", "+79161110003"
DAY = timedelta(days=1)
HOUR = 3600


def wanted(world: World, *by: By, **more: Any) -> Wanted:
    found = Wanted(START - DAY, START + 40 * DAY, world.clock.now(), world.store.office, by)
    return replace(found, **more)


async def run(world: World, name: str, *by: By, **more: Any) -> Table:
    report: Report = REPORTS[name]
    return await world.store.read(lambda conn: report.run(conn, wanted(world, *by, **more)))


def rows(table: Table) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


async def keep(world: World, number: str, **fields: Any) -> int:
    """A card made by a person."""

    def service(desk: Desk) -> int:
        given = ContactChange(identities=(parse_identity(f"tel:{number}"),), **fields)
        return create(desk, given)[0].id

    return await world.store.run(service)


async def story(world: World) -> None:
    """Anna (Ivan's) misses twice and is rung back after an hour; Boris (Petr's) never; Vera's case is closed."""
    await keep(world, ANNA, name="Анна", manager="ivan")
    await keep(world, BORIS, name="Борис", manager="petr")
    vera = await keep(world, VERA, name="Вера", manager="ivan")
    await world.take(missed("a1", ANNA, at(0)), missed("a2", ANNA, at(600)), missed("b1", BORIS, at(1000)))
    await world.take(missed("v1", VERA, at(2000)))
    await world.take(talked("a3", ANNA, at(HOUR + 15)))
    case = next(each for each in await world.rows("contact_case") if each.contact_id == vera)
    await world.store.run(lambda desk: cases.close_by_hand(desk, case.id, "ivan", "ошиблась номером"))
    world.clock.set(at(10 * HOUR))


async def test_missed_and_not_returned(world: World) -> None:
    await story(world)
    table = await run(world, "missed")
    assert table.complete
    (row,) = rows(table)
    assert row["name"] == "Борис"
    assert (row["number"], row["line"], row["manager"], row["misses"]) == (BORIS, LINE, "petr", 1)
    assert row["missed_at"] == at(1020)
    assert row["waiting_s"] == 10 * HOUR - 1020
    assert (await run(world, "missed", login="ivan")).rows == ()
    (count,) = rows(await run(world, "missed", By.MANAGER, By.MONTH))
    assert count == {
        "manager": "petr",
        "month": "2026-03",
        "clients": 1,
        "misses": 1,
        "longest_s": 10 * HOUR - 1020,
    }


async def test_figures_are_of_those_whom_somebody_oversees(world: World) -> None:
    await story(world)

    async def seen(reach: Reach, manager: str | None) -> list[str]:
        def read(conn: Connection) -> Table:
            access = world.store.access(conn, User(1, "ivan", "Ivan", Role.HEAD, group="sales"))
            access = replace(access, reaches={**access.reaches, Right.SEE_REPORTS: reach})
            return report_of(conn, access, REPORTS["never_returned"], wanted(world, By.MANAGER, login=manager))

        return [row["manager"] for row in rows(await world.store.read(read))]

    assert await seen(Reach.ALL, None) == ["ivan", "petr"]
    assert await seen(Reach.ALL, "petr") == ["petr"]
    assert await seen(Reach.OWN, None) == await seen(Reach.OWN, "petr") == ["ivan"]
    assert await seen(Reach.GROUP, None) == ["ivan"]
    with pytest.raises(Forbidden):
        await seen(Reach.NONE, "ivan")


async def test_a_reply_in_any_channel_counts_and_so_does_a_later_miss(world: World) -> None:
    await story(world)
    await world.take(talked("b2", BORIS, at(11 * HOUR)))
    assert (await run(world, "missed")).rows == ()
    await world.take(missed("b3", BORIS, at(12 * HOUR)))
    (row,) = rows(await run(world, "missed"))
    assert row["missed_at"] == at(12 * HOUR + 20)
    assert (await run(world, "missed", until=at(12 * HOUR))).rows == ()


async def test_time_to_call_back(world: World) -> None:
    await story(world)
    found = rows(await run(world, "callback_time", By.MANAGER))
    # Anna waited from the end of her first missed call (20 s) to the answer of the conversation (15 + 5 s later).
    assert found == [
        {"manager": "ivan", "waitings": 2, "returned": 1, "waiting": 1, "p50_s": HOUR, "p90_s": HOUR},
        {"manager": "petr", "waitings": 1, "returned": 0, "waiting": 1, "p50_s": None, "p90_s": None},
    ]
    assert rows(await run(world, "callback_time", By.LINE))[0]["line"] == LINE
    assert [row["waitings"] for row in rows(await run(world, "callback_time", By.MANAGER, login="petr"))] == [1]


async def test_a_waiting_that_began_before_the_period_is_not_counted_anew(world: World) -> None:
    await story(world)
    assert rows(await run(world, "callback_time", By.MANAGER, since=at(300), until=at(900))) == []
    assert len(rows(await run(world, "missed", since=at(900)))) == 1


async def test_never_returned(world: World) -> None:
    await story(world)
    found = rows(await run(world, "never_returned"))
    assert [(row["name"], row["closed"]) for row in found] == [("Вера", "ошиблась номером"), ("Борис", None)]
    assert rows(await run(world, "never_returned", By.MANAGER)) == [
        {"manager": "ivan", "waitings": 2, "never": 1, "share": 0.5},
        {"manager": "petr", "waitings": 1, "never": 1, "share": 1.0},
    ]


async def test_a_call_that_is_no_miss_is_in_no_report(world: World) -> None:
    await world.take(
        moved(ended(ringing("short", ANNA, at(1)), 1, CallState.ABANDONED)),
        moved(ended(ringing("hidden", "anonymous", at(1)), 20, CallState.MISSED)),
        moved(ended(ringing("inside", "102", at(1)), 20, CallState.MISSED)),
    )
    for name in ("missed", "never_returned"):
        assert (await run(world, name)).rows == ()
    assert (await run(world, "callback_time", By.MONTH)).rows == ()


async def test_numbers_that_nobody_has_entered(world: World) -> None:
    await keep(world, ANNA, name="Анна")
    call = replace(answered(ringing("b1", BORIS, at(10)), 5, "PJSIP/102"), recording="b1.wav")
    await world.take(
        talked("a1", ANNA, at(0)),
        moved(ended(call, 60)),
        missed("b2", BORIS, at(100)),
        missed("v1", VERA, at(200)),
        missed("x1", "+79161110009", at(300)),
    )
    await world.store.run(lambda desk: put_on_list(desk, "соискатели", "+79161110009", "x", "ivan"))
    found = rows(await run(world, "numbers_unknown"))
    vera, boris = found
    assert (vera["number"], vera["calls"], vera["recordings"]) == (VERA, 1, ())
    assert (boris["number"], boris["manager"], boris["calls"]) == (BORIS, "petr", 2)
    assert (boris["first_at"], boris["last_at"]) == (at(10), at(100))
    recorded = (await world.row("call", linkedid="b1")).id
    assert boris["recordings"] == (recorded,)
    assert {row["manager"]: row["numbers"] for row in rows(await run(world, "numbers_unknown", By.MANAGER))} == {
        "petr": 1,
        vera["manager"]: 1,
    }
    assert [row["number"] for row in rows(await run(world, "numbers_unknown", login="petr"))] == [BORIS]
    # Entered, on a list, or given a company: known from now on.
    await world.store.run(lambda desk: change(desk, boris["contact_id"], ContactChange(name="Борис")))
    await world.store.run(lambda desk: listing.list_contact(desk, vera["contact_id"], "соискатели", "x", "ivan"))
    assert (await run(world, "numbers_unknown")).rows == ()


async def test_lines_are_one_however_they_are_dialled_and_months_are_the_offices(world: World) -> None:
    last_evening = datetime(2026, 3, 31, 21, 30, tzinfo=UTC)  # half past midnight of 1 April in Moscow
    for number, line, when in ((ANNA, "84951234567", last_evening), (BORIS, LINE, last_evening - DAY)):
        await world.take(moved(ended(replace(ringing(f"c{number}", number, when), line=line), 20, CallState.MISSED)))
    found = rows(await run(world, "missed", By.LINE, By.MONTH))
    assert [(row["line"], row["month"], row["clients"]) for row in found] == [
        (LINE, "2026-03", 1),
        (LINE, "2026-04", 1),
    ]


async def test_what_is_left_out_is_said(world: World) -> None:
    await world.take(*(missed(f"c{number}", f"+7916222{number:04d}", at(number)) for number in range(5)))
    for name in ("missed", "never_returned", "numbers_unknown"):
        table = await run(world, name, limit=4)
        assert (len(table.rows), table.complete) == (4, False), name
        table = await run(world, name, limit=5)
        assert (len(table.rows), table.complete) == (5, True), name


# ---------------------------------------------------------------- against a model


@dataclass
class _Client:
    """What a plain reading of the definition makes of a client's events."""

    begun: datetime | None = None

    def play(self, events: Iterable[tuple[datetime, bool]]) -> list[tuple[datetime, datetime | None]]:
        found: list[tuple[datetime, datetime | None]] = []
        for when, is_miss in sorted(events, key=lambda event: (event[0], not event[1])):
            if is_miss and self.begun is None:
                self.begun = when
            elif not is_miss and self.begun is not None:
                found.append((self.begun, when))
                self.begun = None
        return [*found, (self.begun, None)] if self.begun is not None else found


async def take(world: World, events: list[InboundEvent]) -> None:
    """Take facts in, whatever their order in time."""
    await world.store.run(lambda desk: receive(desk.work, events, desk.office, desk.policies))


@pytest.mark.parametrize("luck", range(3))
async def test_the_query_says_what_a_plain_reading_says(world: World, luck: int) -> None:
    chance = random.Random(luck)
    numbers = [f"+7916333000{number}" for number in range(6)]
    seen: dict[str, list[tuple[datetime, bool]]] = {number: [] for number in numbers}
    facts: list[InboundEvent] = []
    for serial in range(80):
        number, when = chance.choice(numbers), at(chance.randrange(0, 20 * 24 * HOUR))
        if chance.random() < 0.6:
            facts.append(missed(f"c{serial}", number, when))
            seen[number].append((when + timedelta(seconds=20), True))
        else:
            facts.append(talked(f"c{serial}", number, when))
            seen[number].append((when + timedelta(seconds=5), False))
    chance.shuffle(facts)
    for start in range(0, len(facts), 20):
        batch = facts[start : start + 20]
        await take(world, batch)
    since, until = at(2 * 24 * HOUR), at(15 * 24 * HOUR)
    expected = [
        (begun, end) for number in numbers for begun, end in _Client().play(seen[number]) if since <= begun < until
    ]
    times = sorted(int((end - begun).total_seconds()) for begun, end in expected if end is not None)
    (row,) = rows(await run(world, "callback_time", By.MONTH, since=since, until=until))
    assert (row["waitings"], row["returned"]) == (len(expected), len(times))
    assert (row["p50_s"], row["p90_s"]) == (nearest_rank(times, 50), nearest_rank(times, 90))
    never = rows(await run(world, "never_returned", since=since, until=until))
    assert sorted(each["missed_at"] for each in never) == sorted(begun for begun, end in expected if end is None)


@pytest.mark.parametrize(
    ("ordered", "percent", "found"),
    [([], 50, None), ([7], 50, 7), ([7], 90, 7), ([1, 2], 50, 1), ([1, 2, 3], 50, 2), (list(range(1, 11)), 90, 9),
     (list(range(1, 12)), 90, 10), (list(range(1, 101)), 50, 50)],
)  # fmt: skip
async def test_percentiles_by_the_nearest_rank(ordered: list[int], percent: int, found: int | None) -> None:
    assert nearest_rank(ordered, percent) == found


# ---------------------------------------------------------------- cost


async def test_reports_read_over_indexes(world: World) -> None:
    await story(world)
    plans = {
        "waitings": (waitings_statement(wanted(world), BEGUN), parameters(wanted(world))),
        "unknown": (
            unknown_statement(wanted(world)),
            {"since": START, "until": START + DAY, "nothing": {}, "most": 10},
        ),
    }

    moments, nothing = ("before", "since", "until"), bindparam("nothing", type_=JsonText())

    def explained(conn: Connection) -> dict[str, str]:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SET LOCAL enable_seqscan = off"))
        said = "EXPLAIN QUERY PLAN " if conn.dialect.name == "sqlite" else "EXPLAIN "
        found = {}
        for name, (statement, values) in plans.items():
            typed = [bindparam(each, type_=UtcDateTime()) for each in moments if each in values]
            plain = text(said + str(statement)).bindparams(*typed, *([nothing] if "nothing" in values else ()))
            found[name] = "\n".join(str(row) for row in conn.execute(plain, values))
        return found

    found = await world.store.database.read(explained, at_length=True)
    assert "ix_call_started_at" in found["waitings"]
    assert "ix_timeline_contact_id" in found["waitings"]
    assert "ix_call_started_at" in found["unknown"]
    for plan in found.values():
        assert "SCAN t\n" not in plan
        assert "SCAN c\n" not in plan
