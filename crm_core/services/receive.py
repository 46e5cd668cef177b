"""What facts change: a batch of them in one transaction, with a fixed number of queries whatever its size.

The outcome does not depend on the order of arrival. Within a batch facts are taken in the order they happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from crm_core.messages import (
    BlockChanged,
    CallChanged,
    ContactShared,
    FormSubmitted,
    Ignored,
    InboundEvent,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Receipt,
    ReceiptState,
    StaffCommand,
    Unparsable,
)
from crm_core.model.identity import IdentityKind
from crm_core.model.office import Office
from crm_core.model.records import JournalRecord, JournalState
from crm_core.ports import Policies, UnitOfWork
from crm_core.services.call_parts import numbered
from crm_core.services.cleaning import clean
from crm_core.services.desk import Desk
from crm_core.services.intake_calls import call_changed
from crm_core.services.intake_forms import form_submitted
from crm_core.services.intake_messages import block_changed, contact_shared, deleted, edited, message_received
from crm_core.services.intake_staff import staff_command
from crm_core.services.outcome import Outcome, ignored
from crm_core.services.recognition import Recognition, identities_of, message_ref, prefetch

_AHEAD = timedelta(days=1)
_STATE_OF = {
    ReceiptState.DONE: JournalState.DONE,
    ReceiptState.IGNORED: JournalState.IGNORED,
    ReceiptState.FAILED: JournalState.FAILED,
}


def receive(work: UnitOfWork, events: Sequence[InboundEvent], office: Office, policies: Policies) -> list[Receipt]:
    """Take facts in; receipts in the order of `events`. Raises where one of them can't be taken in."""
    desk = Desk(work, office, policies)
    events = numbered(work, [_in_time(clean(event), desk.now) for event in events])
    known = work.journal_seen([place_of(event) for event in events])
    receipts: list[Receipt | None] = [None] * len(events)
    fresh: list[int] = []
    for index, event in enumerate(events):
        place = place_of(event)
        if place in known:
            receipts[index] = Receipt(ReceiptState.DUPLICATE, None)
        else:
            known.add(place)
            fresh.append(index)
    fresh.sort(key=lambda index: (events[index].occurred_at, events[index].sequence))
    recognition = prefetch(desk, [events[index] for index in fresh])
    for index in fresh:
        receipts[index] = _take_in(desk, recognition, events[index])
    return [receipt for receipt in receipts if receipt is not None]


def replay(work: UnitOfWork, record: JournalRecord, event: InboundEvent, office: Office, policies: Policies) -> Receipt:
    """Take a failed fact in once more, on its old journal row; raises where it fails again."""
    desk = Desk(work, office, policies)
    event = _in_time(clean(replace(event, external_id=record.external_id)), record.received_at)
    (event,) = numbered(work, [event])
    recognition = prefetch(desk, [event])
    outcome = _apply(desk, recognition, event, record.id)
    work.put(
        record._replace(
            state=_STATE_OF[outcome.state], error=outcome.error, attempts=record.attempts + 1, what=_what(event)
        )
    )
    return Receipt(outcome.state, record.id, outcome.answer)


def _in_time(event: InboundEvent, now: datetime) -> InboundEvent:
    """The event, not from a far future: one wrong clock must not make all that follows look late."""
    return event if event.occurred_at <= now + _AHEAD else replace(event, occurred_at=now)


def place_of(event: InboundEvent) -> tuple[str, str, str]:
    """What makes a fact unique."""
    return event.key.channel, event.key.account, event.external_id


def _take_in(desk: Desk, recognition: Recognition, event: InboundEvent) -> Receipt:
    journal_id = desk.work.next_id()
    outcome = _apply(desk, recognition, event, journal_id)
    desk.work.put(
        JournalRecord(
            id=journal_id,
            channel=event.key.channel,
            account=event.key.account,
            external_id=event.external_id,
            state=_STATE_OF[outcome.state],
            what=_what(event),
            conversation=event.conversation,
            occurred_at=event.occurred_at,
            received_at=desk.now,
            correlation_id=event.correlation_id,
            raw=event.raw,
            raw_type=event.raw_type,
            error=outcome.error,
        )
    )
    return Receipt(outcome.state, journal_id, outcome.answer)


def _apply(desk: Desk, recognition: Recognition, event: InboundEvent, journal_id: int) -> Outcome:
    payload = event.payload
    match payload:
        case MessageReceived():
            if _from_staff(desk, event):
                return ignored("a message of staff")
            return message_received(desk, recognition, event, payload, journal_id)
        case MessageEdited():
            return edited(desk, recognition, event, payload, journal_id)
        case MessageDeleted():
            return deleted(desk, recognition, event, payload, journal_id)
        case ContactShared():
            if _from_staff(desk, event):
                return ignored("a message of staff")
            return contact_shared(desk, recognition, event, payload, journal_id)
        case FormSubmitted():
            return form_submitted(desk, recognition, event, payload, journal_id)
        case CallChanged():
            return call_changed(desk, recognition, event, payload.call, journal_id)
        case BlockChanged():
            return block_changed(desk, recognition, event, payload, journal_id)
        case StaffCommand():
            return staff_command(desk, event, payload)
        case Ignored():
            return ignored(payload.what)
        case Unparsable():
            return Outcome(ReceiptState.FAILED, error=payload.error)


def _from_staff(desk: Desk, event: InboundEvent) -> bool:
    """Whether a person of the office wrote to the staff bot: that is no client."""
    if event.key != desk.office.staff_channel:
        return False
    for identity in event.sender.identities:
        if identity.kind is IdentityKind.TG and identity.value.isdigit():
            return desk.work.staff.by_telegram(int(identity.value)) is not None
    return False


def _what(event: InboundEvent) -> str:
    return event.payload.what if isinstance(event.payload, Ignored) else type(event.payload).__name__


__all__ = ["identities_of", "message_ref", "place_of", "receive", "replay"]
