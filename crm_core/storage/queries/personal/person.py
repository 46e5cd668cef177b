"""Who somebody is, over all contacts that were merged into one, and what is theirs, by ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, false, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.storage.tables import call, contact, deal, identity, lead, task, thread, timeline

Condition = ColumnElement[bool]

_NATIONAL = 10
_SHORTEST_NEEDLE = 6


@dataclass(frozen=True, slots=True)
class Person:
    """One person as they are known: the contacts that were merged into one, their identities, and the ids of what is
    theirs. `needles` are texts by which they are found elsewhere."""

    contacts: tuple[int, ...]
    keys: tuple[str, ...]
    leads: tuple[int, ...] = ()
    deals: tuple[int, ...] = ()
    tasks: tuple[int, ...] = ()
    entries: tuple[int, ...] = ()
    calls: tuple[int, ...] = ()
    journals: tuple[int, ...] = ()
    threads: tuple[int, ...] = ()
    conversations: tuple[tuple[str, str, str], ...] = ()
    needles: tuple[str, ...] = ()


def in_(column: Column[Any], values: Sequence[Any]) -> Condition:
    """That a column has one of these values; none of them is never."""
    return column.in_(values) if values else false()


def person(conn: Connection, contact_id: int) -> Person:
    """All that is one person's, by ids. A fixed number of statements."""
    contacts = _family(conn, contact_id)
    keys = column_of(conn, identity.c.key, identity.c.contact_id, contacts)
    rows = conn.execute(
        select(
            timeline.c.id, timeline.c.journal_id, timeline.c.channel, timeline.c.account, timeline.c.conversation
        ).where(timeline.c.contact_id.in_(contacts))
    ).all()
    # In a group others speak too: only conversations with this person alone are theirs.
    own = {key.partition(":")[2] for key in keys}
    talks = {(row[2], row[3], row[4]) for row in rows if row[4] and any(each in row[4] for each in own)}
    names = column_of(conn, contact.c.name, contact.c.id, contacts)
    return Person(
        contacts=tuple(contacts),
        keys=tuple(keys),
        leads=tuple(column_of(conn, lead.c.id, lead.c.contact_id, contacts)),
        deals=tuple(column_of(conn, deal.c.id, deal.c.contact_id, contacts)),
        tasks=tuple(column_of(conn, task.c.id, task.c.contact_id, contacts)),
        entries=tuple(row[0] for row in rows),
        calls=tuple(column_of(conn, call.c.id, call.c.contact_id, contacts)),
        journals=tuple({row[1] for row in rows if row[1] is not None}),
        threads=tuple(column_of(conn, thread.c.id, thread.c.contact_id, contacts)),
        conversations=tuple(talks),
        needles=_needles(keys, names),
    )


def _needles(keys: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for key in keys:
        kind, _, value = key.partition(":")
        text = value.lstrip("+")[-_NATIONAL:] if kind == "tel" else value
        if kind in {"tel", "mailto", "claimed"} and len(text) >= _SHORTEST_NEEDLE:
            found[text] = None
    for name in names:
        if len(name.split()) > 1:
            found[name] = None
    return tuple(found)


def _family(conn: Connection, contact_id: int) -> list[int]:
    """The contact and whoever was merged into it, and into those."""
    found = [contact_id]
    fresh = [contact_id]
    while fresh:
        rows = conn.execute(select(contact.c.id).where(contact.c.merged_into.in_(fresh)))
        fresh = [row[0] for row in rows if row[0] not in found]
        found += fresh
    return found


def column_of(conn: Connection, column: Column[Any], by: Column[Any], ids: Sequence[int]) -> list[Any]:
    """A column of the rows of which another column has one of these values."""
    return [row[0] for row in conn.execute(select(column).where(by.in_(ids)))]
