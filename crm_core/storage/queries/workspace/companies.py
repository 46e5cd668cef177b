"""A company with its people and cards."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from crm_core.model.records import DealRecord
from crm_core.model.selling import CompanyRecord
from crm_core.storage.queries.companies import one_company
from crm_core.storage.queries.pages import all_of, both
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.clients import Client, clients_of
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import contact, deal


@dataclass(frozen=True, slots=True)
class CompanyCard:
    """A company: its people, the newest first, and of the cards that somebody sees the newest. `more_people` and
    `more_deals` say that there are others."""

    company: CompanyRecord
    people: tuple[Client, ...]
    deals: tuple[DealRecord, ...]
    more_people: bool
    more_deals: bool


def company_card(conn: Connection, asker: Asker, company_id: int, limit: int) -> CompanyCard:
    """One of them; raises NotFound, Forbidden for whoever sees no clients. Five statements."""
    company = one_company(conn, asker.access, company_id)
    living = (contact.c.company_id == company.id, contact.c.deleted_at.is_(None), contact.c.merged_into.is_(None))
    ids = [
        row[0]
        for row in conn.execute(select(contact.c.id).where(*living).order_by(contact.c.id.desc()).limit(limit + 1))
    ]
    known = clients_of(conn, ids[:limit])
    here = both((deal.c.company_id == company.id, deal.c.deleted_at.is_(None), seen_card(asker.sight, deal)))
    statement = select(deal).where(*here).order_by(deal.c.closed_at.is_not(None), deal.c.id.desc()).limit(limit + 1)
    deals = all_of(conn, DealRecord, statement)
    people = tuple(known[each] for each in ids[:limit] if each in known)
    return CompanyCard(company, people, tuple(deals[:limit]), len(ids) > limit, len(deals) > limit)
