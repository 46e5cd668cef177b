"""What happened to a client, in the order it became known or in the order it happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, literal, select, tuple_

from crm_core.errors import NotFound
from crm_core.messages import Delivery
from crm_core.model.access import Access, Right, demand
from crm_core.model.call import Direction
from crm_core.model.records import AttachmentRecord, CallRecord, EntryRecord, RecordingRecord
from crm_core.model.subject import topic_of
from crm_core.model.timeline import EntryKind
from crm_core.storage.queries.pages import (
    Page,
    Slice,
    all_of,
    both,
    grouped,
    moment_cursor,
    number_cursor,
    page_of,
    parse_moment_cursor,
)
from crm_core.storage.queries.recordings import recordings_of
from crm_core.storage.queries.seeing import seen_entry
from crm_core.storage.tables import attachment, call, journal, thread, timeline
from crm_core.storage.types import UtcDateTime


@dataclass(frozen=True, slots=True)
class EntryCard:
    """An entry with its files, and where it is a call, that and what became of its recording.

    `thread_id` is the thread that stands for all of its topic, `answers` the entry that this one replies to.
    """

    entry: EntryRecord
    attachments: tuple[AttachmentRecord, ...] = ()
    call: CallRecord | None = None
    recording: RecordingRecord | None = None
    thread_id: int | None = None
    answers: int | None = None


class Order(StrEnum):
    """`committed`: as it became known, so that nothing ever appears behind a cursor. `occurred`: as it happened, oldest
    first. `recent`: as it happened, newest first."""

    COMMITTED = "committed"
    OCCURRED = "occurred"
    RECENT = "recent"


@dataclass(frozen=True, slots=True)
class RawFact:
    """A fact as it arrived, with its media type."""

    raw: bytes
    raw_type: str


def list_entries(
    conn: Connection, access: Access | None, contact_id: int, order: Order, where: Slice
) -> Page[EntryCard]:
    """A page of a contact's timeline, without what became of cards that somebody does not see; all of it for the hub
    itself. Six statements at most. Raises Forbidden for whoever sees no clients."""
    demand(access, Right.SEE_CLIENTS)
    if order is Order.COMMITTED:
        statement = by_commit(contact_id, number_cursor(where.after))
    else:
        statement = by_time(contact_id, where.after, newest_first=order is Order.RECENT)
    seen = both((seen_entry(timeline, access.sight),)) if access is not None else ()
    rows = all_of(conn, EntryRecord, statement.where(*seen).limit(where.limit + 1))
    page = page_of(rows, where.limit, _by_seq if order is Order.COMMITTED else _by_moment)
    cards = {card.entry.id: card for card in with_details(conn, page.items)}
    return page.map(lambda entry: cards[entry.id])


def list_scheduled(conn: Connection, access: Access, contact_id: int, now: datetime, where: Slice) -> Page[EntryCard]:
    """A page of the messages to a contact that wait for their moment, the soonest first, without what tells of cards
    that somebody does not see. What lies ahead on a timeline is read, and nothing else. Six statements at most. Raises
    Forbidden for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    waiting = (
        timeline.c.occurred_at > now,
        timeline.c.direction == Direction.OUT,
        timeline.c.delivery == Delivery.QUEUED,
        timeline.c.deleted_at.is_(None),
        *both((seen_entry(timeline, access.sight),)),
    )
    statement = by_time(contact_id, where.after).where(*waiting).limit(where.limit + 1)
    page = page_of(all_of(conn, EntryRecord, statement), where.limit, _by_moment)
    cards = {card.entry.id: card for card in with_details(conn, page.items)}
    return page.map(lambda entry: cards[entry.id])


def by_commit(contact_id: int, after: int | None) -> Select[Any]:
    """Entries in commit order."""
    statement = select(timeline).where(timeline.c.contact_id == contact_id).order_by(timeline.c.seq)
    return statement if after is None else statement.where(timeline.c.seq > after)


