"""Contacts as they are looked up: by what is typed, by an identity, by id, with their identities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from crm_core.errors import InvalidIdentity, NotFound
from crm_core.model.access import Access, Right
from crm_core.model.identity import IdentityKind, caller, parse_identity
from crm_core.model.records import ContactRecord, IdentityRecord
from crm_core.storage import searching
from crm_core.storage.queries.pages import Page, Slice, all_of, both, grouped, number_cursor
from crm_core.storage.queries.sorting import EVERYTHING, More, listed
from crm_core.storage.tables import contact, identity

_LONGEST_CHAIN = 20
_NEWEST = 5_000


@dataclass(frozen=True, slots=True)
class ContactCard:
    """A contact and its identities, oldest first."""

    contact: ContactRecord
    identities: tuple[IdentityRecord, ...]


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """Which contacts are wanted. `text` is what somebody typed: words of a name, a number, an address; `identity` as
    it stands in a URL (a `+` may have become a space); `region` reads numbers."""

    text: str = ""
    identity: str | None = None
    manager: str | None = None
    company_id: int | None = None
    region: str = "RU"


def list_contacts(
    conn: Connection, access: Access, wanted: ContactFilter, where: Slice, more: More = EVERYTHING
) -> Page[ContactCard]:
    """Contacts, the newest first or as `more` sorts them; those merged into others and deleted ones are left out. Two
    statements, two more where they are sorted or looked for by words. Raises Forbidden for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    conditions = both(
        (
            contact.c.merged_into.is_(None),
            contact.c.deleted_at.is_(None),
            contact.c.company_id == wanted.company_id if wanted.company_id is not None else None,
            more.condition,
            contact.c.manager == wanted.manager if wanted.manager is not None else None,
        )
    )
    if wanted.identity is not None:
        key = identity_in_query(wanted.identity, wanted.region)
        conditions.append(contact.c.id == select(identity.c.contact_id).where(identity.c.key == key).scalar_subquery())
    page = _found(conn, conditions, wanted, where, more)
    held = identities_of(conn, [record.id for record in page.items])
    return page.map(lambda record: ContactCard(record, held.get(record.id, ())))


def _found(
    conn: Connection, conditions: list[ColumnElement[bool]], wanted: ContactFilter, where: Slice, more: More
) -> Page[ContactRecord]:
    """A page of contacts, by what was typed too. What stands with many is found among the newest: not all who have it
    need be looked up only to be sorted. What is rare the index finds soon."""
    if not wanted.text.strip():
        return listed(conn, "contact", ContactRecord, conditions, where, more)
    if more.sort is None and searching.often_found(wanted.text):
        after = number_cursor(where.after)
        behind = (contact.c.id < after,) if after is not None else ()
        last = select(contact.c.id).where(*behind).order_by(contact.c.id.desc()).offset(_NEWEST).limit(1)
        oldest = conn.execute(last).scalar()
        near = () if oldest is None else (contact.c.id > oldest,)
        read = searching.read_by(contact, wanted.text, wanted.region)
        page = listed(conn, "contact", ContactRecord, [*conditions, *near, read], where, more)
        if page.next is not None or oldest is None:
            return page
    typed = searching.found_by(contact, wanted.text, wanted.region)
    return listed(conn, "contact", ContactRecord, [*conditions, typed], where, more)


def contact_card(conn: Connection, access: Access, contact_id: int) -> ContactCard:
    """One contact; where it was merged into another, that one. Raises NotFound, Forbidden for whoever sees no
    clients."""
    record = current(conn, access, contact_id)
    return ContactCard(record, identities_of(conn, [record.id]).get(record.id, ()))


def cards_of(conn: Connection, contact_ids: Iterable[int]) -> dict[int, ContactCard]:
    """Contacts as they stand in the table, those merged into others too. Two statements."""
    wanted = list(dict.fromkeys(contact_ids))
    if not wanted:
        return {}
    held = identities_of(conn, wanted)
    records = all_of(conn, ContactRecord, select(contact).where(contact.c.id.in_(wanted)))
    return {record.id: ContactCard(record, held.get(record.id, ())) for record in records}


def current(conn: Connection, access: Access, contact_id: int) -> ContactRecord:
    """The contact that stands for an id today: the survivor of a merge. Raises NotFound, Forbidden for whoever sees no
    clients."""
    access.demand(Right.SEE_CLIENTS)
    return survivor(conn, contact_id)


def survivor(conn: Connection, contact_id: int) -> ContactRecord:
    """The same for queries that asked for their right already."""
    wanted = contact_id
    for _ in range(_LONGEST_CHAIN):
        found = all_of(conn, ContactRecord, select(contact).where(contact.c.id == wanted))
        if not found:
            break
        if found[0].merged_into is None:
            return found[0]
        wanted = found[0].merged_into
    raise NotFound("there is no contact {contact}", contact=contact_id)


def identities_of(conn: Connection, contact_ids: Iterable[int]) -> dict[int, tuple[IdentityRecord, ...]]:
    """The identities of contacts, oldest first."""
    wanted = list(contact_ids)
    if not wanted:
        return {}
    statement = (
        select(identity).where(identity.c.contact_id.in_(wanted)).order_by(identity.c.created_at, identity.c.key)
    )
    found = grouped(all_of(conn, IdentityRecord, statement), "contact_id")
    return {owner: tuple(records) for owner, records in found.items()}


def identity_in_query(text: str, region: str) -> str:
    """The key of an identity as it stands in a URL, where `+` may have been decoded as a space; InvalidIdentity."""
    kind, separator, value = text.partition(":")
    value = value.strip() if kind.strip().lower() != IdentityKind.TEL else value
    if kind.strip().lower() != IdentityKind.TEL:
        return str(parse_identity(f"{kind}{separator}{value.replace(' ', '+')}", region))
    if value.startswith(" "):
        value = f"+{value.lstrip()}"
    try:
        return str(parse_identity(f"{kind}:{value}", region))
    except InvalidIdentity:
        found = caller(value, region)  # numbers that no plan knows are kept as their digits
        if found is None:
            raise
        return str(found)
