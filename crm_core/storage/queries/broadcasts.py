"""Broadcasts and what became of their recipients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right
from crm_core.model.outreach import BroadcastRecord, RecipientRecord, RecipientState
from crm_core.model.timeline import Delivery
from crm_core.storage import bulk
from crm_core.storage.queries.pages import Page, Slice, all_of, number_cursor, one_of, page_of
from crm_core.storage.tables import TABLE_OF, timeline

_BROADCAST, _RECIPIENT = TABLE_OF[BroadcastRecord], TABLE_OF[RecipientRecord]


class Standing(NamedTuple):
    """How many recipients stand so: `delivery` of those to whom it was queued, `why` of those left out."""

    broadcast_id: int
    state: str
    delivery: str | None
    why: str
    recipients: int


def list_broadcasts(conn: Connection, access: Access, where: Slice) -> Page[BroadcastRecord]:
    """Broadcasts, the newest first. Raises Forbidden for whoever sees no sales."""
    access.demand(Right.SEE_SALES)
    statement = select(_BROADCAST).order_by(_BROADCAST.c.id.desc()).limit(where.limit + 1)
    after = number_cursor(where.after)
    if after is not None:
        statement = statement.where(_BROADCAST.c.id < after)
    return page_of(all_of(conn, BroadcastRecord, statement), where.limit, lambda record: str(record.id))


def one_broadcast(conn: Connection, access: Access, broadcast_id: int) -> BroadcastRecord:
    """One of them; raises NotFound, Forbidden."""
    access.demand(Right.SEE_SALES)
    found = one_of(conn, BroadcastRecord, broadcast_id)
    if found is None:
        raise NotFound("there is no broadcast {broadcast}", broadcast=broadcast_id)
    return found


def standing(conn: Connection, broadcast_ids: Sequence[int]) -> list[Standing]:
    """How the recipients of broadcasts stand; one statement, led by the index of recipients."""
    if not broadcast_ids:
        return []
    sql = (
        "SELECT r.broadcast_id, r.state, e.delivery, r.why, count(*) FROM broadcast_recipient AS r"
        f" LEFT JOIN timeline AS e ON e.id = r.entry_id WHERE r.broadcast_id {bulk.among(conn, 1)}"
        " GROUP BY r.broadcast_id, r.state, e.delivery, r.why"
    )
    rows = conn.exec_driver_sql(sql, (bulk.keys(conn, broadcast_ids),))
    return [Standing(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the recipients of one broadcast: how many `waiting`, `queued` (for the channel), `sent`,
    `delivered`, `read`, `failed` or `skipped`, each counted once; `why` those skipped were, as it is kept."""

    by_state: Mapping[str, int]
    why: Mapping[str, int]

    @property
    def recipients(self) -> int:
        """All of them."""
        return sum(self.by_state.values())

    def of(self, state: str) -> int:
        """How many stand so."""
        return self.by_state.get(state, 0)


def tally(found: Iterable[Standing]) -> Tally:
    """Those of one broadcast counted together."""
    by_state, why = Counter[str](), Counter[str]()
    for each in found:
        by_state[(each.delivery or "queued") if each.state == RecipientState.QUEUED.value else each.state] += (
            each.recipients
        )
        if each.state == RecipientState.SKIPPED.value:
            why[each.why] += each.recipients
    return Tally(by_state, why)


class RecipientCard(NamedTuple):
    """A recipient, and what became of their message."""

    record: RecipientRecord
    delivery: Delivery | None
    error: str | None


def list_recipients(
    conn: Connection,
    access: Access,
    broadcast_id: int,
    state: RecipientState | None,
    where: Slice,
    deliveries: Sequence[Delivery] = (),
) -> Page[RecipientCard]:
    """The recipients of a broadcast by contact; with `deliveries` those alone whose message stands so. Raises
    Forbidden for whoever sees no sales."""
    access.demand(Right.SEE_SALES)
    found = (
        select(_RECIPIENT, timeline.c.delivery, timeline.c.delivery_error)
        .outerjoin(timeline, timeline.c.id == _RECIPIENT.c.entry_id)
        .where(_RECIPIENT.c.broadcast_id == broadcast_id)
        .order_by(_RECIPIENT.c.contact_id)
        .limit(where.limit + 1)
    )
    if state is not None:
        found = found.where(_RECIPIENT.c.state == state)
    if deliveries:
        found = found.where(timeline.c.delivery.in_(deliveries))
    after = number_cursor(where.after)
    if after is not None:
        found = found.where(_RECIPIENT.c.contact_id > after)
    width = len(_RECIPIENT.columns)
    cards = [RecipientCard(RecipientRecord(*row[:width]), *row[width:]) for row in conn.execute(found)]
    return page_of(cards, where.limit, lambda card: str(card.record.contact_id))
