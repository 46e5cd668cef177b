"""What is known of one person, read: for them, and to see what of it is used by others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, or_, select

from crm_core.model.exchange import ImportState
from crm_core.model.records import RecordingRecord
from crm_core.storage.queries.pages import all_of
from crm_core.storage.queries.personal.person import Person, column_of, in_
from crm_core.storage.queries.personal.places import PLACES
from crm_core.storage.tables import attachment, document, import_run, recording, upload


def everything(conn: Connection, of: Person) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The rows that tell of a person, by table, as they stand."""
    for place in PLACES:
        rows = conn.execute(select(place.table).where(place.where(of)).limit(100_000))
        # plain strings as names: SQLAlchemy's own kind of string is none to the JSON writer
        found = [{f"{name}": value for name, value in row.items()} for row in rows.mappings()]
        if found:
            yield place.table.name, found


def counts(conn: Connection, of: Person) -> dict[str, int]:
    """How many rows tell of a person, by table."""
    found: dict[str, int] = {}
    for place in PLACES:
        number = conn.execute(select(func.count()).select_from(place.table).where(place.where(of))).scalar_one()
        if number:
            found[place.table.name] = int(number)
    return found


def files_of(conn: Connection, of: Person) -> set[str]:
    """The hashes of the files of a person."""
    found = set(column_of(conn, attachment.c.sha256, attachment.c.entry_id, of.entries))
    rows = conn.execute(
        select(document.c.sha256).where(or_(in_(document.c.contact_id, of.contacts), in_(document.c.deal_id, of.deals)))
    )
    return {each for each in (*found, *(row[0] for row in rows)) if each}


def recordings_of(conn: Connection, of: Person) -> list[RecordingRecord]:
    """The recordings of a person's calls."""
    return all_of(conn, RecordingRecord, select(recording).where(in_(recording.c.call_id, of.calls)))


def files_in_use(conn: Connection, hashes: Sequence[str]) -> set[str]:
    """Those of these files that something refers to: attachments, uploads, documents, imports that go on."""
    found: set[str] = set()
    for table in (attachment, upload, document):
        column = table.c.sha256
        found.update(row[0] for row in conn.execute(select(column).where(column.in_(hashes)).distinct()))
    columns = import_run.c
    active = columns.state.in_((ImportState.READY, ImportState.RUNNING))
    found.update(row[0] for row in conn.execute(select(columns.sha256).where(columns.sha256.in_(hashes), active)))
    return found
