"""Searching everything by a part of a name, a number, an address, a title.

Names and numbers of clients and companies are found by their indexes, however old. Cards and leads are found through
the clients that were found, and by a word of their title among the newest of them; a card also by its number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.access import Right
from crm_core.model.identity import find_addresses, find_telephones
from crm_core.model.records import DealRecord, LeadRecord
from crm_core.model.selling import CompanyRecord
from crm_core.storage import searching
from crm_core.storage.queries.contacts import ContactCard, ContactFilter, cards_of, list_contacts
from crm_core.storage.queries.pages import Slice, all_of, both
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.clients import Client, client_of, clients_of
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import company, deal, identity, lead

_FEWEST = 2
_LONGEST = 200
_NEWEST = 5_000  # the page of what was found names it
_NUMBER = re.compile(r"[№#]?\s?([0-9]{1,18})\Z")


@dataclass(frozen=True, slots=True)
class FoundClient:
    """A client; `exact`: the whole number, address or @name that was typed is theirs."""

    client: Client
    exact: bool


@dataclass(frozen=True, slots=True)
class FoundDeal:
    """A card of a pipeline, and where it stands."""

    deal: DealRecord
    client: Client | None
    stage: str
    pipeline: str


@dataclass(frozen=True, slots=True)
class FoundLead:
    """A lead."""

    lead: LeadRecord
    client: Client


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, grouped, each group at most as long as asked for: first whose whole number or address was typed,
    then what begins with it, open before closed, new before old. `more` names the groups that hold more."""

    typed: str
    clients: tuple[FoundClient, ...]
    companies: tuple[CompanyRecord, ...]
    deals: tuple[FoundDeal, ...]
    leads: tuple[FoundLead, ...]
    more: frozenset[str]

    @property
    def empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.clients or self.companies or self.deals or self.leads)


def search(conn: Connection, asker: Asker, typed: str, *, limit: int = 7) -> Found:
    """What has all the words that somebody typed; nothing for fewer than two letters. At most `limit` of each group.
    Thirteen statements at most. Raises Forbidden for whoever sees no clients."""
    asker.access.demand(Right.SEE_CLIENTS)
    wanted = " ".join(typed.split())[:_LONGEST]
    if len(wanted) < _FEWEST:
        return Found(wanted, (), (), (), (), frozenset())
    region = asker.office.region
    exact = _exact(conn, wanted, region)
    named = list_contacts(conn, asker.access, ContactFilter(text=wanted, region=region), Slice(limit=limit + 1)).items
    known = {card.contact.id: card for card in (*exact, *named)}
    clients = sorted(known.values(), key=lambda card: _rank(card, exact, wanted))
    companies = all_of(conn, CompanyRecord, companies_statement(wanted, region).limit(limit + 1))
    ids = [card.contact.id for card in clients[:limit]]
    numbered = _numbered(conn, asker, wanted)
    named_deals = all_of(conn, DealRecord, deals_statement(asker, wanted, ids).limit(limit + 1))
    deals = [*numbered, *(each for each in named_deals if each not in numbered)]
    leads = all_of(conn, LeadRecord, leads_statement(wanted, ids).limit(limit + 1))
    owners = {each.contact_id for each in deals} | {each.contact_id for each in leads}
    of = clients_of(conn, owners - {None})
    exact_ids = {card.contact.id for card in exact}
    groups: dict[str, Sequence[Any]] = {"clients": clients, "companies": companies, "deals": deals, "leads": leads}
    return Found(
        typed=wanted,
        clients=tuple(FoundClient(client_of(card), card.contact.id in exact_ids) for card in clients[:limit]),
        companies=tuple(sorted(companies[:limit], key=lambda each: not _begins(each.name, wanted))),
        deals=tuple(_deal(each, of, asker) for each in deals[:limit]),
        leads=tuple(FoundLead(each, of[each.contact_id]) for each in leads[:limit]),
        more=frozenset(name for name, rows in groups.items() if len(rows) > limit),
    )


