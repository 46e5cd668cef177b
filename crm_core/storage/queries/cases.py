"""Clients who wait, and when the next rung is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, literal_column, select

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right
from crm_core.model.case import CaseKind, CaseState
from crm_core.model.records import CaseRecord, DeadlineKind
from crm_core.storage.queries.pages import Page, Slice, all_of, both, number_cursor, one_of, page_of
from crm_core.storage.tables import contact_case, deadline


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are wanted."""

    state: CaseState | None = None
    kind: CaseKind | None = None
    manager: str | None = None
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class CaseCard:
    """A case, and when something happens to it next: the next rung, or a promise runs out."""

    case: CaseRecord
    due_at: datetime | None


def list_cases(conn: Connection, access: Access, wanted: CaseFilter, where: Slice) -> Page[CaseCard]:
    """Cases, the oldest first. Two statements. Raises Forbidden for whoever sees no cases."""
    access.demand(Right.SEE_CASES)
    after = number_cursor(where.after)
    table = contact_case.c
    conditions = both(
        (
            table.id > after if after is not None else None,
            table.state == wanted.state if wanted.state is not None else None,
            table.kind == wanted.kind if wanted.kind is not None else None,
            table.manager == wanted.manager if wanted.manager is not None else None,
            table.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
        )
    )
    statement = select(contact_case).where(*conditions).order_by(table.id).limit(where.limit + 1)
    page = page_of(all_of(conn, CaseRecord, statement), where.limit, lambda record: str(record.id))
    due = due_of(conn, [record.id for record in page.items if record.state is CaseState.OPEN])
    return page.map(lambda record: CaseCard(record, due.get(record.id)))


def waiting_since(conn: Connection, contact_ids: Collection[int]) -> dict[int, datetime]:
    """Since when those of these clients wait who have an open case. One statement at most."""
    if not contact_ids:
        return {}
    table = contact_case.c
    open_ones = (table.contact_id.in_(contact_ids), table.state == literal_column(f"'{CaseState.OPEN.value}'"))
    found = conn.execute(select(table.contact_id, table.opened_at).where(*open_ones))
    return {row.contact_id: row.opened_at for row in found}


def case_card(conn: Connection, access: Access, case_id: int) -> CaseCard:
    """One case; raises NotFound, Forbidden."""
    access.demand(Right.SEE_CASES)
    found = one_of(conn, CaseRecord, case_id)
    if found is None:
        raise NotFound("there is no case {case}", case=case_id)
    return CaseCard(found, due_of(conn, [case_id]).get(case_id))


def due_of(conn: Connection, case_ids: Iterable[int]) -> dict[int, datetime]:
    """When something happens next to cases that wait for a time."""
    kinds = (DeadlineKind.CASE_RUNG, DeadlineKind.CASE_PROMISE)
    keys = [f"{kind.value}:{case_id}" for case_id in case_ids for kind in kinds]
    if not keys:
        return {}
    found: dict[int, datetime] = {}
    statement = select(deadline.c.subject_id, deadline.c.due_at).where(deadline.c.key.in_(keys))
    for case_id, due_at in conn.execute(statement):
        found[case_id] = min(due_at, found.get(case_id, due_at))
    return found