def by_time(contact_id: int, after: str | None, *, newest_first: bool = False) -> Select[Any]:
    """Entries in the order of what happened: time, the provider's own counter, id."""
    place = (timeline.c.occurred_at, timeline.c.sequence, timeline.c.id)
    statement = select(timeline).where(timeline.c.contact_id == contact_id)
    statement = statement.order_by(*((column.desc() for column in place) if newest_first else place))
    if after is None:
        return statement
    at, (sequence, entry_id) = parse_moment_cursor(after, 2)
    mark = tuple_(literal(at, UtcDateTime()), literal(sequence, BigInteger()), literal(entry_id, BigInteger()))
    return statement.where(tuple_(*place) < mark if newest_first else tuple_(*place) > mark)


def with_details(conn: Connection, entries: Sequence[EntryRecord]) -> list[EntryCard]:
    """Entries with their files, calls and recordings; five statements at most."""
    if not entries:
        return []
    of_entries = attachment.c.entry_id.in_([entry.id for entry in entries])
    listed = select(attachment).where(of_entries).order_by(attachment.c.entry_id, attachment.c.position)
    files = grouped(all_of(conn, AttachmentRecord, listed), "entry_id")
    call_ids = [entry.call_id for entry in entries if entry.call_id is not None]
    calls = all_of(conn, CallRecord, select(call).where(call.c.id.in_(call_ids))) if call_ids else []
    call_of = {record.id: record for record in calls}
    recordings = recordings_of(conn, calls)
    tops = _topmost(conn, {entry.thread_id for entry in entries if entry.thread_id is not None})
    refs = {entry.answers for entry in entries if entry.answers is not None}
    replied = select(timeline.c.ref, timeline.c.id).where(timeline.c.ref.in_(refs))
    answered = {row.ref: row.id for row in conn.execute(replied)} if refs else {}
    return [
        EntryCard(
            entry,
            tuple(files.get(entry.id, ())),
            call_of.get(entry.call_id) if entry.call_id else None,
            recordings.get(entry.call_id) if entry.call_id else None,
            tops.get(entry.thread_id, entry.thread_id) if entry.thread_id else None,
            answered.get(entry.answers) if entry.answers else None,
        )
        for entry in entries
    ]


def _topmost(conn: Connection, ids: set[int]) -> dict[int, int]:
    """For each thread the one that stands for it: the topmost above it of the same subject."""
    if not ids:
        return {}
    up = select(thread.c.id, thread.c.parent_id, thread.c.subject).where(thread.c.id.in_(ids)).cte(recursive=True)
    up = up.union(select(thread.c.id, thread.c.parent_id, thread.c.subject).where(thread.c.id == up.c.parent_id))
    known = {row.id: (row.parent_id, topic_of(row.subject)) for row in conn.execute(select(up))}

    def top(thread_id: int) -> int:
        while (parent := known[thread_id][0]) is not None and known[parent][1] == known[thread_id][1]:
            thread_id = parent
        return thread_id

    return {each: top(each) for each in ids if each in known}


def entry_card(conn: Connection, access: Access, entry_id: int) -> EntryCard:
    """One entry; raises NotFound, also where it tells of a card that somebody does not see, and Forbidden for whoever
    sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    wanted = select(timeline).where(timeline.c.id == entry_id, *both((seen_entry(timeline, access.sight),)))
    found = next(iter(all_of(conn, EntryRecord, wanted)), None)
    if found is None:
        raise NotFound("there is no entry {entry}", entry=entry_id)
    return with_details(conn, [found])[0]


def raw_of(conn: Connection, access: Access, entry_id: int) -> RawFact:
    """The mail that an entry was made of, as it arrived; raises NotFound, Forbidden for whoever sees no clients.

    What other providers post holds the office's secrets: that is for the journal, and for administrators.
    """
    access.demand(Right.SEE_CLIENTS)
    statement = (
        select(journal.c.raw, journal.c.raw_type)
        .join(timeline, timeline.c.journal_id == journal.c.id)
        .where(timeline.c.id == entry_id, timeline.c.kind == EntryKind.EMAIL)
    )
    row = conn.execute(statement).first()
    if row is None:
        raise NotFound("there is no message as received of entry {entry}", entry=entry_id)
    return RawFact(bytes(row.raw), row.raw_type)


def _by_seq(entry: EntryRecord) -> str:
    return str(entry.seq)


def _by_moment(entry: EntryRecord) -> str:
    return moment_cursor(entry.occurred_at, entry.sequence, entry.id)
