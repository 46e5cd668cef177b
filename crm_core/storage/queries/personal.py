"""Where what is known of one person stands, all over the record: read for them, and taken out of it.

Rows stay where figures count them; what tells of the person goes. Which columns those are is said once, in `_PLACES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, Text, and_, cast, delete, false, func, literal, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.exchange import ImportState
from crm_core.model.recording import RecordingState
from crm_core.model.records import FileState, RecordingRecord
from crm_core.storage.queries.pages import all_of
from crm_core.storage.searching import like
from crm_core.storage.tables import (
    attachment,
    broadcast_recipient,
    call,
    callback,
    chain_run,
    change,
    client_score,
    contact,
    contact_case,
    contact_merge,
    deal,
    dial,
    document,
    external_ref,
    field_value,
    idempotency,
    identity,
    import_problem,
    import_run,
    journal,
    lead,
    link,
    listed_number,
    message_ref,
    need,
    opt_out,
    outbox,
    payment,
    recording,
    route_decision,
    rule_run,
    sale,
    suggestion,
    task,
    thread,
    thread_ref,
    timeline,
    upload,
    webhook_delivery,
)

Condition = ColumnElement[bool]

ERASED = "erased"
_DIGITS = re.compile(r"\D")
_SHORTEST_NEEDLE = 6
_NATIONAL = 10
_PAGE = 5000


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


@dataclass(frozen=True, slots=True)
class Place:
    """A table that tells of persons: which rows are theirs, and what of those is written over; without `blank` the rows
    themselves go. `kept` is only read: it tells of no person once the person has no name."""

    table: Table
    where: Any
    blank: Mapping[str, Any] | None = None
    kept: bool = False


def _in(column: Column[Any], values: Sequence[Any]) -> Condition:
    return column.in_(values) if values else false()


def _subjects(kind: Column[Any], subject: Column[Any], of: Person) -> Condition:
    return or_(
        and_(kind == "contact", _in(subject, of.contacts)),
        and_(kind == "lead", _in(subject, of.leads)),
        and_(kind == "deal", _in(subject, of.deals)),
        and_(kind == "task", _in(subject, of.tasks)),
    )


def _conversations(of: Person) -> Condition:
    columns = journal.c
    return or_(
        false(),
        *(
            and_(columns.channel == channel, columns.account == account, columns.conversation == conversation)
            for channel, account, conversation in of.conversations
        ),
    )


# In this order: what refers goes before what it refers to.
_PLACES: tuple[Place, ...] = (
    Place(
        attachment,
        lambda of: _in(attachment.c.entry_id, of.entries),
        {
            "name": "",
            "sha256": None,
            "remote_id": None,
            "cid": "",
            "error": ERASED,
            "warning": "",
            "state": FileState.FAILED,
        },
    ),
    Place(message_ref, lambda of: _in(message_ref.c.entry_id, of.entries)),
    Place(thread_ref, lambda of: _in(thread_ref.c.thread_id, of.threads)),
    Place(thread, lambda of: _in(thread.c.id, of.threads), {"subject": ""}),
    Place(
        timeline,
        lambda of: _in(timeline.c.contact_id, of.contacts),
        {
            "text": "",
            "html": None,
            "subject": "",
            "quoted": "",
            "versions": [],
            "location": None,
            "offers": None,
            "authenticity": None,
            "reactions": [],
            "delivery_error": None,
            "conversation": None,
            "ref": None,
            "external_id": None,
            "answers": None,
            "album": None,
            "reason": None,
        },
    ),
    Place(
        journal,
        lambda of: or_(_in(journal.c.id, of.journals), _conversations(of)),
        {"raw": b"", "conversation": "", "error": None},
    ),
    Place(call, lambda of: _in(call.c.contact_id, of.contacts), {"number": "", "recording": None}),
    Place(recording, lambda of: _in(recording.c.call_id, of.calls), {"error": None}),
    Place(
        route_decision,
        lambda of: or_(
            _in(route_decision.c.contact_id, of.contacts),
            _in(route_decision.c.number, [key.removeprefix("tel:") for key in of.keys if key.startswith("tel:")]),
        ),
        {"number": "", "reason": "", "trace": []},
    ),
    Place(callback, lambda of: _in(callback.c.contact_id, of.contacts), {"number": "", "detail": ""}),
    Place(dial, lambda of: _in(dial.c.contact_id, of.contacts), {"number": "", "detail": ""}),
    Place(
        suggestion, lambda of: or_(_in(suggestion.c.contact_id, of.contacts), _in(suggestion.c.other_id, of.contacts))
    ),
    Place(
        contact_merge,
        lambda of: or_(_in(contact_merge.c.survivor_id, of.contacts), _in(contact_merge.c.absorbed_id, of.contacts)),
        {"moved": {}, "evidence": ""},
    ),
    Place(field_value, lambda of: _in(field_value.c.subject_id, (*of.contacts, *of.leads, *of.deals, *of.tasks))),
    Place(change, lambda of: _subjects(change.c.kind, change.c.subject_id, of), {"changes": []}),
    Place(rule_run, lambda of: _in(rule_run.c.contact_id, of.contacts), {"why": "", "actions": [], "error": ""}),
    Place(chain_run, lambda of: _in(chain_run.c.contact_id, of.contacts), {"reason": "", "account": ""}),
    Place(
        broadcast_recipient, lambda of: _in(broadcast_recipient.c.contact_id, of.contacts), {"why": "", "account": ""}
    ),
    Place(opt_out, lambda of: or_(_in(opt_out.c.contact_id, of.contacts), _in(opt_out.c.key, of.keys))),
    Place(
        link,
        lambda of: or_(
            and_(link.c.from_kind == "contact", _in(link.c.from_id, of.contacts)),
            and_(link.c.to_kind == "contact", _in(link.c.to_id, of.contacts)),
        ),
    ),
    Place(external_ref, lambda of: _subjects(external_ref.c.kind, external_ref.c.subject_id, of)),
    Place(
        document,
        lambda of: or_(_in(document.c.contact_id, of.contacts), _in(document.c.deal_id, of.deals)),
        {"title": "", "name": "", "sha256": ""},
    ),
    Place(
        webhook_delivery,
        lambda of: _in(webhook_delivery.c.subject_id, (*of.contacts, *of.leads, *of.deals, *of.tasks, *of.entries)),
        {"payload": {}, "error": ""},
    ),
    Place(need, lambda of: _in(need.c.contact_id, of.contacts)),
    Place(client_score, lambda of: _in(client_score.c.contact_id, of.contacts), kept=True),
    Place(sale, lambda of: _in(sale.c.contact_id, of.contacts), kept=True),
    Place(payment, lambda of: _in(payment.c.contact_id, of.contacts), {"note": ""}),
    Place(task, lambda of: _in(task.c.id, of.tasks), {"title": "", "text": "", "result": "", "fields": {}, "tags": []}),
    Place(contact_case, lambda of: _in(contact_case.c.contact_id, of.contacts), {"reason": None}),
    Place(
        lead, lambda of: _in(lead.c.id, of.leads), {"title": "", "reason": None, "fields": {}, "tags": [], "marks": {}}
    ),
    Place(deal, lambda of: _in(deal.c.id, of.deals), {"title": "", "fields": {}, "tags": []}),
    Place(listed_number, lambda of: _in(listed_number.c.key, of.keys)),
    Place(identity, lambda of: _in(identity.c.contact_id, of.contacts)),
    Place(
        contact,
        lambda of: _in(contact.c.id, of.contacts),
        {
            "name": "",
            "name_key": "",
            "search": "",
            "company": None,
            "company_id": None,
            "city": None,
            "list_name": None,
            "fields": {},
            "tags": [],
            "marks": {},
        },
    ),
)


def person(conn: Connection, contact_id: int) -> Person:
    """All that is one person's, by ids. A fixed number of statements."""
    contacts = _family(conn, contact_id)
    keys = _column(conn, identity.c.key, identity.c.contact_id, contacts)
    rows = conn.execute(
        select(
            timeline.c.id, timeline.c.journal_id, timeline.c.channel, timeline.c.account, timeline.c.conversation
        ).where(timeline.c.contact_id.in_(contacts))
    ).all()
    # In a group others speak too: only conversations with this person alone are theirs.
    own = {key.partition(":")[2] for key in keys}
    talks = {(row[2], row[3], row[4]) for row in rows if row[4] and any(each in row[4] for each in own)}
    names = _column(conn, contact.c.name, contact.c.id, contacts)
    return Person(
        contacts=tuple(contacts),
        keys=tuple(keys),
        leads=tuple(_column(conn, lead.c.id, lead.c.contact_id, contacts)),
        deals=tuple(_column(conn, deal.c.id, deal.c.contact_id, contacts)),
        tasks=tuple(_column(conn, task.c.id, task.c.contact_id, contacts)),
        entries=tuple(row[0] for row in rows),
        calls=tuple(_column(conn, call.c.id, call.c.contact_id, contacts)),
        journals=tuple({row[1] for row in rows if row[1] is not None}),
        threads=tuple(_column(conn, thread.c.id, thread.c.contact_id, contacts)),
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


def _column(conn: Connection, column: Column[Any], by: Column[Any], ids: Sequence[int]) -> list[Any]:
    return [row[0] for row in conn.execute(select(column).where(by.in_(ids)))]


def everything(conn: Connection, of: Person) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The rows that tell of a person, by table, as they stand."""
    for place in _PLACES:
        rows = conn.execute(select(place.table).where(place.where(of)).limit(100_000))
        # plain strings as names: SQLAlchemy's own kind of string is none to the JSON writer
        found = [{f"{name}": value for name, value in row.items()} for row in rows.mappings()]
        if found:
            yield place.table.name, found


def counts(conn: Connection, of: Person) -> dict[str, int]:
    """How many rows tell of a person, by table."""
    found: dict[str, int] = {}
    for place in _PLACES:
        number = conn.execute(select(func.count()).select_from(place.table).where(place.where(of))).scalar_one()
        if number:
            found[place.table.name] = int(number)
    return found


def files_of(conn: Connection, of: Person) -> set[str]:
    """The hashes of the files of a person."""
    found = set(_column(conn, attachment.c.sha256, attachment.c.entry_id, of.entries))
    rows = conn.execute(
        select(document.c.sha256).where(or_(_in(document.c.contact_id, of.contacts), _in(document.c.deal_id, of.deals)))
    )
    return {each for each in (*found, *(row[0] for row in rows)) if each}


def recordings_of(conn: Connection, of: Person) -> list[RecordingRecord]:
    """The recordings of a person's calls."""
    return all_of(conn, RecordingRecord, select(recording).where(_in(recording.c.call_id, of.calls)))


def recording_gone(conn: Connection, call_id: int, now: datetime, *, gone: bool) -> None:
    """The file of a recording was deleted; or whoever has it is to delete it now."""
    values: dict[str, Any] = {"expires_at": now, "look_at": now}
    if gone:
        values = {"name": "", "place": None, "state": RecordingState.EXPIRED, "look_at": None}
    columns = recording.c
    alive = columns.state.in_((RecordingState.EXPECTED, RecordingState.STORED, RecordingState.REMOTE))
    where = [columns.call_id == call_id] if gone else [columns.call_id == call_id, alive]
    conn.execute(update(recording).where(*where).values(**values))


def erase(conn: Connection, of: Person, now: datetime) -> dict[str, int]:
    """Take out whatever tells of a person, in this transaction; how many rows of each table it were."""
    found: dict[str, int] = {}
    _stop(conn, of, now)
    for place in _PLACES:
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
        update(task).where(_in(task.c.id, of.tasks), task.c.state == "open").values(state="cancelled", done_at=now)
    )
    entries = _in(outbox.c.entry_id, of.entries)
    conn.execute(
        update(outbox)
        .where(entries, outbox.c.state == "queued")
        .values(state="failed", done_at=now, error=ERASED, claimed_by=None, claimed_until=None)
    )
    conn.execute(update(outbox).where(entries).values(payload={}))


