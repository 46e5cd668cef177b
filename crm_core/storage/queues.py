"""The durable queues: deadlines that have come, and outbox rows to be done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection

from crm_core.model.access import Access, Right, demand
from crm_core.model.records import DeadlineRecord, OutboxRecord, OutboxState
from crm_core.storage import bulk
from crm_core.storage.types import to_micros
from crm_core.wording import cut, kept

_ERROR_LENGTH = 2000


def due_deadlines(conn: Connection, now: datetime, limit: int) -> list[DeadlineRecord]:
    """Deadlines that have come, oldest first.

    On PostgreSQL those in the hands of another worker are left out; on SQLite there is only one writer. Either way
    the service that fires one reads it again under its contact's lock.
    """
    columns = bulk.select_list(DeadlineRecord, "t", conn.dialect.name)
    mark = bulk.placeholder(conn, 1)
    found = f"SELECT * FROM deadline WHERE due_at <= {mark} ORDER BY due_at LIMIT {int(limit)}"
    free = "" if conn.dialect.name == "sqlite" else " WHERE pg_try_advisory_xact_lock(hashtextextended(t.key, 0))"
    sql = f"SELECT {columns} FROM ({found}) AS t{free} ORDER BY t.due_at"
    return bulk.read(conn, DeadlineRecord, sql, (moment(conn, now),))


def next_deadline(conn: Connection) -> datetime | None:
    """When the next deadline comes."""
    columns = bulk.select_list(DeadlineRecord, "t", conn.dialect.name)
    sql = f"SELECT {columns} FROM deadline AS t ORDER BY t.due_at LIMIT 1"
    found = bulk.read(conn, DeadlineRecord, sql)
    return found[0].due_at if found else None


def postpone_deadline(conn: Connection, deadline: DeadlineRecord, until: datetime, error: str) -> None:
    """A deadline could not be fired: try again later, visibly."""
    marks = [bulk.placeholder(conn, position) for position in range(1, 5)]
    sql = (
        f"UPDATE deadline SET due_at = {marks[0]}, attempts = attempts + 1, error = {marks[1]}"
        f" WHERE key = {marks[2]} AND due_at = {marks[3]}"
    )
    parameters = (moment(conn, until), kept(cut(error, _ERROR_LENGTH)), deadline.key, moment(conn, deadline.due_at))
    conn.exec_driver_sql(sql, parameters)


def claim_outbox(conn: Connection, now: datetime, owner: str, lease: timedelta, limit: int) -> list[OutboxRecord]:
    """Rows to be done now, each the first of its lane, given to `owner` until the lease ends."""
    sqlite = conn.dialect.name == "sqlite"
    m = [bulk.placeholder(conn, position) for position in range(1, 7)]
    lock = "" if sqlite else " FOR UPDATE OF o SKIP LOCKED"
    chosen = (
        "SELECT o.id FROM outbox AS o WHERE o.state = 'queued'"
        f" AND o.not_before <= {m[2]} AND (o.claimed_until IS NULL OR o.claimed_until < {m[3]})"
        " AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.state = 'queued' AND e.lane = o.lane AND e.id < o.id)"
        f" ORDER BY o.not_before, o.id LIMIT {int(limit)}{lock}"
    )
    columns = bulk.select_list(OutboxRecord, "outbox", conn.dialect.name)
    if sqlite:
        columns = columns.replace("outbox.", "")
    sql = (
        f"UPDATE outbox SET claimed_by = {m[0]}, claimed_until = {m[1]}, attempts = attempts + 1,"
        f" started = started + 1 WHERE id IN ({chosen}) RETURNING {columns}"
    )
    until = moment(conn, now + lease)
    claimed = bulk.read(conn, OutboxRecord, sql, (owner, until, moment(conn, now), moment(conn, now)))
    return sorted(claimed, key=lambda record: record.id)


def next_outbox(conn: Connection, now: datetime) -> datetime | None:
    """When the next row may be done that nobody works on and that is the first of its lane.

    What others work on says nothing of when there is work again: one slow provider must not hold up everybody else.
    """
    columns = bulk.select_list(OutboxRecord, "o", conn.dialect.name)
    sql = (
        f"SELECT {columns} FROM outbox AS o WHERE o.state = 'queued'"
        f" AND (o.claimed_until IS NULL OR o.claimed_until < {bulk.placeholder(conn, 1)})"
        " AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.state = 'queued' AND e.lane = o.lane AND e.id < o.id)"
        " ORDER BY o.not_before, o.id LIMIT 1"
    )
    found = bulk.read(conn, OutboxRecord, sql, (moment(conn, now),))
    return found[0].not_before if found else None


def finish_outbox(conn: Connection, record: OutboxRecord, state: OutboxState, now: datetime, error: str | None) -> bool:
    """Note the end of a row; False where the claim was lost meanwhile to another worker."""
    m = [bulk.placeholder(conn, position) for position in range(1, 6)]
    sql = (
        f"UPDATE outbox SET state = {m[0]}, done_at = {m[1]}, error = {m[2]}, claimed_by = NULL, claimed_until = NULL,"
        f" started = 0 WHERE id = {m[3]} AND claimed_by = {m[4]} AND state = 'queued'"
    )
    text = kept(cut(error, _ERROR_LENGTH)) if error is not None else None
    result = conn.exec_driver_sql(sql, (str(state), moment(conn, now), text, record.id, record.claimed_by))
    return result.rowcount == 1


def retry_outbox(conn: Connection, record: OutboxRecord, not_before: datetime, error: str, *, known: bool) -> None:
    """Put a row back for later; `known` says that the try certainly had no effect."""
    m = [bulk.placeholder(conn, position) for position in range(1, 5)]
    started = ", started = 0" if known else ""
    sql = (
        f"UPDATE outbox SET not_before = {m[0]}, error = {m[1]}, claimed_by = NULL, claimed_until = NULL{started}"
        f" WHERE id = {m[2]} AND claimed_by = {m[3]} AND state = 'queued'"
    )
    text = kept(cut(error, _ERROR_LENGTH))
    conn.exec_driver_sql(sql, (moment(conn, not_before), text, record.id, record.claimed_by))


def depth(conn: Connection, access: Access | None) -> dict[str, int]:
    """How many rows stand in each queue: `outbox`, `outbox_failed`, `deadline`, `journal_failed`. Raises Forbidden for
    whoever sees no alarms."""
    demand(access, Right.SEE_ALARMS)
    counts = {
        "outbox": "SELECT count(*) FROM outbox WHERE state = 'queued'",
        "outbox_failed": "SELECT count(*) FROM outbox WHERE state = 'failed'",
        "deadline": "SELECT count(*) FROM deadline",
        "journal_failed": "SELECT count(*) FROM journal WHERE state = 'failed'",
    }
    return {name: int(conn.exec_driver_sql(sql).scalar_one()) for name, sql in counts.items()}


def prune(conn: Connection, before: datetime, done_before: datetime) -> None:
    """Forget what is only of passing use: the change feed and idempotency keys, outbox rows that were done, what was
    told of messages that never got to be known, deliveries to other programs that ended, who heard that the office was
    closed, and what rules, chains and broadcasts that are over sent: their own traces keep them from doing it again.

    What was given up stays.
    """
    mark = bulk.placeholder(conn, 1)
    conn.exec_driver_sql(f"DELETE FROM outbox WHERE state = 'done' AND done_at < {mark}", (moment(conn, done_before),))
    conn.exec_driver_sql(
        f"DELETE FROM message_ref WHERE entry_id IS NULL AND at < {mark}", (moment(conn, done_before),)
    )
    conn.exec_driver_sql(
        f"DELETE FROM webhook_delivery WHERE created_at < {mark} AND state <> 'waiting'", (moment(conn, done_before),)
    )
    # Greetings stay: they are given once for good.
    conn.exec_driver_sql(
        f"DELETE FROM auto_answer WHERE at < {mark} AND (key LIKE 'off_hours:%' OR key LIKE 'sent:%'"
        " OR (key LIKE 'broadcast:%' AND NOT EXISTS (SELECT 1 FROM broadcast AS b"
        " WHERE b.state IN ('running', 'paused') AND auto_answer.key LIKE 'broadcast:' || b.id || ':%')))",
        (moment(conn, done_before),),
    )
    for table, column in (("feed", "at"), ("idempotency", "created_at")):
        conn.exec_driver_sql(
            f'DELETE FROM "{table}" WHERE "{column}" < {mark}',
            (moment(conn, before),),
        )


def moment(conn: Connection, at: datetime) -> Any:
    """A moment as a plain parameter of the engine."""
    return to_micros(at) if conn.dialect.name == "sqlite" else at


def as_json(value: Any) -> str:
    """A JSON parameter."""
    return orjson.dumps(value).decode()
