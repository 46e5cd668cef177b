"""Days of a PBX compared with its call records, and what the comparison asks of the record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from crm_core.model.access import Access, Right
from crm_core.model.records import CallRecord, ReconciliationRecord
from crm_core.storage import bulk
from crm_core.storage.queries.pages import Page, Slice, all_of, both, number_cursor, page_of
from crm_core.storage.tables import call, reconciliation
from crm_core.storage.types import UtcDateTime


def known_calls(conn: Connection, pbx: str, linkedids: Sequence[str]) -> dict[str, CallRecord]:
    """The calls of a PBX by linkedid. One statement."""
    columns = bulk.select_list(CallRecord, "c", conn.dialect.name)
    mark, among = bulk.placeholder(conn, 1), bulk.among(conn, 2, "text")
    sql = f"SELECT {columns} FROM call AS c WHERE c.pbx = {mark} AND c.linkedid {among}"
    found = bulk.read(conn, CallRecord, sql, (pbx, bulk.keys(conn, linkedids)))
    return {record.linkedid: record for record in found}


def first_call(conn: Connection, pbx: str) -> datetime | None:
    """When the oldest known call of a PBX began; None where there is none."""
    statement = select(func.min(call.c.started_at, type_=UtcDateTime())).where(call.c.pbx == pbx)
    found: datetime | None = conn.execute(statement).scalar()
    return found


def newest_of(conn: Connection, pbx: str, days: Sequence[str]) -> dict[str, ReconciliationRecord]:
    """The newest comparison of each of these days; days without one are left out."""
    wanted = (
        select(func.max(reconciliation.c.id))
        .where(reconciliation.c.pbx == pbx, reconciliation.c.day.in_(days))
        .group_by(reconciliation.c.day)
    )
    statement = select(reconciliation).where(reconciliation.c.id.in_(wanted))
    return {record.day: record for record in all_of(conn, ReconciliationRecord, statement)}


def list_reconciliations(
    conn: Connection, access: Access, where: Slice, pbx: str | None = None
) -> Page[ReconciliationRecord]:
    """Comparisons, the newest first. One statement. Raises Forbidden for whoever sees no alarms."""
    access.demand(Right.SEE_ALARMS)
    after = number_cursor(where.after)
    conditions = both(
        (
            reconciliation.c.pbx == pbx if pbx is not None else None,
            reconciliation.c.id < after if after is not None else None,
        )
    )
    statement = select(reconciliation).where(*conditions).order_by(reconciliation.c.id.desc()).limit(where.limit + 1)
    return page_of(all_of(conn, ReconciliationRecord, statement), where.limit, lambda record: str(record.id))
