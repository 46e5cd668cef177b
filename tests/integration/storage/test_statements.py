"""A batch costs a fixed number of statements, and the statements of the hot path use indexes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from crm_core.messages import (
    Delivery,
    DeliveryChanged,
    EntryKind,
    InboundEvent,
    MessageReceived,
    MessageSent,
    Noted,
    ReactionChanged,
    Thread,
)
from crm_core.model.channel import ChannelKey
from crm_core.model.conversation import MessageRefRecord
from crm_core.model.identity import parse_identity
from crm_core.model.office import Office
from crm_core.model.policy import AccountPolicy
from crm_core.storage import queues
from crm_core.storage.work import SqlWork
from tests.integration.storage.world import (
    MAIL,
    OFFICE,
    SHOP,
    World,
    at,
    edit,
    fact,
    form,
    mail,
    message,
    missed,
    moved,
    ringing,
    talked,
    tg,
    world_on,
)
from tests.statements import Statement, heard, statements

# What a batch costs: the exact numbers, so that a statement more is noticed.
STRANGERS = 17
KNOWN = 14
NEW_CASES = 19
LATE = 19
TIES = 16
ALL_KINDS = 20
DEALS = 16
TOLD = 23
THREADS = 18
IN_LINE = 2  # on PostgreSQL, before contacts of strangers are made: to stand in line, and to look once more


async def cost(world: World, batch: list[InboundEvent]) -> int:
    with statements(world.store) as seen:
        await world.take(*batch)
    return len([each for each in seen if not each.startswith(("BEGIN", "COMMIT")) and not _for_ids(each)])


def in_line(world: World) -> int:
    """What strangers cost besides."""
    return 0 if world.store.database.sqlite else IN_LINE


def held(world: World) -> int:
    """What it costs that nobody takes a stage out of use meanwhile."""
    return 0 if world.store.database.sqlite else 1


def _for_ids(statement: str) -> bool:
    """Ids come in blocks, once in many batches."""
    return "nextval" in statement or "id_block" in statement


def strangers(first: int, number: int) -> list[InboundEvent]:
    return [message(first + n, f"m{n}", at(n)) for n in range(number)]


async def test_strangers(world: World) -> None:
    await world.take(message(1, "first", at(0)))
    ten = await cost(world, strangers(10_000, 10))
    hundred = await cost(world, strangers(20_000, 100))
    assert ten == hundred == STRANGERS + in_line(world)


async def test_known_clients_who_ask_again_and_again(world: World) -> None:
    await world.take(*strangers(10_000, 110))
    again = [message(10_000 + n, f"again{n}", at(1000 + n)) for n in range(110)]
    ten, hundred = await cost(world, again[:10]), await cost(world, again[10:])
    assert ten == hundred == KNOWN


async def test_known_clients_who_open_new_cases(world: World) -> None:
    numbers = [f"+7916{n:07}" for n in range(110)]
    await world.take(*(talked(f"first-{number}", number, at(0)) for number in numbers))
    again = [missed(f"again-{number}", number, at(1000)) for number in numbers]
    ten, hundred = await cost(world, again[:10]), await cost(world, again[10:])
    assert ten == hundred == NEW_CASES


async def test_late_facts_of_known_clients(world: World) -> None:
    await world.take(*(message(10_000 + n, f"m{n}", at(1000 + n)) for n in range(110)))
    late = [message(10_000 + n, f"late{n}", at(n)) for n in range(110)]
    ten, hundred = await cost(world, late[:10]), await cost(world, late[10:])
    assert ten == hundred == LATE


async def test_facts_out_of_order_within_a_batch(world: World) -> None:
    await world.take(*strangers(10_000, 110))

    def talk_and_ask(n: int) -> list[InboundEvent]:
        return [message(10_000 + n, f"a{n}", at(5000)), message(10_000 + n, f"b{n}", at(5000))]

    ten = await cost(world, [each for n in range(5) for each in talk_and_ask(n)])
    hundred = await cost(world, [each for n in range(5, 55) for each in talk_and_ask(n)])
    assert ten == hundred == TIES


async def test_all_kinds_of_facts(world: World) -> None:
    def batch(base: int, number: int) -> list[InboundEvent]:
        made: list[InboundEvent] = []
        for n in range(base, base + number):
            made += [
                message(n, f"m{n}", at(1)),
                edit(n, f"m{n}", at(2), "changed"),
                edit(n, f"other{n}", at(2), "changed early"),
                form(at(3), phone=f"+7917{n:07}", message="form"),
                mail(f"{n}@b.example", f"mail{n}", at(4)),
                moved(ringing(f"r{n}", f"+7918{n:07}", at(5))),
                missed(f"c{n}", f"+7919{n:07}", at(6)),
                talked(f"t{n}", f"+7920{n:07}", at(7)),
            ]
        return made

    await world.take(*batch(100, 1))
    two, twelve = await cost(world, batch(1000, 2)), await cost(world, batch(2000, 12))
    assert two == twelve == ALL_KINDS + in_line(world)


async def test_accounts_that_open_deals(migrated_url: str) -> None:
    plain = AccountPolicy(leads=False, pipeline="Магазин")
    office = Office(policies={SHOP: plain}, staff_channel=ChannelKey("telegram", "staff"), ladders=OFFICE.ladders)
    async with world_on(migrated_url, office) as world:
        await world.take(message(1, "first", at(0)))
        await world.take(message(2, "second", at(0)))  # the pipeline that the first one made is read
        ten = await cost(world, strangers(10_000, 10))
        hundred = await cost(world, strangers(20_000, 100))
        assert ten == hundred == DEALS + in_line(world) + held(world)
        assert len(await world.rows("deal")) == 112
        again = [message(20_000 + n, f"again{n}", at(1000 + n)) for n in range(100)]
        assert await cost(world, again[:10]) == await cost(world, again[10:]) <= DEALS
        assert len(await world.rows("deal")) == 112


async def test_what_is_told_of_messages(world: World) -> None:
    def batch(base: int, number: int) -> list[InboundEvent]:
        made: list[InboundEvent] = []
        for n in range(base, base + number):
            who = tg(n)
            made += [
                fact(SHOP, MessageSent(EntryKind.MESSAGE, "elsewhere", "s1"), at(1000), who),
                fact(SHOP, DeliveryChanged(Delivery.FAILED, ("s0",), number=n), at(1001), who),
                fact(SHOP, DeliveryChanged(Delivery.READ, ("s1",), upto=True), at(1002), who),
                fact(SHOP, DeliveryChanged(Delivery.READ, ("unknown",)), at(1002), who),
                fact(SHOP, ReactionChanged("m0", ("👍",)), at(1003), who),
                fact(SHOP, Noted("joined", enquiry=True), at(1004), who),
            ]
        return made

    clients = range(10_000, 10_040)
    await world.take(*(message(n, "m0", at(0)) for n in clients))
    await world.take(*(fact(SHOP, MessageSent(EntryKind.MESSAGE, "first", "s0"), at(10), tg(n)) for n in clients))
    few, many = await cost(world, batch(10_000, 4)), await cost(world, batch(10_004, 36))
    assert few == many == TOLD


async def test_mails_of_threads(world: World) -> None:
    def letters(base: int, number: int, when: int) -> list[InboundEvent]:
        made: list[InboundEvent] = []
        for n in range(base, base + number):
            thread = Thread(f"<{n}-{when}>", (f"<{n}-{when - 1}>",), None, "Цена")
            payload = MessageReceived(EntryKind.EMAIL, "text", thread.own, subject="Re: Цена", thread=thread)
            made.append(fact(MAIL, payload, at(when), parse_identity(f"mailto:client{n}@b.example")))
        return made

    await world.take(*letters(0, 40, 1))
    few, many = await cost(world, letters(0, 4, 2)), await cost(world, letters(4, 36, 2))
    assert few == many == THREADS


async def test_guesses_by_handles(world: World) -> None:
    def batch(base: int, number: int) -> list[InboundEvent]:
        made = (message(n, f"b{n}", at(5)) for n in range(base, base + number))
        return [replace(each, sender=replace(each.sender, handle=f"h{each.conversation[-3:]}")) for each in made]

    await world.take(*batch(10_000, 40))
    few, many = await cost(world, batch(20_000, 4)), await cost(world, batch(20_004, 36))
    assert few == many
    assert len(await world.rows("suggestion")) == 40


# ---------------------------------------------------------------- plans


def hot_path(conn: Connection, work: SqlWork) -> dict[str, Any]:
    """What is asked at every batch and every turn of a worker."""
    now = work.now
    return {
        "journal_seen": lambda: work.journal_seen([("telegram", "shop", "fact-1"), ("telegram", "shop", "fact-2")]),
        "contacts_by_identity": lambda: work.contacts_by_identity(["tg:10000", "tg:10001"]),
        "entries_by_ref": lambda: work.entries_by_ref(["telegram:shop:10000:m0"]),
        "open_leads": lambda: work.open_leads([1001, 1002]),
        "open_cases": lambda: work.open_cases([1001, 1002]),
        "cases_of": lambda: work.cases_of([1003]),
        "signals": lambda: work.signals([1001]),
        "calls": lambda: work.calls_by_linkedid([("office", "c1")]),
        "identities": lambda: work.identities([1001]),
        "due_deadlines": lambda: queues.due_deadlines(conn, now, 100),
        "next_deadline": lambda: queues.next_deadline(conn),
        "claim_outbox": lambda: queues.claim_outbox(conn, now, "me", _LEASE, 10),
        "message_owners": lambda: work.message_owners(["telegram:shop:10000:m0"], [17]),
        "entries_by_number": lambda: work.entries_by_number([17]),
        "unread": lambda: work.unread([1001]),
        "message_refs": lambda: work.related(MessageRefRecord, "key", ["telegram:shop:10000:m0"]),
        "thread_owners": lambda: work.thread_owners(["email:sales:<a>"], [1001]),
        "threads": lambda: work.threads(["email:sales:<a>"], [1001]),
        "last_of_threads": lambda: work.last_of_threads([1001], 20),
        "last_entry": lambda: work.last_entry(1001, "telegram", None),
    }


_LEASE = timedelta(seconds=30)
_WALKS = {"up", "down", "family"}  # rows already found of threads that are related


@pytest.fixture
async def full(world: World) -> World:
    """A world with enough rows for a planner to care."""
    for start in range(0, 2000, 200):
        await world.take(*strangers(10_000 + start, 200))
    if not world.store.database.sqlite:
        await world.store.database.write(lambda conn: conn.exec_driver_sql("ANALYZE"))
    return world


async def test_the_hot_path_reads_by_index(full: World) -> None:
    scans: dict[str, list[str]] = {}

    def explain(desk: Any) -> None:
        conn = desk.work.conn
        if not full.store.database.sqlite:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")  # small tables are read whole otherwise
        for name, ask in hot_path(conn, desk.work).items():
            plans: list[str] = []
            original = conn.exec_driver_sql

            def explained(sql: str, parameters: Any = (), plans: list[str] = plans, original: Any = original) -> Any:
                prefix = "EXPLAIN QUERY PLAN " if full.store.database.sqlite else "EXPLAIN "
                plans.extend(str(row[-1]) for row in original(prefix + sql, parameters))
                return original(sql, parameters)

            conn.exec_driver_sql = explained
            try:
                ask()
            finally:
                del conn.exec_driver_sql
            # A subquery's few rows are read whole, whatever found them.
            inner = {line.removeprefix("CO-ROUTINE ") for line in plans if line.startswith("CO-ROUTINE ")} | _WALKS
            scans[name] = [line for line in plans if _is_scan(line) and line.removeprefix("SCAN ") not in inner]

    await full.store.run(explain)
    assert len(scans) == 20
    assert {name: lines for name, lines in scans.items() if lines} == {}


def _is_scan(line: str) -> bool:
    """A table read whole, outside of an index."""
    if "Seq Scan" in line or " AUTOMATIC " in line:  # the latter is an index that SQLite builds for this one question
        return True
    return line.startswith("SCAN ") and not any(part in line for part in ("json_each", " USING ", "SCAN k "))


async def test_the_figures_of_a_day_do_not_read_all_timelines(full: World) -> None:
    plans: list[str] = []

    def explain(desk: Any) -> None:
        conn = desk.work.conn
        if not full.store.database.sqlite:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        asked: list[Statement] = []
        with heard(conn.engine, asked.append):
            desk.work.figures(desk.now, "ivan")
        prefix = "EXPLAIN QUERY PLAN " if full.store.database.sqlite else "EXPLAIN "
        for statement, parameters in asked:
            plans.extend(str(row[-1]) for row in conn.exec_driver_sql(prefix + statement, parameters))

    await full.store.run(explain)
    assert plans
    assert [line for line in plans if line == "SCAN t" or "Seq Scan on timeline" in line] == []
