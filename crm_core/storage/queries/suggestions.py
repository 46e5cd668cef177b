"""Guesses that two contacts are one, as they are decided: with both contacts at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Select, bindparam, or_, select

from crm_core.model.access import Access, Right
from crm_core.model.conversation import SuggestionRecord, SuggestionState
from crm_core.model.records import MergeRecord
from crm_core.storage.queries.contacts import ContactCard, cards_of
from crm_core.storage.queries.pages import Page, Slice, all_of, both, number_cursor, page_of
from crm_core.storage.tables import contact, contact_merge, suggestion


@dataclass(frozen=True, slots=True)
class SuggestionCard:
    """A suggestion and the two contacts that it is about."""

    suggestion: SuggestionRecord
    one: ContactCard
    other: ContactCard

    def beside(self, contact_id: int) -> ContactCard:
        """The other contact, seen from one of them."""
        return self.other if self.one.contact.id == contact_id else self.one


@dataclass(frozen=True, slots=True)
class SuggestionFilter:
    """Which suggestions are wanted; None: whatever they are."""

    state: SuggestionState | None = None
    contact_id: int | None = None


def list_suggestions(conn: Connection, access: Access, wanted: SuggestionFilter, where: Slice) -> Page[SuggestionCard]:
    """Suggestions, the newest first. Three statements. Raises Forbidden for whoever sees no clients.

    Open ones about contacts that were merged away wait for the merge to be undone: they are left out.
    """
    access.demand(Right.SEE_CLIENTS)
    after = number_cursor(where.after)
    given = {"after": after, "state": wanted.state, "about": wanted.contact_id, "limit": where.limit + 1}
    known = {name: value for name, value in given.items() if value is not None}
    page = page_of(
        all_of(conn, SuggestionRecord, _statement(frozenset(known)), known), where.limit, lambda record: str(record.id)
    )
    cards = cards_of(conn, [each for record in page.items for each in (record.contact_id, record.other_id)])
    return page.map(lambda record: SuggestionCard(record, cards[record.contact_id], cards[record.other_id]))


@cache
def _statement(given: frozenset[str]) -> Select[Any]:
    """The suggestions wanted; what is asked for is given with it, under these names."""
    one, other = contact.alias("one"), contact.alias("other")
    undecided = suggestion.c.state != SuggestionState.OPEN
    about = bindparam("about", type_=BigInteger)
    conditions = both(
        (
            suggestion.c.id < bindparam("after") if "after" in given else None,
            suggestion.c.state == bindparam("state") if "state" in given else None,
            or_(suggestion.c.contact_id == about, suggestion.c.other_id == about) if "about" in given else None,
            or_(undecided, one.c.merged_into.is_(None)),
            or_(undecided, other.c.merged_into.is_(None)),
        )
    )
    joined = suggestion.join(one, one.c.id == suggestion.c.contact_id).join(other, other.c.id == suggestion.c.other_id)
    found = select(*suggestion.columns).select_from(joined).where(*conditions).order_by(suggestion.c.id.desc())
    return found.limit(bindparam("limit", type_=Integer))


def last_merge(conn: Connection, access: Access, contact_id: int) -> tuple[MergeRecord, ContactCard] | None:
    """The contact's last merge that was not undone, and whom it took over; None where there is none. Raises Forbidden
    for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    statement = (
        select(contact_merge)
        .where(contact_merge.c.survivor_id == contact_id, contact_merge.c.undone_at.is_(None))
        .order_by(contact_merge.c.id.desc())
        .limit(1)
    )
    found = all_of(conn, MergeRecord, statement)
    return (found[0], cards_of(conn, [found[0].absorbed_id])[found[0].absorbed_id]) if found else None
