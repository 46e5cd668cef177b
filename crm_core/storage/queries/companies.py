"""Companies as they are listed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right
from crm_core.model.selling import CompanyRecord
from crm_core.storage import searching
from crm_core.storage.queries.pages import Page, Slice, both, one_of
from crm_core.storage.queries.sorting import EVERYTHING, More, listed
from crm_core.storage.tables import company


@dataclass(frozen=True, slots=True)
class CompanyFilter:
    """Which companies are wanted; `text` is what somebody typed: part of a name or a tax id."""

    text: str = ""
    tax_id: str | None = None
    manager: str | None = None
    region: str = "RU"


def list_companies(
    conn: Connection, access: Access, wanted: CompanyFilter, where: Slice, more: More = EVERYTHING
) -> Page[CompanyRecord]:
    """Companies, the newest first or as `more` sorts them; deleted ones are left out. Raises Forbidden for whoever sees
    no clients."""
    access.demand(Right.SEE_CLIENTS)
    conditions = both(
        (
            company.c.deleted_at.is_(None),
            company.c.tax_id == wanted.tax_id if wanted.tax_id is not None else None,
            company.c.manager == wanted.manager if wanted.manager is not None else None,
            searching.found_by(company, wanted.text, wanted.region) if wanted.text.strip() else None,
            more.condition,
        )
    )
    return listed(conn, "company", CompanyRecord, conditions, where, more)


def one_company(conn: Connection, access: Access, company_id: int) -> CompanyRecord:
    """One company; raises NotFound, also where it is deleted, and Forbidden for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    found = one_of(conn, CompanyRecord, company_id)
    if found is None or found.deleted_at is not None:
        raise NotFound("there is no company {company}", company=company_id)
    return found
