"""Reads of clients and companies, of what was said to them, and of what waits."""

from __future__ import annotations

from collections.abc import Mapping

from crm_core.model.call import CallState, Direction
from crm_core.model.filters import Filter
from crm_core.model.records import CallRecord
from crm_core.model.rights import Right
from crm_core.storage.filtering import Asking
from crm_core.storage.queries import (
    companies,
    contacts,
    field_checks,
    files,
    history,
    lists,
    opt_outs,
    seeing,
    segments,
    suggestions,
    timeline,
)
from crm_core.storage.queries.companies import CompanyFilter
from crm_core.storage.queries.contacts import ContactFilter
from crm_core.storage.queries.suggestions import SuggestionFilter
from crm_core.storage.queries.timeline import Order
from crm_core.storage.queries.workspace import (
    cards,
    clients,
    dialling,
    entries,
    inbox,
    newest,
    notices,
    popup,
    saved,
    search,
    unindexed,
)
from crm_core.storage.queries.workspace import companies as company_cards
from tests.fakes.clock import START
from tests.integration.storage.reads import FIRST, NOBODY, Ask, Read, Reads

CALL = CallRecord(
    NOBODY, "office", "1.1", None, None, Direction.IN, "+79161234567", "+74951234567", CallState.RINGING, 0, START
)


def _of_all(ask: Ask) -> Asking:
    return Asking(ask.desk.catalogue, ask.desk.now)


def _history(kind: str) -> Read:
    return lambda ask: history.history_of(ask.conn, ask.access, kind, NOBODY, FIRST)


def _links(kind: str) -> Read:
    return lambda ask: history.links_of(ask.conn, ask.access, kind, NOBODY)


def _kept(ask: Ask, page: str) -> int:
    """A view of a page, made by the hub itself."""
    desk = ask.desk
    access, desk.access = desk.access, None
    try:
        return saved.keep(desk, "ivan", page, "Мои", "").id
    finally:
        desk.access = access


