"""What is known of one person, taken out of the record: rows stay where figures count them, what tells goes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, update

from crm_core.model.recording import RecordingState
from crm_core.storage.queries.personal.person import Person, in_
from crm_core.storage.queries.personal.places import ERASED, PLACES
from crm_core.storage.tables import callback, chain_run, contact, contact_case, outbox, recording, task, timeline


def erase(conn: Connection, of: Person, now: datetime) -> dict[str, int]:
    """Take out whatever tells of a person, in this transaction; how many rows of each table it were."""
    found: dict[str, int] = {}
    _stop(conn, of, now)
    for place in PLACES:
        if place.kept:
            continue
        where = place.where(of)
        statement = delete(place.table) if place.blank is None else update(place.table).values(**place.blank)
        number = conn.execute(statement.where(where)).rowcount
        if number:
            found[place.table.name] = number
    conn.execute(update(contact).where(contact.c.id.in_(of.contacts)).values(deleted_at=now, updated_at=now))
    # An author of what came in is the person; of what went out it is one of us.
    conn.execute(
        update(timeline).where(timeline.c.contact_id.in_(of.contacts), timeline.c.direction == "in").values(author="")
    )
    return found


def _stop(conn: Connection, of: Person, now: datetime) -> None:
    """Nothing goes on with somebody who is not to be known."""
    conn.execute(
        update(callback)
        .where(callback.c.contact_id.in_(of.contacts), callback.c.state.in_(("waiting", "dialling")))
        .values(state="cancelled", ended_at=now)
    )
    conn.execute(
        update(contact_case)
        .where(contact_case.c.contact_id.in_(of.contacts), contact_case.c.state == "open")
        .values(state="closed", closed_at=now)
    )
    conn.execute(
        update(chain_run)
        .where(chain_run.c.contact_id.in_(of.contacts), chain_run.c.state == "running")
        .values(state="stopped", ended_at=now)
    )
    conn.execute(
        update(task).where(in_(task.c.id, of.tasks), task.c.state == "open").values(state="cancelled", done_at=now)
    )
    entries = in_(outbox.c.entry_id, of.entries)
    conn.execute(
        update(outbox)
        .where(entries, outbox.c.state == "queued")
        .values(state="failed", done_at=now, error=ERASED, claimed_by=None, claimed_until=None)
    )
    conn.execute(update(outbox).where(entries).values(payload={}))


def recording_gone(conn: Connection, call_id: int, now: datetime, *, gone: bool) -> None:
    """The file of a recording was deleted; or whoever has it is to delete it now."""
    values: dict[str, Any] = {"expires_at": now, "look_at": now}
    if gone:
        values = {"name": "", "place": None, "state": RecordingState.EXPIRED, "look_at": None}
    columns = recording.c
    alive = columns.state.in_((RecordingState.EXPECTED, RecordingState.STORED, RecordingState.REMOTE))
    where = [columns.call_id == call_id] if gone else [columns.call_id == call_id, alive]
    conn.execute(update(recording).where(*where).values(**values))
