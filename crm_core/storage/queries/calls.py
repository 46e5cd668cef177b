"""Telephone calls as they are listed, and how each was given out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, literal, select, tuple_

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right
from crm_core.model.call import CallState, Direction
from crm_core.model.records import CallRecord
from crm_core.storage.queries.pages import (
    Page,
    Slice,
    all_of,
    both,
    moment_cursor,
    one_of,
    page_of,
    parse_moment_cursor,
)
from crm_core.storage.tables import call, route_decision
from crm_core.storage.types import UtcDateTime


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls are wanted; `since` bounds their start."""

    state: CallState | None = None
    direction: Direction | None = None
    since: datetime | None = None
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class GivenOut:
    """One decision on a call, as it was answered to the PBX. `took_ms` milliseconds."""

    attempt: int
    action: str
    endpoints: tuple[str, ...]
    reason: str
    trace: tuple[dict[str, str], ...]
    decided_at: datetime
    took_ms: float


def list_calls(conn: Connection, access: Access, wanted: CallFilter, where: Slice) -> Page[CallRecord]:
    """Calls, the newest first. One statement. Raises Forbidden for whoever sees no calls."""
    access.demand(Right.SEE_CALLS)
    rows = all_of(conn, CallRecord, calls_statement(wanted, where.after).limit(where.limit + 1))
    return page_of(rows, where.limit, lambda record: moment_cursor(record.started_at, record.id))


def calls_statement(wanted: CallFilter, after: str | None) -> Select[Any]:
    """The query behind `list_calls`."""
    place = (call.c.started_at, call.c.id)
    conditions = both(
        (
            call.c.state == wanted.state if wanted.state is not None else None,
            call.c.direction == wanted.direction if wanted.direction is not None else None,
            call.c.started_at >= wanted.since if wanted.since is not None else None,
            call.c.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
        )
    )
    if after is not None:
        at, (call_id,) = parse_moment_cursor(after, 1)
        conditions.append(tuple_(*place) < tuple_(literal(at, UtcDateTime()), literal(call_id, BigInteger())))
    return select(call).where(*conditions).order_by(*(column.desc() for column in place))


def one_call(conn: Connection, access: Access, call_id: int) -> CallRecord:
    """One call; raises NotFound, Forbidden."""
    access.demand(Right.SEE_CALLS)
    found = one_of(conn, CallRecord, call_id)
    if found is None:
        raise NotFound("there is no call {call}", call=call_id)
    return found


def calls_named(conn: Connection, call_ids: Collection[int]) -> list[CallRecord]:
    """These calls, the oldest first; one statement."""
    return all_of(conn, CallRecord, select(call).where(call.c.id.in_(call_ids)).order_by(call.c.id))


def given_out(conn: Connection, record: CallRecord) -> tuple[GivenOut, ...]:
    """The decisions on a call, first attempt first."""
    statement = (
        select(route_decision)
        .where(route_decision.c.pbx == record.pbx, route_decision.c.call_id == record.linkedid)
        .order_by(route_decision.c.attempt, route_decision.c.id)
    )
    return tuple(
        GivenOut(
            row.attempt,
            row.action,
            tuple(row.endpoints),
            row.reason,
            tuple(row.trace),
            row.decided_at,
            row.took_ms,
        )
        for row in conn.execute(statement)
    )
