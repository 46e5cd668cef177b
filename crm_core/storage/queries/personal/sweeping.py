"""What names a person without being theirs: found by what stands in it, and taken out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Text, and_, cast, delete, func, literal, or_, select, update

from crm_core.storage.queries.personal.person import Condition, Person
from crm_core.storage.queries.personal.places import ERASED
from crm_core.storage.searching import like
from crm_core.storage.tables import idempotency, import_problem, journal, outbox, webhook_delivery

_DIGITS = re.compile(r"\D")
_PAGE = 5000


def sweep_small(conn: Connection, of: Person) -> dict[str, int]:
    """Queues, deliveries, kept answers and lines of imports that name the person; how many of each."""
    found: dict[str, int] = {}
    if not of.needles:
        return found
    for name, table, column in (
        ("outbox", outbox, outbox.c.payload),
        ("webhook_delivery", webhook_delivery, webhook_delivery.c.payload),
    ):
        named = or_(*(cast(column, Text).like(like(needle), escape="\\") for needle in of.needles))
        found[name] = conn.execute(update(table).where(named).values(payload={})).rowcount
    answers = or_(*(_holds(idempotency.c.response, conn, needle.encode()) for needle in of.needles))
    found["idempotency"] = conn.execute(delete(idempotency).where(answers)).rowcount
    found["import_problem"] = _sweep_problems(conn, of)
    return {name: number for name, number in found.items() if number}


def _sweep_problems(conn: Connection, of: Person) -> int:
    """Lines of imports hold numbers however somebody wrote them: each is looked at."""
    columns, above, number = import_problem.c, "", 0
    while True:
        statement = select(columns.key, columns.error, columns.cells).where(columns.key > above)
        rows = conn.execute(statement.order_by(columns.key).limit(_PAGE)).all()
        if not rows:
            return number
        above = rows[-1][0]
        named = [key for key, error, cells in rows if _names([error, cells], of.needles)]
        if named:
            blank = update(import_problem).where(columns.key.in_(named)).values(cells=[ERASED], error=ERASED)
            number += conn.execute(blank).rowcount


def sweep_journal(conn: Connection, of: Person, above: int) -> tuple[int | None, int]:
    """Raw facts behind an id in which a number or an address of the person stands: their content goes. The last id
    looked at, None at the end; how many it were."""
    ids = [
        row[0]
        for row in conn.execute(select(journal.c.id).where(journal.c.id > above).order_by(journal.c.id).limit(_PAGE))
    ]
    if not ids or not of.needles:
        return None, 0
    contains = [_holds(journal.c.raw, conn, needle.encode()) for needle in of.needles]
    where = and_(journal.c.id > above, journal.c.id <= ids[-1], or_(*contains))
    number = conn.execute(update(journal).where(where).values(raw=b"", error=None)).rowcount
    return ids[-1], number


def _holds(column: Column[Any], conn: Connection, needle: bytes) -> Condition:
    if conn.dialect.name == "sqlite":
        return func.instr(column, literal(needle)) > 0
    return func.position(literal(needle).op("IN")(column)) > 0


def _names(value: Any, needles: Sequence[str]) -> bool:
    """Whether a text somewhere in a JSON value names the person, numbers however they are written."""
    match value:
        case str():
            digits = _DIGITS.sub("", value)
            return any(needle in value or (needle.isdigit() and needle in digits) for needle in needles)
        case dict():
            return any(_names(each, needles) for each in value.values())
        case list() | tuple():
            return any(_names(each, needles) for each in value)
        case _:
            return False
