"""Messages to be sent later: how far ahead, and how one that has not gone yet is taken back.

Such a message stands on the timeline at the moment when it is to go, its delivery `queued`: until then whoever looks at
it may withdraw it, from then on it is an ordinary message of ours.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import Delivery
from crm_core.model.call import Direction
from crm_core.model.records import EntryRecord, OutboxRecord
from crm_core.model.rights import Right
from crm_core.services.desk import Desk
from crm_core.services.letters.mail_replies import outgoing_key

FURTHEST = timedelta(days=366)
"""How far ahead a message may be scheduled."""

_JUST_NOW = timedelta(minutes=1)
"""What lies behind by no more than this was meant as now: a form knows whole minutes, and clocks differ."""


def postpone(desk: Desk, entry: EntryRecord, until: datetime) -> EntryRecord:
    """A message that this transaction queued goes at that moment, not at once; the minute just past is now.

    Raises InvalidInput for what lies behind, and for what is too far ahead.
    """
    if desk.now - until > _JUST_NOW:
        raise InvalidInput("not_before: this moment lies behind; choose one that is yet to come")
    if until <= desk.now:
        return entry
    if until - desk.now > FURTHEST:
        raise InvalidInput("not_before: a message waits for {most} days at most", most=FURTHEST.days)
    for record in desk.work.related(OutboxRecord, "dedupe", [outgoing_key(entry.id)]):
        # What waits stands in a lane of its own: nothing that is written meanwhile need wait behind it.
        desk.work.put(record._replace(lane=f"{record.lane}~{entry.id}", not_before=until))
    entry = entry._replace(occurred_at=until)
    desk.work.put(entry)
    return entry


def is_scheduled(entry: EntryRecord, now: datetime) -> bool:
    """Whether a message of ours still waits for its hour, so that it may be withdrawn."""
    return (
        entry.direction is Direction.OUT
        and entry.delivery is Delivery.QUEUED
        and entry.deleted_at is None
        and entry.occurred_at > now
    )


def is_withdrawn(entry: EntryRecord) -> bool:
    """Whether a message of ours was taken back before it went."""
    return entry.direction is Direction.OUT and entry.deleted_at is not None and entry.delivery is None


def withdraw(desk: Desk, entry_id: int) -> EntryRecord:
    """Take a scheduled message back; it stays on the timeline as one that never went. Once more changes nothing.

    Raises NotFound, Conflict where it has gone out, or is going out just now.
    """
    desk.demand(Right.KEEP_CLIENTS)
    entry, _ = desk.work.owned(EntryRecord, entry_id)
    if is_withdrawn(entry):
        return entry
    if not is_scheduled(entry, desk.now) or not desk.work.withdraw(outgoing_key(entry.id)):
        raise Conflict("the message can't be taken back any more: it has gone out or is going out just now")
    entry = entry._replace(occurred_at=desk.now, deleted_at=desk.now, delivery=None)
    desk.work.put(entry)
    return entry
