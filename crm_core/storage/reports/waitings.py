"""Waitings: what the reports on missed calls are made of.

A client begins to wait with the first missed call after the last conversation (or a person's reply in any channel), and
waits until the next conversation or reply, whoever called or wrote. Further misses belong to the same waiting. What a
missed call is, the timeline says: a call refused by a special list, or given up within moments, is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Text, bindparam, text
from sqlalchemy.sql.expression import TextualSelect

from crm_core.storage.reports.base import By, Wanted
from crm_core.storage.types import UtcDateTime

_LONGEST_CALL = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A client's waiting: its first and last miss, how many there were, when it ended (None: it goes on).

    `manager` is the client's own, else that of their open lead. `line` and `number` are those of the last missed call.
    `closed` is the reason for which somebody closed the case by hand since then.
    """

    contact_id: int
    name: str
    manager: str | None
    begun: datetime
    last: datetime
    misses: int
    returned: datetime | None
    line: str
    number: str
    closed: str | None


_SQL = """
WITH involved AS (
  SELECT DISTINCT c.contact_id FROM "call" AS c JOIN timeline AS t ON t.id = c.entry_id
  WHERE c.started_at >= :before AND c.started_at < :until AND c.direction = 'in' AND t.signal = 'miss'
), signals AS (
  SELECT t.contact_id, t.id, t.call_id, COALESCE(t.signal_at, t.occurred_at) AS at,
    CASE WHEN t.signal = 'miss' THEN 1 ELSE 0 END AS miss
  FROM involved AS i JOIN timeline AS t ON t.contact_id = i.contact_id WHERE t.signal IN ('miss', 'talk', 'reply')
), runs AS (
  SELECT contact_id, id, call_id, at, miss, SUM(1 - miss) OVER (
    PARTITION BY contact_id ORDER BY at, miss DESC, id ROWS UNBOUNDED PRECEDING) AS run
  FROM signals
), misses AS (
  SELECT contact_id, run, call_id, at, ROW_NUMBER() OVER (
    PARTITION BY contact_id, run ORDER BY at DESC, id DESC) AS back
  FROM runs WHERE miss = 1
), waits AS (
  SELECT contact_id, run, MIN(at) AS begun, MAX(at) AS last, COUNT(*) AS misses,
    MAX(CASE WHEN back = 1 THEN call_id END) AS last_call
  FROM misses GROUP BY contact_id, run
), ends AS (
  SELECT contact_id, run, MIN(at) AS at FROM runs WHERE miss = 0 GROUP BY contact_id, run
), waitings AS (
  SELECT w.contact_id, k.name, COALESCE(k.manager, l.manager) AS manager, w.begun, w.last, w.misses,
    e.at AS returned, c.pbx, c.line, c.number,
    (SELECT z.reason FROM timeline AS z WHERE z.contact_id = w.contact_id AND z.signal = 'close'
      AND COALESCE(z.signal_at, z.occurred_at) >= w.last
      ORDER BY COALESCE(z.signal_at, z.occurred_at) DESC, z.id DESC LIMIT 1) AS closed
  FROM waits AS w JOIN contact AS k ON k.id = w.contact_id
    LEFT JOIN ends AS e ON e.contact_id = w.contact_id AND e.run = w.run + 1
    LEFT JOIN lead AS l ON l.contact_id = w.contact_id AND l.status IN ('new', 'taken')
    LEFT JOIN "call" AS c ON c.id = w.last_call
)
SELECT contact_id, name, manager, begun, last, misses, returned, pbx, line, number, closed FROM waitings
WHERE {condition}{own}
ORDER BY {order} DESC, contact_id DESC LIMIT :most
"""

BEGUN = "begun >= :since AND begun < :until"
"""Waitings that began in the period."""

NEVER_RETURNED = f"{BEGUN} AND returned IS NULL"
"""Those of them that go on."""

OWED = "last >= :since AND last < :until AND returned IS NULL AND closed IS NULL"
"""Waitings that go on, with their last miss in the period, and nobody has said that nothing is owed."""


def waitings(conn: Connection, wanted: Wanted, condition: str, *, order: str = "begun") -> list[Waiting]:
    """The waitings that meet a condition, the newest first; at most `wanted.counted`. One statement."""
    rows = conn.execute(waitings_statement(wanted, condition, order=order), parameters(wanted))
    return [
        Waiting(
            contact_id=row.contact_id,
            name=row.name,
            manager=row.manager,
            begun=row.begun,
            last=row.last,
            misses=row.misses,
            returned=row.returned,
            line=wanted.line(row.pbx, row.line),
            number=wanted.number(row.number),
            closed=row.closed,
        )
        for row in rows
    ]


def waitings_statement(wanted: Wanted, condition: str, *, order: str = "begun") -> TextualSelect:
    """The query behind `waitings`; it reads the calls of the period and the timelines of those who missed somebody."""
    own = " AND manager = :login" if wanted.login is not None else ""
    return (
        text(_SQL.format(condition=condition, own=own, order=order))
        .bindparams(*(bindparam(name, type_=UtcDateTime()) for name in ("before", "since", "until")))
        .columns(
            contact_id=BigInteger,
            name=Text,
            manager=Text,
            begun=UtcDateTime,
            last=UtcDateTime,
            misses=Integer,
            returned=UtcDateTime,
            pbx=Text,
            line=Text,
            number=Text,
            closed=Text,
        )
    )


def parameters(wanted: Wanted) -> dict[str, Any]:
    """The values of the query's parameters."""
    found: dict[str, Any] = {
        "before": wanted.since - _LONGEST_CALL,
        "since": wanted.since,
        "until": wanted.until,
        "most": wanted.counted,
    }
    if wanted.login is not None:
        found["login"] = wanted.login
    return found


def key_of(wanted: Wanted, waiting: Waiting, by: By, at: datetime) -> str | None:
    """What a waiting is grouped under; `at` decides the month."""
    match by:
        case By.MANAGER:
            return waiting.manager
        case By.LINE:
            return waiting.line
        case By.MONTH:
            return wanted.month(at)
