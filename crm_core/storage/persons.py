"""Everything of one person, as acts of whoever may erase: counted, given to them, taken out of the record."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from crm_core.model.auditing import Act
from crm_core.model.records import RecordingRecord
from crm_core.model.rights import Right
from crm_core.services.auditing import note
from crm_core.services.desk import Desk
from crm_core.storage.database import take_your_time
from crm_core.storage.queries import personal
from crm_core.storage.queries.personal import Person
from crm_core.storage.queries.within import connection_of


@dataclass(frozen=True, slots=True)
class Taken:
    """A person, how many rows of each table are theirs, the hashes of their files and their recordings."""

    person: Person
    rows: dict[str, int]
    files: frozenset[str]
    recordings: tuple[RecordingRecord, ...]


def count(desk: Desk, contact_id: int) -> Taken:
    """How much there is of a person; nothing changes. Raises NotFound, Forbidden."""
    desk.demand(Right.ERASE)
    conn = connection_of(desk)
    person = personal.person(conn, contact_id)
    files, recordings = personal.files_of(conn, person), personal.recordings_of(conn, person)
    return Taken(person, personal.counts(conn, person), frozenset(files), tuple(recordings))


def take_out(desk: Desk, contact_id: int, *, login: str, remote: str) -> Taken:
    """Take a person out of the record, and note who did; what was theirs outside it is told. Raises NotFound,
    Forbidden."""
    desk.demand(Right.ERASE)
    conn = connection_of(desk)
    take_your_time(conn)
    first = desk.work.contact(contact_id)
    if first.merged_into is not None:
        desk.work.contact(contact_id := first.merged_into)
    person = personal.person(conn, contact_id)
    desk.work.contacts(person.contacts)
    files, recordings = personal.files_of(conn, person), personal.recordings_of(conn, person)
    rows = personal.erase(conn, person, desk.now)
    for name, number in personal.sweep_small(conn, person).items():
        rows[name] = rows.get(name, 0) + number
    for key in person.keys:
        digits = key.removeprefix("tel:+")
        number = int(digits) if digits.isascii() and digits.isdigit() else 0
        desk.work.changed("identity.removed", number, contact_id)
    for each in person.contacts:
        desk.work.changed("contact", each, each)
    # plain strings as names: SQLAlchemy's own kind of string is none to the JSON writer
    detail = orjson.dumps({f"{name}": count for name, count in rows.items()}).decode()
    note(desk, Act.CONTACT_ERASED, contact_id, login=login, remote=remote, detail=detail)
    return Taken(person, rows, frozenset(files), tuple(recordings))


def give(desk: Desk, contact_id: int, *, login: str, remote: str) -> Person:
    """Whose everything is given away; who took it is noted. Raises NotFound, Forbidden."""
    desk.demand(Right.ERASE)
    contact = desk.work.contact(contact_id)
    note(desk, Act.CONTACT_GIVEN, contact_id, contact_id=contact_id, login=login, remote=remote)
    return personal.person(connection_of(desk), contact.merged_into or contact_id)
