"""A client's timeline as a page shows it: from any place both ways, by kinds, by words of what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, Text, func, literal, literal_column, select, tuple_

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right, demand
from crm_core.model.records import EntryRecord
from crm_core.model.timeline import EntryKind
from crm_core.storage import searching
from crm_core.storage.queries.pages import LARGEST_ID, all_of, both, moment_cursor, parse_moment_cursor
from crm_core.storage.queries.seeing import seen_entry
from crm_core.storage.queries.timeline import EntryCard, with_details
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.tables import call, timeline
from crm_core.storage.types import UtcDateTime

MOST_COUNTED = 1000
"""Where a number reaches this, there are at least so many."""

MOST_READ = 2000
"""So many entries are read at a time for words in them."""

_PLACE = (timeline.c.occurred_at, timeline.c.sequence, timeline.c.id)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a timeline in display order: oldest first, the newest at the end. `older` is the cursor with which
    the stretch before is asked for, None where this is the beginning; `newer` that of the stretch behind, None where
    this is the end as far as is known; `at` the id of the entry that it was asked for around, or of the first since the
    moment that was asked for, None where there is none."""

    entries: tuple[EntryCard, ...]
    older: str | None
    newer: str | None
    at: int | None = None


def stretch(
    conn: Connection,
    asker: Asker,
    contact_id: int,
    *,
    older: str | None = None,
    newer: str | None = None,
    around: int | None = None,
    since: datetime | None = None,
    kinds: frozenset[EntryKind] = frozenset(),
    words: str = "",
    limit: int = 50,
) -> Stretch:
    """The newest entries of a client; those before the cursor `older`, behind the cursor `newer`, around an entry's
    id, or around the moment `since`. `kinds` narrows. It reads as many entries as it shows, wherever they lie.

    `words` narrows all but the last two to entries in whose text or subject all of them stand: at most `MOST_READ` are
    read for them, so that fewer than `limit`, also none, may come with a cursor that leads on. Raises
    InvalidInput for a bad cursor, NotFound for an entry that is not on this timeline, Forbidden for whoever sees no
    clients. Eight statements at most."""
    asker.access.demand(Right.SEE_CLIENTS)
    if around is not None:
        return _around(conn, asker, contact_id, around, kinds, limit)
    if since is not None:
        return _since(conn, asker, contact_id, since, kinds, limit)
    if newer is not None:
        found, further = _read(conn, asker, contact_id, kinds, newer, words, limit, back=False)
        return _shown(conn, found, _cursor(found[0]) if found else newer, newer=further)
    found, earlier = _read(conn, asker, contact_id, kinds, older, words, limit, back=True)
    return _shown(conn, found[::-1], earlier, newer=_cursor(found[0]) if older is not None and found else None)


def _read(
    conn: Connection,
    asker: Asker,
    contact_id: int,
    kinds: frozenset[EntryKind],
    cursor: str | None,
    words: str,
    limit: int,
    *,
    back: bool,
) -> tuple[list[EntryRecord], str | None]:
    """Entries from a place on, the nearest first, and the cursor behind which there may be more of them."""
    statement = stretch_statement(asker, contact_id, kinds, cursor, back=back)
    edge = None
    if words.strip():
        of_all = stretch_statement(asker, contact_id, frozenset(), cursor, back=back).with_only_columns(*_PLACE)
        edge = conn.execute(of_all.offset(MOST_READ).limit(1)).first()
        statement = statement.where(
            searching.said(timeline.c.subject + literal_column("' '", Text()) + timeline.c.text, words)
        )
    if edge is not None:
        last = _mark(edge.occurred_at, edge.sequence, edge.id)
        statement = statement.where(tuple_(*_PLACE) >= last if back else tuple_(*_PLACE) <= last)
    found = all_of(conn, EntryRecord, statement.limit(limit + 1))
    if len(found) > limit:
        return found[:limit], _cursor(found[limit - 1])
    return found, moment_cursor(*edge) if edge is not None else None


