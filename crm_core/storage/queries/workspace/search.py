"""Searching everything by a part of a name, a number, an address, a title.

Names and numbers of clients, companies and products are found by their indexes, however old. Cards, leads, tasks and
documents are found by words of their titles: anywhere in them among the newest, which are read, and where those are too
few, by how words begin, along an index, among all. A word of many titles is thus found soon, and one of few. Cards and
leads are found through the clients that were found, too; a card and a document also by its number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, false, func, literal_column, not_, or_, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.access import Right
from crm_core.model.exchange import DocumentRecord
from crm_core.model.identity import find_addresses, find_telephones
from crm_core.model.records import DealRecord, LeadRecord
from crm_core.model.selling import CompanyRecord, ProductRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.storage import searching
from crm_core.storage.queries.contacts import ContactCard, ContactFilter, cards_of, list_contacts
from crm_core.storage.queries.pages import Slice, all_of, both
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
    Seventeen statements at most. Raises Forbidden for whoever sees no clients; who sees no sales finds none."""
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
    kinds = titled_kinds(asker, wanted)
    found = _found(conn, [each.near(limit, contact_ids) for each in kinds])
    far = [each.far(limit) for each in kinds if len(found.get(each.name, ())) <= limit]
    for name, rows in _found(conn, [each for each in far if each is not None]).items():
        found[name] = {**rows, **found.get(name, {})}
    listed = {each.name: _records(conn, each, found.get(each.name, {}), limit) for each in kinds}
    return _Sales(
        **listed,
        products=all_of(conn, ProductRecord, products_statement(wanted, asker.office.region).limit(limit + 1)),
    )


@dataclass(frozen=True, slots=True)
class TitledKind:
    """What is found by its title: the records that somebody sees, which of them come last, and which one's number was
    typed."""

    name: str
    record: Any
    wanted: str
    seen: Sequence[ColumnElement[bool]]
    over: ColumnElement[bool]
    numbered: ColumnElement[bool] | None = None

    @property
    def table(self) -> Table:
        """Where they stand."""
        return TABLE_OF[self.record]

    def near(self, limit: int, contact_ids: Sequence[int] = ()) -> Select[Any]:
        """Those of the number, those of these clients, and those of the newest whose title has all the words."""
        near = self.table.alias("near")
        last = select(near.c.id).order_by(near.c.id.desc()).offset(_READ * (limit + 1)).limit(1).scalar_subquery()
        ways = [and_(self.table.c.id > func.coalesce(last, 0), searching.read_in_title(self.table, self.wanted))]
        if contact_ids and self.record in {DealRecord, LeadRecord}:
            ways.append(self.table.c.contact_id.in_(contact_ids))
        if self.numbered is not None:
            ways.append(self.numbered)
        return self._first(or_(*ways), limit)

    def far(self, limit: int) -> Select[Any] | None:
        """Those in whose title all the words begin words, however old; None for single letters."""
        titled = searching.titled(self.table, self.wanted)
        return self._first(titled, limit) if titled is not None else None

    def _first(self, condition: ColumnElement[bool], limit: int) -> Select[Any]:
        other = not_(self.numbered) if self.numbered is not None else false()
        rank = (other.label("other"), self.over.label("over"))
        first = select(self.table.c.id, *rank).where(*self.seen, condition).limit(limit + 1)
        found = first.order_by(*rank, self.table.c.id.desc()).subquery()
        return select(literal_column(f"'{self.name}'").label("name"), *found.c)


def titled_kinds(asker: Asker, wanted: str) -> tuple[TitledKind, ...]:
    """Cards, leads, tasks and documents that somebody sees, open ones before closed. `1497` and `№ 1497` are the number
    of a card and of documents, too."""
    typed = _NUMBER.match(wanted)
    number = int(typed[1]) if typed is not None else None
    paper = number if number is not None and number <= _LARGEST_NUMBER else None
    alive = {table: table.c.deleted_at.is_(None) for table in (deal, lead, task)}
    sight = asker.sight
    return (
        TitledKind(
            *("deals", DealRecord, wanted, both((alive[deal], seen_card(sight))), deal.c.closed_at.is_not(None)),
            deal.c.id == number if number is not None else None,
        ),
        TitledKind("leads", LeadRecord, wanted, [alive[lead]], lead.c.closed_at.is_not(None)),
        TitledKind(
            *("tasks", TaskRecord, wanted, both((alive[task], seen_task(task, sight)))),
            task.c.state != TaskState.OPEN,
        ),
        TitledKind(
            *("documents", DocumentRecord, typed[1] if typed is not None else wanted),
            both((of_seen_card(document.c.deal_id, sight),)),
            false(),
            document.c.number == paper if paper is not None else None,
        ),
    )


def _found(conn: Connection, statements: Sequence[Select[Any]]) -> dict[str, dict[int, tuple[bool, bool, int]]]:
    """By kind the ids that statements find, with their places. One statement."""
    found: dict[str, dict[int, tuple[bool, bool, int]]] = {}
    for row in conn.execute(union_all(*statements)) if statements else ():
        found.setdefault(row.name, {})[row.id] = (bool(row.other), bool(row.over), -row.id)
    return found


def _records(conn: Connection, kind: TitledKind, places: Mapping[int, Any], limit: int) -> list[Any]:
    """The first of what was found, one more than `limit` where there are more. One statement."""
    ids = sorted(places, key=places.__getitem__)[: limit + 1]
    if not ids:
        return []
    records = {each[0]: each for each in all_of(conn, kind.record, select(kind.table).where(kind.table.c.id.in_(ids)))}
    return [records[each] for each in ids if each in records]


def companies_statement(wanted: str, region: str) -> Select[Any]:
    """Companies by name, number or tax id, the newest first."""
    found = searching.found_by(company, wanted, region)
    return select(company).where(company.c.deleted_at.is_(None), found).order_by(company.c.id.desc())


def products_statement(wanted: str, region: str) -> Select[Any]:
    """Products by name or article, those in use first."""
    found = searching.found_by(product, wanted, region)
    return (
        select(product).where(product.c.deleted_at.is_(None), found).order_by(product.c.archived, product.c.id.desc())
    )


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