def companies_statement(wanted: str, region: str) -> Select[Any]:
    """Companies by name, number or tax id, the newest first."""
    found = searching.found_by(company, wanted, region)
    return select(company).where(company.c.deleted_at.is_(None), found).order_by(company.c.id.desc())


def deals_statement(asker: Asker, wanted: str, contact_ids: Sequence[int]) -> Select[Any]:
    """Cards of these clients, and those of the newest whose title has all the words; open ones first."""
    conditions = both((deal.c.deleted_at.is_(None), _named(deal, wanted, contact_ids), seen_card(asker.sight)))
    return select(deal).where(*conditions).order_by(deal.c.closed_at.is_not(None), deal.c.id.desc())


def number_statement(asker: Asker, number: int) -> Select[Any]:
    """The card of this number."""
    return select(deal).where(*both((deal.c.deleted_at.is_(None), deal.c.id == number, seen_card(asker.sight))))


def leads_statement(wanted: str, contact_ids: Sequence[int]) -> Select[Any]:
    """Leads of these clients, and those of the newest whose title has all the words; open ones first."""
    conditions = (lead.c.deleted_at.is_(None), _named(lead, wanted, contact_ids))
    return select(lead).where(*conditions).order_by(lead.c.closed_at.is_not(None), lead.c.id.desc())


def _named(table: Table, wanted: str, contact_ids: Sequence[int]) -> ColumnElement[bool]:
    near = table.alias("near")
    last = select(near.c.id).order_by(near.c.id.desc()).offset(_NEWEST).limit(1).scalar_subquery()
    words = [searching.folded(table.c.title).like(searching.like(word), escape="\\") for word in _words(wanted)]
    titled = and_(table.c.id > func.coalesce(last, 0), *words)
    return or_(table.c.contact_id.in_(contact_ids), titled) if contact_ids else titled


def _numbered(conn: Connection, asker: Asker, wanted: str) -> list[DealRecord]:
    """The card whose number was typed, `1497` or `№ 1497`."""
    found = _NUMBER.match(wanted)
    return all_of(conn, DealRecord, number_statement(asker, int(found[1]))) if found else []


def _words(wanted: str) -> list[str]:
    return wanted.casefold().split()[:8]


def _exact(conn: Connection, wanted: str, region: str) -> list[ContactCard]:
    """Whose number, address or @name it is. Three statements at most."""
    found = (*find_telephones(wanted, region), *find_addresses(wanted))
    keys = [str(each) for each in found]
    handle = wanted.removeprefix("@").casefold()
    conditions: list[ColumnElement[bool]] = [identity.c.key.in_(keys)] if keys else []
    if wanted.startswith("@") and handle:
        conditions.append(and_(identity.c.handle != "", identity.c.handle.in_([wanted[1:], handle])))
    if not conditions:
        return []
    owners = select(identity.c.contact_id).where(or_(*conditions)).limit(20)
    cards = cards_of(conn, (row[0] for row in conn.execute(owners)))
    return [card for card in cards.values() if card.contact.merged_into is None and card.contact.deleted_at is None]


def _rank(card: ContactCard, exact: Sequence[ContactCard], wanted: str) -> tuple[bool, bool, int]:
    return card not in exact, not _begins(card.contact.name, wanted), -card.contact.id


def _begins(name: str, wanted: str) -> bool:
    first = wanted.casefold()
    return any(" ".join(name.casefold().split()[at:]).startswith(first) for at in range(len(name.split())))


def _deal(record: DealRecord, clients: dict[int, Client], asker: Asker) -> FoundDeal:
    place = asker.catalogue.place(record.stage_id)
    client = clients.get(record.contact_id) if record.contact_id is not None else None
    return FoundDeal(record, client, place[1].name if place else "", place[0].name if place else "")