# ------------------------------------------------------------ found by what stands in them


def sweep_small(conn: Connection, of: Person) -> dict[str, int]:
    """Queues, deliveries, kept answers and lines of imports that name the person; how many of each."""
    found: dict[str, int] = {}
    if not of.needles:
        return found
    for name, table, column in (
        ("outbox", outbox, outbox.c.payload),
        ("webhook_delivery", webhook_delivery, webhook_delivery.c.payload),
    ):
        named = or_(*(cast(column, Text).like(like(needle), escape="\\") for needle in of.needles))
        found[name] = conn.execute(update(table).where(named).values(payload={})).rowcount
    answers = or_(*(_holds(idempotency.c.response, conn, needle.encode()) for needle in of.needles))
    found["idempotency"] = conn.execute(delete(idempotency).where(answers)).rowcount
    found["import_problem"] = _sweep_problems(conn, of)
    return {name: number for name, number in found.items() if number}


def _sweep_problems(conn: Connection, of: Person) -> int:
    """Lines of imports hold numbers however somebody wrote them: each is looked at."""
    columns, above, number = import_problem.c, "", 0
    while True:
        statement = select(columns.key, columns.error, columns.cells).where(columns.key > above)
        rows = conn.execute(statement.order_by(columns.key).limit(_PAGE)).all()
        if not rows:
            return number
        above = rows[-1][0]
        named = [key for key, error, cells in rows if _names([error, cells], of.needles)]
        if named:
            blank = update(import_problem).where(columns.key.in_(named)).values(cells=[ERASED], error=ERASED)
            number += conn.execute(blank).rowcount


