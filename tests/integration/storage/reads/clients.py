"""Reads of clients and companies, of what was said to them, and of what waits."""

from __future__ import annotations

from crm_core.model.rights import Right
from crm_core.storage.queries import companies, contacts
from crm_core.storage.queries.companies import CompanyFilter
from crm_core.storage.queries.contacts import ContactFilter
from crm_core.storage.queries.workspace import companies as company_cards
from crm_core.storage.queries.workspace import search
from tests.integration.storage.reads import FIRST, NOBODY, Reads

READS: Reads = {
    Right.SEE_CLIENTS: {
        "queries.contacts.list_contacts": lambda ask: contacts.list_contacts(
            ask.conn, ask.access, ContactFilter(), FIRST
        ),
        "queries.contacts.contact_card": lambda ask: contacts.contact_card(ask.conn, ask.access, NOBODY),
        "queries.contacts.current": lambda ask: contacts.current(ask.conn, ask.access, NOBODY),
        "queries.companies.list_companies": lambda ask: companies.list_companies(
            ask.conn, ask.access, CompanyFilter(), FIRST
        ),
        "queries.companies.one_company": lambda ask: companies.one_company(ask.conn, ask.access, NOBODY),
        "queries.workspace.companies.company_card": lambda ask: company_cards.company_card(
            ask.conn, ask.asker, NOBODY, 1
        ),
        "queries.workspace.search.search": lambda ask: search.search(ask.conn, ask.asker, "Анна"),
    },
}
