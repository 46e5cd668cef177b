"""Alarms as they are listed, and what the silence of a line is judged by."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from crm_core.model.alarm import AlarmKind
from crm_core.model.records import AlarmRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, both, number_cursor, page_of
from crm_core.storage.tables import alarm


def list_alarms(conn: Connection, where: Slice, *, lasting: bool) -> Page[AlarmRecord]:
    """Alarms, the newest first; `lasting` only those that are not over. One statement."""
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
