"""Pages cost a fixed number of statements, and the hot ones are found by an index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Select, select

from crm_core.model.call import CallState
from crm_core.model.case import CaseState
from crm_core.model.records import JournalState, LeadStatus
from crm_core.storage.queries.calls import CallFilter, calls_statement
from crm_core.storage.queries.journal import JournalFilter, journal_statement
from crm_core.storage.queries.pages import moment_cursor
from crm_core.storage.queries.timeline import by_commit, by_time
from crm_core.storage.tables import attachment, contact, contact_case, deadline, identity, lead, route_decision
from tests.integration.http.world import World, later
from tests.integration.storage.world import message, missed
from tests.statements import statements

TOKEN = 2  # looking the bearer up, and whether what they may has changed


async def fill(world: World, number: int) -> None:
    await world.take(*(message(1000 + n, f"m{n}", later(n)) for n in range(number)))
    await world.take(*(missed(f"c{n}", f"+7916{1000000 + n}", later(n)) for n in range(number)))
    await world.take(*(missed(f"again{n}", "+79161000000", later(100 + n)) for n in range(number)))


COSTS: tuple[tuple[str, int], ...] = (
    ("/contacts", 4),
    ("/contacts?q=user", 5),
    ("/contacts?identity=tel:%2B79161000001", 4),
    ("/contacts/{contact}", 4),
    ("/contacts/{contact}/timeline", 4),
    ("/contacts/{contact}/timeline?order=recent", 4),
    ("/leads?status=new", 2),
    ("/cases?state=open", 2),
    ("/calls", 1),
    ("/calls/{call}", 2),
    ("/deals", 4),
    ("/pipelines", 2),
    ("/users", 1),
    ("/tags", 1),
)


async def test_pages_cost_a_fixed_number_of_statements(world: World) -> None:
    for stop in (*(worker.stop for worker in world.hub.workers), world.hub.live.stop):
        await stop()  # their own reading would be counted
    await fill(world, 3)
    (lead_of_first, *_) = (await world.get("/leads"))["items"]
    await world.post(f"/leads/{lead_of_first['id']}/convert")
    caller = (await world.get("/contacts", params={"identity": "tel:+79161000000"}))["items"][0]["id"]
    call = (await world.get("/calls"))["items"][0]["id"]
    await world.get(f"/contacts/{caller}/timeline")  # what is configured is read anew once it changed, and kept
    first = await costs(world, caller, call)
    await fill_more(world)
    assert await costs(world, caller, call) == first == {path: TOKEN + cost for path, cost in COSTS}


async def fill_more(world: World) -> None:
    await world.take(*(message(5000 + n, f"x{n}", later(n)) for n in range(40)))
    await world.take(*(missed(f"y{n}", "+79161000000", later(500 + n)) for n in range(40)))


async def costs(world: World, contact_id: int, call_id: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for path, _ in COSTS:
        with statements(world.hub.store) as seen:
            await world.get(path.format(contact=contact_id, call=call_id))
        found[path] = len([each for each in seen if not each.startswith(("BEGIN", "COMMIT", "ROLLBACK"))])
    return found


# ---------------------------------------------------------------- plans


def hot(at: Any) -> dict[str, Select[Any]]:
    """What pages and pollers ask all day."""
    cursor = moment_cursor(at, 0, 5)
    return {
        "timeline by commit": by_commit(1001, 5).limit(100),
        "timeline as it happened": by_time(1001, None).limit(100),
        "timeline as it happened, further": by_time(1001, cursor).limit(100),
        "timeline, newest": by_time(1001, cursor, newest_first=True).limit(100),
        "attachments": select(attachment).where(attachment.c.entry_id.in_([1, 2])),
        "identities": select(identity).where(identity.c.contact_id.in_([1, 2])),
        "identity": select(identity.c.contact_id).where(identity.c.key == "tel:+79161000000"),
        "contact": select(contact).where(contact.c.id == 5),
        "contacts": select(contact).where(contact.c.id < 5).order_by(contact.c.id.desc()).limit(100),
        "leads": select(lead).where(lead.c.status == LeadStatus.NEW).order_by(lead.c.id.desc()).limit(100),
        "leads of a contact": select(lead).where(lead.c.contact_id == 5).order_by(lead.c.id.desc()),
        "cases": select(contact_case)
        .where(contact_case.c.state == CaseState.OPEN)
        .order_by(contact_case.c.id)
        .limit(100),
        "deadlines": select(deadline).where(deadline.c.key.in_(["case.rung:1", "case.promise:1"])),
        "calls": calls_statement(CallFilter(), None).limit(100),
        "calls since": calls_statement(CallFilter(state=CallState.MISSED, since=at), None).limit(100),
        "decisions": select(route_decision).where(route_decision.c.pbx == "a", route_decision.c.call_id == "b"),
        "failed facts": journal_statement(JournalFilter(state=JournalState.FAILED), None).limit(100),
    }


async def test_hot_pages_are_found_by_an_index(world: World) -> None:
    await fill(world, 30)
    plans: dict[str, str] = {}

    def explain(conn: Connection) -> None:
        sqlite = conn.dialect.name == "sqlite"
        if not sqlite:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")  # small tables are read whole otherwise
        for name, statement in hot(world.clock.now() - timedelta(hours=1)).items():
            text = str(statement.compile(conn, compile_kwargs={"literal_binds": True}))
            prefix = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
            plans[name] = "\n".join(str(row[-1]) for row in conn.exec_driver_sql(prefix + text))

    await world.hub.store.database.read(explain, at_length=True)
    assert {name: plan for name, plan in plans.items() if whole(plan)} == {}


def whole(plan: str) -> bool:
    """Whether a table is read whole, or sorted for lack of an index."""
    lines = [line.strip() for line in plan.splitlines()]
    scans: Callable[[str], bool] = lambda line: line.startswith("SCAN ") and " USING " not in line  # noqa: E731 - a word for the next line
    return any("Seq Scan" in line or scans(line) for line in lines)


@pytest.mark.parametrize("query", ["order=committed", "order=occurred"])
async def test_a_page_of_a_timeline_is_not_sorted(world: World, query: str) -> None:
    if not world.hub.store.database.sqlite:
        return  # the planner's choice there depends on statistics
    statement = by_commit(1001, 5) if query.endswith("committed") else by_time(1001, None)

    def explain(conn: Connection) -> str:
        text = str(statement.compile(conn, compile_kwargs={"literal_binds": True}))
        return "\n".join(str(row[-1]) for row in conn.exec_driver_sql("EXPLAIN QUERY PLAN " + text))

    assert "TEMP B-TREE" not in await world.hub.store.database.read(explain, at_length=True)
