"""Alarms as they are listed, and what the silence of a line is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.access import Access, Right, demand
from crm_core.model.alarm import AlarmKind
from crm_core.model.call import Direction
from crm_core.model.records import AlarmRecord
from crm_core.model.silence import SLOT
from crm_core.storage.queries.pages import Page, Slice, all_of, both, number_cursor, page_of
from crm_core.storage.tables import alarm, call
from crm_core.storage.types import UtcDateTime


def list_alarms(conn: Connection, access: Access | None, where: Slice, *, lasting: bool) -> Page[AlarmRecord]:
    """Alarms, the newest first; `lasting` only those that are not over. One statement. Raises Forbidden."""
    demand(access, Right.SEE_ALARMS)
    after = number_cursor(where.after)
    conditions = both(
        (
            alarm.c.ended_at.is_(None) if lasting else None,
            alarm.c.id < after if after is not None else None,
        )
    )
    statement = select(alarm).where(*conditions).order_by(alarm.c.id.desc()).limit(where.limit + 1)
    return page_of(all_of(conn, AlarmRecord, statement), where.limit, lambda record: str(record.id))


def count_open(conn: Connection) -> dict[AlarmKind, int]:
    """How many alarms of each kind last; kinds without any are left out."""
    statement = select(alarm.c.kind, func.count()).where(alarm.c.ended_at.is_(None)).group_by(alarm.c.kind)
    return {AlarmKind(kind): int(count) for kind, count in conn.execute(statement)}


def lasting_of(conn: Connection, kind: AlarmKind) -> frozenset[str]:
    """What the alarms of a kind that are not over are about. One statement."""
    statement = select(alarm.c.subject).where(alarm.c.ended_at.is_(None), alarm.c.kind == kind)
    return frozenset(row[0] for row in conn.execute(statement))


@dataclass(frozen=True, slots=True)
class LineCalls:
    """The inbound calls of a number as dialled on a PBX: how many in each half hour, and when the last one came."""

    slots: Mapping[int, int]
    last: datetime


def calls_by_slot(conn: Connection, access: Access | None, since: datetime) -> dict[tuple[str, str], LineCalls]:
    """Inbound calls from a moment on, by (pbx, number dialled); see `crm_core.model.silence.slot_of`.

    One statement, grouped by the database; it reads the calls of that time only (`ix_call_started_at`). Raises
    Forbidden for whoever sees no calls.
    """
    demand(access, Right.SEE_CALLS)
    slots: dict[tuple[str, str], dict[int, int]] = {}
    last: dict[tuple[str, str], datetime] = {}
    for pbx, line, slot, count, newest in conn.execute(slots_statement(conn.dialect.name, since)):
        place = (pbx, line)
        slots.setdefault(place, {})[int(slot)] = int(count)
        last[place] = max(newest, last.get(place, newest))
    return {place: LineCalls(counts, last[place]) for place, counts in slots.items()}


def slots_statement(engine: str, since: datetime) -> Select[Any]:
    """The query behind `calls_by_slot`."""
    seconds = int(SLOT.total_seconds())
    if engine == "sqlite":
        slot: ColumnElement[Any] = literal_column(f"call.started_at / {seconds * 1_000_000}")
    else:
        slot = literal_column(f"CAST(floor(extract(epoch FROM call.started_at) / {seconds}) AS bigint)")
    newest = func.max(call.c.started_at, type_=UtcDateTime())
    return (
        select(call.c.pbx, call.c.line, slot, func.count(), newest)
        .where(call.c.started_at >= since, call.c.direction == Direction.IN, call.c.line != "")
        .group_by(call.c.pbx, call.c.line, slot)
    )
