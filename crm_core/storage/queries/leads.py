"""Leads as they are listed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right
from crm_core.model.records import LeadRecord, LeadStatus
from crm_core.storage.queries.pages import Page, Slice, both, one_of
from crm_core.storage.queries.sorting import EVERYTHING, More, listed
from crm_core.storage.tables import lead


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads are wanted."""

    status: LeadStatus | None = None
    manager: str | None = None
    contact_id: int | None = None


def list_leads(
    conn: Connection, access: Access, wanted: LeadFilter, where: Slice, more: More = EVERYTHING
) -> Page[LeadRecord]:
    """Leads, the newest first or as `more` sorts them; deleted ones are left out. One statement, two more where they
    are sorted. Raises Forbidden for whoever sees no sales."""
    access.demand(Right.SEE_SALES)
    conditions = both(
        (
            lead.c.deleted_at.is_(None),
            more.condition,
            lead.c.status == wanted.status if wanted.status is not None else None,
            lead.c.manager == wanted.manager if wanted.manager is not None else None,
            lead.c.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
        )
    )
    return listed(conn, "lead", LeadRecord, conditions, where, more)


def one_lead(conn: Connection, access: Access, lead_id: int) -> LeadRecord:
    """One lead; raises NotFound, Forbidden."""
    access.demand(Right.SEE_SALES)
    found = one_of(conn, LeadRecord, lead_id)
    if found is None or found.deleted_at is not None:
        raise NotFound("there is no lead {lead}", lead=lead_id)
    return found