def sweep_journal(conn: Connection, of: Person, above: int) -> tuple[int | None, int]:
    """Raw facts behind an id in which a number or an address of the person stands: their content goes. The last id
    looked at, None at the end; how many it were."""
    ids = [
        row[0]
        for row in conn.execute(select(journal.c.id).where(journal.c.id > above).order_by(journal.c.id).limit(_PAGE))
    ]
    if not ids or not of.needles:
        return None, 0
    contains = [_holds(journal.c.raw, conn, needle.encode()) for needle in of.needles]
    where = and_(journal.c.id > above, journal.c.id <= ids[-1], or_(*contains))
    number = conn.execute(update(journal).where(where).values(raw=b"", error=None)).rowcount
    return ids[-1], number


def _holds(column: Column[Any], conn: Connection, needle: bytes) -> Condition:
    if conn.dialect.name == "sqlite":
        return func.instr(column, literal(needle)) > 0
    return func.position(literal(needle).op("IN")(column)) > 0


def _names(value: Any, needles: Sequence[str]) -> bool:
    """Whether a text somewhere in a JSON value names the person, numbers however they are written."""
    match value:
        case str():
            digits = _DIGITS.sub("", value)
            return any(needle in value or (needle.isdigit() and needle in digits) for needle in needles)
        case dict():
            return any(_names(each, needles) for each in value.values())
        case list() | tuple():
            return any(_names(each, needles) for each in value)
        case _:
            return False


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
