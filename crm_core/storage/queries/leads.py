"""Leads as they are listed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from crm_core.errors import NotFound
from crm_core.model.records import LeadRecord, LeadStatus
from crm_core.storage.queries.pages import Page, Slice, all_of, both, number_cursor, one_of, page_of
from crm_core.storage.tables import lead


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads are wanted."""

    status: LeadStatus | None = None
    manager: str | None = None
    contact_id: int | None = None


def list_leads(conn: Connection, wanted: LeadFilter, where: Slice) -> Page[LeadRecord]:
    """Leads, the newest first. One statement."""
    after = number_cursor(where.after)
    conditions = both(
        (
            lead.c.id < after if after is not None else None,
            lead.c.status == wanted.status if wanted.status is not None else None,
            lead.c.manager == wanted.manager if wanted.manager is not None else None,
            lead.c.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
        )
    )
    statement = select(lead).where(*conditions).order_by(lead.c.id.desc()).limit(where.limit + 1)
    return page_of(all_of(conn, LeadRecord, statement), where.limit, lambda record: str(record.id))


def one_lead(conn: Connection, lead_id: int) -> LeadRecord:
    """One lead; raises NotFound."""
    found = one_of(conn, LeadRecord, lead_id)
    if found is None:
        raise NotFound(f"there is no lead {lead_id}")
    return found