def count_by_kind(conn: Connection, asker: Asker, contact_id: int) -> dict[EntryKind, int]:
    """How many entries of each kind stand among the newest thousand of a timeline; kinds without any are left out. One
    statement. Raises Forbidden for whoever sees no clients."""
    asker.access.demand(Right.SEE_CLIENTS)
    newest = (
        select(timeline.c.kind)
        .where(timeline.c.contact_id == contact_id, *both((seen_entry(timeline, asker.sight),)))
        .order_by(*(column.desc() for column in _PLACE))
        .limit(MOST_COUNTED)
        .subquery()
    )
    rows = conn.execute(select(newest.c.kind, func.count()).group_by(newest.c.kind))
    return {EntryKind(kind): int(count) for kind, count in rows}


def entries_of_calls(conn: Connection, access: Access | None, call_ids: Sequence[int]) -> list[EntryCard]:
    """The entries that tell of these calls, in no order. Six statements at most. Raises Forbidden for whoever sees no
    clients."""
    demand(access, Right.SEE_CLIENTS)
    wanted = select(timeline).where(timeline.c.id.in_(select(call.c.entry_id).where(call.c.id.in_(call_ids))))
    return with_details(conn, all_of(conn, EntryRecord, wanted)) if call_ids else []


def stretch_statement(
    asker: Asker, contact_id: int, kinds: frozenset[EntryKind], cursor: str | None, *, back: bool
) -> Select[Any]:
    """The entries from a place on: newest first where `back`, else oldest first."""
    conditions = both(
        (
            timeline.c.contact_id == contact_id,
            timeline.c.kind.in_(sorted(kinds)) if kinds else None,
            seen_entry(timeline, asker.sight),
        )
    )
    statement = select(timeline).where(*conditions)
    statement = statement.order_by(*(column.desc() for column in _PLACE) if back else _PLACE)
    if cursor is None:
        return statement
    at, (sequence, entry_id) = parse_moment_cursor(cursor, 2)
    mark = _mark(at, sequence, entry_id)
    return statement.where(tuple_(*_PLACE) < mark if back else tuple_(*_PLACE) > mark)


def _mark(at: datetime, sequence: int, entry_id: int) -> Any:
    """A place on a timeline, to be compared with others."""
    return tuple_(literal(at, UtcDateTime()), literal(sequence, BigInteger()), literal(entry_id, BigInteger()))


def _around(
    conn: Connection, asker: Asker, contact_id: int, entry_id: int, kinds: frozenset[EntryKind], limit: int
) -> Stretch:
    """Half of the entries before and half behind the one that is meant, which is among them whatever its kind."""
    wanted = select(timeline).where(timeline.c.id == entry_id, timeline.c.contact_id == contact_id)
    seen = both((seen_entry(timeline, asker.sight),))
    middle = next(iter(all_of(conn, EntryRecord, wanted.where(*seen))), None)
    if middle is None:
        raise NotFound("there is no entry {entry} on this timeline", entry=entry_id)
    return _both_ways(conn, asker, contact_id, _cursor(middle), kinds, limit, middle)


def _since(
    conn: Connection, asker: Asker, contact_id: int, since: datetime, kinds: frozenset[EntryKind], limit: int
) -> Stretch:
    """Half of the entries before a moment and half from then on."""
    return _both_ways(conn, asker, contact_id, moment_cursor(since, -LARGEST_ID, 0), kinds, limit)


def _both_ways(
    conn: Connection,
    asker: Asker,
    contact_id: int,
    place: str,
    kinds: frozenset[EntryKind],
    limit: int,
    middle: EntryRecord | None = None,
) -> Stretch:
    """Half of the entries before a place, what stands there, and half behind it."""
    half = max(limit // 2, 1)
    before, behind = (
        all_of(conn, EntryRecord, stretch_statement(asker, contact_id, kinds, place, back=back).limit(half + 1))
        for back in (True, False)
    )
    there = [middle] if middle is not None else []
    entries = [*before[:half][::-1], *there, *behind[:half]]
    older = _cursor(entries[0]) if len(before) > half else None
    at = next((each.id for each in (*there, *behind)), None)
    return _shown(conn, entries, older, newer=_cursor(entries[-1]) if len(behind) > half else None, at=at)


def _shown(
    conn: Connection, entries: list[EntryRecord], older: str | None, *, newer: str | None, at: int | None = None
) -> Stretch:
    return Stretch(tuple(with_details(conn, entries)), older, newer, at)


def _cursor(entry: EntryRecord) -> str:
    return moment_cursor(entry.occurred_at, entry.sequence, entry.id)
