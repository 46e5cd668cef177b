"""Calls as the workspace lists them: with their clients, recordings, and how each was given out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, and_, literal, or_, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.access import Access, Right
from crm_core.model.call import CallState, Direction
from crm_core.model.call_now import HERALDED
from crm_core.model.records import CallRecord, RecordingRecord
from crm_core.storage.queries.calls import GivenOut
from crm_core.storage.queries.contacts import ContactCard, cards_of
from crm_core.storage.queries.pages import (
    Page,
    Slice,
    all_of,
    both,
    moment_cursor,
    page_of,
    parse_moment_cursor,
)
from crm_core.storage.queries.recordings import recordings_of
from crm_core.storage.tables import call, contact, route_decision
from crm_core.storage.types import UtcDateTime


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which calls are wanted. `until` is exclusive; `login` means calls this person answered and those of their
    clients; `going_on` those that have begun and are not over; `refused=False` none that a special list refused."""

    states: tuple[CallState, ...] = ()
    direction: Direction | None = None
    since: datetime | None = None
    until: datetime | None = None
    line: str | None = None
    login: str | None = None
    going_on: bool = False
    refused: bool = True


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call, whose it is, what can be heard of it, and the decisions on it, first attempt first."""

    call: CallRecord
    client: ContactCard | None
    recording: RecordingRecord | None
    decisions: tuple[GivenOut, ...]


def list_rows(conn: Connection, access: Access, wanted: RowFilter, where: Slice) -> Page[CallRow]:
    """Calls, the newest first. Five statements at most, whatever their number. Raises Forbidden for whoever sees no
    calls."""
    access.demand(Right.SEE_CALLS)
    records = all_of(conn, CallRecord, rows_statement(wanted, where.after).limit(where.limit + 1))
    page = page_of(records, where.limit, lambda record: moment_cursor(record.started_at, record.id))
    clients = cards_of(conn, [record.contact_id for record in page.items if record.contact_id is not None])
    recordings = recordings_of(conn, page.items)
    decisions = _decisions(conn, page.items)
    return page.map(
        lambda record: CallRow(
            record,
            clients.get(record.contact_id) if record.contact_id is not None else None,
            recordings.get(record.id),
            tuple(decisions.get((record.pbx, record.linkedid), ())),
        )
    )


def rows_statement(wanted: RowFilter, after: str | None) -> Select[Any]:
    """The query behind `list_rows`."""
    place = (call.c.started_at, call.c.id)
    conditions = both(
        (
            call.c.state.in_(wanted.states) if wanted.states else None,
            call.c.direction == wanted.direction if wanted.direction is not None else None,
            call.c.started_at >= wanted.since if wanted.since is not None else None,
            call.c.started_at < wanted.until if wanted.until is not None else None,
            call.c.line == wanted.line if wanted.line is not None else None,
            _of(wanted.login) if wanted.login is not None else None,
            and_(call.c.finished_at.is_(None), call.c.progress != HERALDED) if wanted.going_on else None,
            or_(call.c.state != CallState.REJECTED, call.c.list_name.is_(None)) if not wanted.refused else None,
        )
    )
    if after is not None:
        at, (call_id,) = parse_moment_cursor(after, 1)
        conditions.append(tuple_(*place) < tuple_(literal(at, UtcDateTime()), literal(call_id, BigInteger())))
    return select(call).where(*conditions).order_by(*(column.desc() for column in place))


def _of(login: str) -> ColumnElement[bool]:
    theirs = select(contact.c.id).where(contact.c.manager == login)
    return or_(call.c.answered_by == login, call.c.contact_id.in_(theirs))


def _decisions(conn: Connection, records: Sequence[CallRecord]) -> dict[tuple[str, str], list[GivenOut]]:
    places = [(record.pbx, record.linkedid) for record in records]
    if not places:
        return {}
    table = route_decision
    statement = (
        select(table)
        .where(table.c.pbx.in_({pbx for pbx, _ in places}), table.c.call_id.in_([linked for _, linked in places]))
        .order_by(table.c.attempt, table.c.id)
    )
    found: dict[tuple[str, str], list[GivenOut]] = {}
    for row in conn.execute(statement):
        found.setdefault((row.pbx, row.call_id), []).append(
            GivenOut(
                row.attempt,
                row.action,
                tuple(row.endpoints),
                row.reason,
                tuple(row.trace),
                row.decided_at,
                row.took_ms,
            )
        )
    return found
