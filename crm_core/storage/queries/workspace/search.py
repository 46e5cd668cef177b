"""Searching everything by a part of a name, a number, an address, a title.

Names and numbers of clients, companies and products are found by their indexes, however old. Cards, leads, tasks and
documents are found by words of their titles: anywhere in them among the newest, which are read, and where those are too
few, by how words begin, along an index, among all. A word of many titles is thus found soon, and one of few. Cards and
leads are found through the clients that were found, too; a card and a document also by its number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.access import Right
from crm_core.model.exchange import DocumentRecord
from crm_core.model.identity import find_addresses, find_telephones
from crm_core.model.records import DealRecord, LeadRecord
from crm_core.model.selling import CompanyRecord, ProductRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.storage import searching
from crm_core.storage.queries.contacts import ContactCard, ContactFilter, cards_of, list_contacts
from crm_core.storage.queries.pages import Record, Slice, all_of, both
from crm_core.storage.queries.seeing import seen_task
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.clients import Client, client_of, clients_of
from crm_core.storage.sight import of_seen_card, seen_card
from crm_core.storage.tables import TABLE_OF, company, deal, document, identity, lead, product, task

_FEWEST = 2
_LONGEST = 200
_READ = 200
"""So many of the newest titles are read for each that is wanted."""
_LARGEST_NUMBER = 2**31 - 1
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
class FoundTask:
    """A task, and whose it is."""

    task: TaskRecord
    client: Client | None


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document, and for whom it was made."""

    document: DocumentRecord
    client: Client | None


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, grouped, each group at most as long as asked for: first whose whole number or address was typed,
    then what begins with it, open before closed, new before old. `more` names the groups that hold more."""

    typed: str
    clients: tuple[FoundClient, ...]
    companies: tuple[CompanyRecord, ...]
    deals: tuple[FoundDeal, ...]
    leads: tuple[FoundLead, ...]
    tasks: tuple[FoundTask, ...]
    products: tuple[ProductRecord, ...]
    documents: tuple[FoundDocument, ...]
    more: frozenset[str]

    @property
    def empty(self) -> bool:
        """Whether nothing was found."""
        clients, sales = self.clients or self.companies, self.deals or self.leads
        return not (clients or sales or self.tasks or self.products or self.documents)


def search(conn: Connection, asker: Asker, typed: str, *, limit: int = 7) -> Found:
    """What has all the words that somebody typed; nothing for fewer than two letters. At most `limit` of each group.
    Twenty-one statements at most. Raises Forbidden for whoever sees no clients; who sees no sales finds none."""
    asker.access.demand(Right.SEE_CLIENTS)
    wanted = " ".join(typed.split())[:_LONGEST]
    if len(wanted) < _FEWEST:
        return Found(wanted, (), (), (), (), (), (), (), frozenset())
    region = asker.office.region
    exact = _exact(conn, wanted, region)
    named = list_contacts(conn, asker.access, ContactFilter(text=wanted, region=region), Slice(limit=limit + 1)).items
    known = {card.contact.id: card for card in (*exact, *named)}
    clients = sorted(known.values(), key=lambda card: _rank(card, exact, wanted))
    companies = all_of(conn, CompanyRecord, companies_statement(wanted, region).limit(limit + 1))
    ids = [card.contact.id for card in clients[:limit]]
    sales = _sales(conn, asker, wanted, ids, limit) if asker.access.may(Right.SEE_SALES) else _NO_SALES
    of = clients_of(conn, {each.contact_id for each in sales.owned} - {None})
    exact_ids = {card.contact.id for card in exact}
    groups: dict[str, Sequence[Any]] = {"clients": clients, "companies": companies, **sales.groups}
    return Found(
        typed=wanted,
        clients=tuple(FoundClient(client_of(card), card.contact.id in exact_ids) for card in clients[:limit]),
        companies=tuple(sorted(companies[:limit], key=lambda each: not _begins(each.name, wanted))),
        deals=tuple(_deal(each, of, asker) for each in sales.deals[:limit]),
        leads=tuple(FoundLead(each, of[each.contact_id]) for each in sales.leads[:limit]),
        tasks=tuple(FoundTask(each, _client(each.contact_id, of)) for each in sales.tasks[:limit]),
        products=tuple(sales.products[:limit]),
        documents=tuple(FoundDocument(each, _client(each.contact_id, of)) for each in sales.documents[:limit]),
        more=frozenset(name for name, rows in groups.items() if len(rows) > limit),
    )


@dataclass(frozen=True, slots=True)
class _Sales:
    """What of the sales was found, each group one longer than shown where there is more."""

    deals: Sequence[DealRecord] = ()
    leads: Sequence[LeadRecord] = ()
    tasks: Sequence[TaskRecord] = ()
    products: Sequence[ProductRecord] = ()
    documents: Sequence[DocumentRecord] = ()

    @property
    def groups(self) -> dict[str, Sequence[Any]]:
        """The groups by name."""
        return {name: getattr(self, name) for name in ("deals", "leads", "tasks", "products", "documents")}

    @property
    def owned(self) -> Sequence[Any]:
        """What has a client."""
        return [*self.deals, *self.leads, *self.tasks, *self.documents]


_NO_SALES = _Sales()


def _sales(conn: Connection, asker: Asker, wanted: str, contact_ids: Sequence[int], limit: int) -> _Sales:
    numbered, papers = _numbered(conn, asker, wanted, limit)
    found = _NUMBER.match(wanted)
    titled = found[1] if found else wanted  # `№ 17`: the number alone
    deals = _titled(conn, DealRecord, deals_statement(asker), wanted, limit, contact_ids)
    documents = _titled(conn, DocumentRecord, documents_statement(asker), titled, limit)
    return _Sales(
        deals=[*numbered, *(each for each in deals if each not in numbered)],
        leads=_titled(conn, LeadRecord, leads_statement(), wanted, limit, contact_ids),
        tasks=_titled(conn, TaskRecord, tasks_statement(asker), wanted, limit),
        products=all_of(conn, ProductRecord, products_statement(wanted, asker.office.region).limit(limit + 1)),
        documents=[*papers, *(each for each in documents if each not in papers)],
    )


def _titled(
    conn: Connection,
    kind: type[Record],
    statement: Select[Any],
    wanted: str,
    limit: int,
    contact_ids: Sequence[int] = (),
) -> list[Record]:
    """Records by their titles, one more than `limit` where there are more; also those of these clients. Two statements
    at most."""
    near = all_of(conn, kind, near_statement(TABLE_OF[kind], statement, wanted, limit, contact_ids))
    far = far_statement(TABLE_OF[kind], statement, wanted, limit)
    if len(near) > limit or far is None:
        return near
    known = {each[0] for each in near}
    found = [*near, *(each for each in all_of(conn, kind, far) if each[0] not in known)]
    return sorted(found, key=_is_over)[: limit + 1]


def _is_over(record: Any) -> bool:
    match record:
        case TaskRecord(state=state):
            return state is not TaskState.OPEN
        case DealRecord(closed_at=closed) | LeadRecord(closed_at=closed):
            return closed is not None
        case _:
            return False


def near_statement(
    table: Table, statement: Select[Any], wanted: str, limit: int, contact_ids: Sequence[int] = ()
) -> Select[Any]:
    """Of `statement`, those of these clients and those of the newest whose title has all the words."""
    near = table.alias("near")
    last = select(near.c.id).order_by(near.c.id.desc()).offset(_READ * (limit + 1)).limit(1).scalar_subquery()
    titled = and_(table.c.id > func.coalesce(last, 0), searching.read_in_title(table, wanted))
    theirs = or_(table.c.contact_id.in_(contact_ids), titled) if contact_ids else titled
    return statement.where(theirs).limit(limit + 1)


def far_statement(table: Table, statement: Select[Any], wanted: str, limit: int) -> Select[Any] | None:
    """Of `statement`, those in whose title all the words begin words, however old; None for single letters."""
    titled = searching.titled(table, wanted)
    return statement.where(titled).limit(limit + 1) if titled is not None else None


def companies_statement(wanted: str, region: str) -> Select[Any]:
    """Companies by name, number or tax id, the newest first."""
    found = searching.found_by(company, wanted, region)
    return select(company).where(company.c.deleted_at.is_(None), found).order_by(company.c.id.desc())


def deals_statement(asker: Asker) -> Select[Any]:
    """Cards that somebody sees, open ones first."""
    conditions = both((deal.c.deleted_at.is_(None), seen_card(asker.sight)))
    return select(deal).where(*conditions).order_by(deal.c.closed_at.is_not(None), deal.c.id.desc())


def number_statement(asker: Asker, number: int) -> Select[Any]:
    """The card of this number."""
    return select(deal).where(*both((deal.c.deleted_at.is_(None), deal.c.id == number, seen_card(asker.sight))))


def leads_statement() -> Select[Any]:
    """Leads, open ones first."""
    return select(lead).where(lead.c.deleted_at.is_(None)).order_by(lead.c.closed_at.is_not(None), lead.c.id.desc())


def tasks_statement(asker: Asker) -> Select[Any]:
    """Tasks that somebody sees, open ones first."""
    conditions = both((task.c.deleted_at.is_(None), seen_task(task, asker.sight)))
    return select(task).where(*conditions).order_by(task.c.state != TaskState.OPEN, task.c.id.desc())


def products_statement(wanted: str, region: str) -> Select[Any]:
    """Products by name or article, those in use first."""
    found = searching.found_by(product, wanted, region)
    return (
        select(product).where(product.c.deleted_at.is_(None), found).order_by(product.c.archived, product.c.id.desc())
    )


def documents_statement(asker: Asker) -> Select[Any]:
    """Documents but those of cards that somebody does not see, the newest first."""
    return (
        select(document).where(*both((of_seen_card(document.c.deal_id, asker.sight),))).order_by(document.c.id.desc())
    )


def _numbered(conn: Connection, asker: Asker, wanted: str, limit: int) -> tuple[list[DealRecord], list[DocumentRecord]]:
    """The card and the documents whose number was typed, `1497` or `№ 1497`. Two statements at most."""
    found = _NUMBER.match(wanted)
    if found is None:
        return [], []
    number = int(found[1])
    cards = all_of(conn, DealRecord, number_statement(asker, number))
    if number > _LARGEST_NUMBER:
        return cards, []
    papers = documents_statement(asker).where(document.c.number == number).limit(limit + 1)
    return cards, all_of(conn, DocumentRecord, papers)


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
    client = _client(record.contact_id, clients)
    return FoundDeal(record, client, place[1].name if place else "", place[0].name if place else "")


def _client(contact_id: int | None, clients: dict[int, Client]) -> Client | None:
    return clients.get(contact_id) if contact_id is not None else None
