"""The newest that happened with any client, and by what ways a client wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, func, select

from crm_core.model.access import Access, Right, demand
from crm_core.model.call import Direction
from crm_core.model.records import EntryRecord
from crm_core.storage.queries.pages import all_of
from crm_core.storage.queries.timeline import EntryCard, with_details
from crm_core.storage.tables import feed, timeline

_TRANSACTIONS = 200  # of the change feed, looked through for new entries


def newest_entries(conn: Connection, access: Access, limit: int) -> list[EntryCard]:
    """The last entries to become known, newest first, whosever they are. Raises Forbidden for whoever sees no clients.

    The change feed names them; it reaches back a day, so that a quiet office is filled up by the order of ids, which
    is near enough there.
    """
    access.demand(Right.SEE_CLIENTS)
    ids = list(dict.fromkeys(_lately(conn)))[: 2 * limit]
    by_feed = select(timeline).where(timeline.c.id.in_(ids)).order_by(timeline.c.seq.desc()).limit(limit)
    entries = {each.id: each for each in all_of(conn, EntryRecord, by_feed)} if ids else {}
    if len(entries) < limit:
        by_id = select(timeline).order_by(timeline.c.id.desc()).limit(limit)
        entries = {each.id: each for each in all_of(conn, EntryRecord, by_id)} | entries
    newest = sorted(entries.values(), key=lambda entry: -entry.seq)[:limit]
    return with_details(conn, newest)


def entries_named(conn: Connection, access: Access | None, entry_ids: Collection[int]) -> list[EntryCard]:
    """These entries, in the order in which they became known; those that are gone are left out. Raises Forbidden for
    whoever sees no clients."""
    demand(access, Right.SEE_CLIENTS)
    named = select(timeline).where(timeline.c.id.in_(entry_ids)).order_by(timeline.c.seq)
    return with_details(conn, all_of(conn, EntryRecord, named))


def conversations_of(conn: Connection, access: Access, contact_id: int) -> list[tuple[str, str]]:
    """The accounts (channel, account) a client wrote to, the last one first. Raises Forbidden for whoever sees no
    clients."""
    access.demand(Right.SEE_CLIENTS)
    newest = func.max(timeline.c.occurred_at)
    statement = (
        select(timeline.c.channel, timeline.c.account)
        .where(
            timeline.c.contact_id == contact_id,
            timeline.c.direction == Direction.IN,
            timeline.c.channel.is_not(None),
            timeline.c.account.is_not(None),
        )
        .group_by(timeline.c.channel, timeline.c.account)
        .order_by(newest.desc())
    )
    return [(channel, account) for channel, account in conn.execute(statement)]


def _lately(conn: Connection) -> Iterable[int]:
    """The ids of entries in the newest transactions of the feed, newest first."""
    for (changes,) in conn.execute(select(feed.c.changes).order_by(feed.c.position.desc()).limit(_TRANSACTIONS)):
        for table, entry_id, _contact_id in reversed(changes):
            if table == timeline.name:
                yield int(entry_id)