def _views(page: str) -> Mapping[str, Read]:
    """What is done with the kept views of a page."""
    acts: Mapping[str, Read] = {
        "views_of": lambda ask: saved.views_of(ask.conn, ask.access, page),
        "keep": lambda ask: saved.keep(ask.desk, "ivan", page, "Мои", ""),
        "change": lambda ask: saved.change(ask.desk, "ivan", _kept(ask, page), shared=True),
        "order": lambda ask: saved.order(ask.desk, "ivan", page, []),
        "remove": lambda ask: saved.remove(ask.desk, "ivan", _kept(ask, page)),
    }
    return {f"queries.workspace.saved.{name} of {page}": act for name, act in acts.items()}


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
        "queries.files.one_attachment": lambda ask: files.one_attachment(ask.conn, ask.access, NOBODY),
        "queries.history.history_of contact": _history("contact"),
        "queries.history.history_of company": _history("company"),
        "queries.history.links_of contact": _links("contact"),
        "queries.history.links_of company": _links("company"),
        "queries.lists.count_numbers": lambda ask: lists.count_numbers(ask.conn, ask.access),
        "queries.lists.list_numbers": lambda ask: lists.list_numbers(ask.conn, ask.access, "чёрный список", FIRST),
        "queries.lists.used_tags": lambda ask: lists.used_tags(ask.conn, ask.access),
        "queries.opt_outs.of_contact": lambda ask: opt_outs.of_contact(ask.conn, ask.access, NOBODY),
        "queries.segments.count": lambda ask: segments.count(ask.conn, ask.access, "contact", Filter(), _of_all(ask)),
        "queries.segments.page": lambda ask: segments.page(
            ask.conn, ask.access, "contact", Filter(), _of_all(ask), FIRST
        ),
        "queries.suggestions.last_merge": lambda ask: suggestions.last_merge(ask.conn, ask.access, NOBODY),
        "queries.suggestions.list_suggestions": lambda ask: suggestions.list_suggestions(
            ask.conn, ask.access, SuggestionFilter(), FIRST
        ),
        "queries.timeline.entry_card": lambda ask: timeline.entry_card(ask.conn, ask.access, NOBODY),
        "queries.timeline.list_entries": lambda ask: timeline.list_entries(
            ask.conn, ask.anybody, NOBODY, Order.RECENT, FIRST
        ),
        "queries.timeline.list_scheduled": lambda ask: timeline.list_scheduled(
            ask.conn, ask.access, NOBODY, ask.desk.now, FIRST
        ),
        "queries.timeline.raw_of": lambda ask: timeline.raw_of(ask.conn, ask.access, NOBODY),
        "queries.workspace.clients.clients_named": lambda ask: clients.clients_named(ask.conn, ask.access, [NOBODY]),
        "queries.workspace.companies.company_card": lambda ask: company_cards.company_card(
            ask.conn, ask.asker, NOBODY, 1
        ),
        "queries.workspace.entries.count_by_kind": lambda ask: entries.count_by_kind(ask.conn, ask.asker, NOBODY),
        "queries.workspace.entries.entries_of_calls": lambda ask: entries.entries_of_calls(
            ask.conn, ask.anybody, [NOBODY]
        ),
        "queries.workspace.entries.stretch": lambda ask: entries.stretch(ask.conn, ask.asker, NOBODY),
        "queries.workspace.newest.conversations_of": lambda ask: newest.conversations_of(ask.conn, ask.access, NOBODY),
        "queries.workspace.newest.entries_named": lambda ask: newest.entries_named(ask.conn, ask.anybody, [NOBODY]),
        "queries.workspace.newest.newest_entries": lambda ask: newest.newest_entries(ask.conn, ask.access, 1),
        "queries.workspace.popup.known_client": lambda ask: popup.known_client(ask.conn, ask.asker, NOBODY),
        **_views("contacts"),
        "queries.workspace.search.search of a name": lambda ask: search.search(ask.conn, ask.asker, "Анна"),
        "queries.workspace.search.search of too little": lambda ask: search.search(ask.conn, ask.asker, "А"),
    },
    Right.SEE_CASES: {
        "queries.workspace.inbox.counts": lambda ask: inbox.counts(ask.conn, ask.asker),
        "queries.workspace.inbox.inbox": lambda ask: inbox.inbox(ask.conn, ask.asker),
        "queries.workspace.notices.case_notices": lambda ask: notices.case_notices(ask.conn, ask.anybody, [NOBODY]),
    },
    Right.SEE_CALLS: {
        "queries.workspace.popup.popup": lambda ask: popup.popup(ask.conn, ask.asker, NOBODY),
        "queries.workspace.popup.popups": lambda ask: popup.popups(ask.conn, [ask.asker], CALL),
    },
    Right.SEE_SALES: {
        **{
            f"queries.history.history_of {kind}": _history(kind)
            for kind in ("deal", "lead", "task", "product", "payment", "claim")
        },
        **{
            f"queries.history.links_of {kind}": _links(kind)
            for kind in ("deal", "lead", "task", "product", "payment", "claim")
        },
        "queries.field_checks.field_check": lambda ask: field_checks.field_check(ask.conn, ask.access, NOBODY),
        "queries.workspace.cards.card_about": lambda ask: cards.card_about(ask.conn, ask.asker, NOBODY),
        "queries.workspace.cards.next_steps": lambda ask: cards.next_steps(ask.conn, ask.asker, [NOBODY]),
        "queries.workspace.cards.seen_card": lambda ask: cards.seen_card(ask.conn, ask.asker, NOBODY),
        "queries.workspace.cards.tasks_of_card": lambda ask: cards.tasks_of_card(ask.conn, ask.asker, NOBODY),
        "queries.workspace.dialling.dial_lists": lambda ask: dialling.dial_lists(ask.conn, ask.asker),
        "queries.workspace.notices.lead_notices": lambda ask: notices.lead_notices(ask.conn, ask.anybody, [NOBODY]),
        "queries.workspace.unindexed.cards_with": lambda ask: unindexed.cards_with(
            ask.conn, ask.asker, "deal", (), None
        ),
        **_views("board:1"),
        **_views("cards:claim"),
        "queries.seeing.seen_type": lambda ask: seeing.seen_type(ask.conn, ask.access, NOBODY),
    },
}
