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
    CallRinging,
    ContactShared,
    DeliveryChanged,
    FormSubmitted,
    Ignored,
    InboundEvent,
    MenuChosen,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageSent,
    Noted,
    ProfileLearned,
    ReactionChanged,
    Receipt,
    ReceiptState,
    StaffAsked,
    StaffCommand,
    StaffReply,
    Trust,
    Unparsable,
)
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.office import Office
from crm_core.model.records import JournalRecord, JournalState
from crm_core.ports import Policies, UnitOfWork
from crm_core.services.desk import Desk
from crm_core.services.duplicates.likeness import after_batch, after_fact
from crm_core.services.intake.call_parts import numbered
from crm_core.services.intake.call_ringing import call_rings
from crm_core.services.intake.calls import call_changed
from crm_core.services.intake.delivery import delivery_changed, reaction_changed
from crm_core.services.intake.forms import form_submitted
from crm_core.services.intake.menu import menu_chosen
from crm_core.services.intake.messages import block_changed, contact_shared, deleted, edited, message_received
from crm_core.services.intake.notes import noted, profile_learned
from crm_core.services.intake.office import answered_in_group, message_sent
from crm_core.services.intake.outcome import Outcome, ignored
from crm_core.services.intake.reading_ahead import prefetch
from crm_core.services.intake.staff import staff_asked, staff_command, staff_reply, staff_wrote
from crm_core.services.letters.answers import foresee
from crm_core.services.recognising.cleaning import clean
from crm_core.services.recognising.recognition import Recognition, identities_of, message_ref

_AHEAD = timedelta(days=1)
_STATE_OF = {
    ReceiptState.DONE: JournalState.DONE,
    ReceiptState.IGNORED: JournalState.IGNORED,
    ReceiptState.FAILED: JournalState.FAILED,
}


def receive(work: UnitOfWork, events: Sequence[InboundEvent], office: Office, policies: Policies) -> list[Receipt]:
    """Take facts in; receipts in the order of `events`. Raises where one of them can't be taken in."""
    desk = Desk(work, office, policies)
    events = numbered(work, [_vouched(_in_time(clean(event), desk.now)) for event in events])
    known = work.journal_seen([place_of(event) for event in events if not isinstance(event.payload, CallRinging)])
    receipts: list[Receipt | None] = [None] * len(events)
    fresh: list[int] = []
    for index, event in enumerate(events):
        place = place_of(event)
        if isinstance(event.payload, CallRinging):
            fresh.append(index)  # told twice it changes nothing by itself
        elif place in known:
            receipts[index] = Receipt(ReceiptState.DUPLICATE, None)
        else:
            known.add(place)
            fresh.append(index)
    fresh.sort(key=lambda index: (events[index].occurred_at, events[index].sequence))
    recognition = _foreseen(desk, [events[index] for index in fresh])
    for index in fresh:
        receipts[index] = _take_in(desk, recognition, events[index])
    after_batch(desk, recognition)
    return [receipt for receipt in receipts if receipt is not None]


def replay(work: UnitOfWork, record: JournalRecord, event: InboundEvent, office: Office, policies: Policies) -> Receipt:
    """Take a failed fact in once more, on its old journal row; raises where it fails again."""
    desk = Desk(work, office, policies)
    event = _vouched(_in_time(clean(replace(event, external_id=record.external_id)), record.received_at))
    (event,) = numbered(work, [event])
    recognition = _foreseen(desk, [event])
    outcome = _apply(desk, recognition, event, record.id)
    if outcome.state is ReceiptState.DONE:
        after_fact(desk, recognition, event)
        after_batch(desk, recognition)
    work.put(
        record._replace(
            state=_STATE_OF[outcome.state], error=outcome.error, attempts=record.attempts + 1, what=_what(event)
        )
    )
    return Receipt(outcome.state, record.id, outcome.answer)


def _in_time(event: InboundEvent, now: datetime) -> InboundEvent:
    """The event, not from a far future: one wrong clock must not make all that follows look late."""
    return event if event.occurred_at <= now + _AHEAD else replace(event, occurred_at=now)


def _vouched(event: InboundEvent) -> InboundEvent:
    """The event, its sender under the address they only claim where the checks of their mail contradict it."""
    payload = event.payload
    if not isinstance(payload, MessageReceived | FormSubmitted):
        return event
    if payload.authenticity is None or payload.authenticity.trust is not Trust.FORGED:
        return event
    identities = tuple(
        Identity(IdentityKind.CLAIMED, each.value) if each.kind is IdentityKind.MAILTO else each
        for each in event.sender.identities
    )
    return replace(event, sender=replace(event.sender, identities=identities))


def _foreseen(desk: Desk, events: Sequence[InboundEvent]) -> Recognition:
    """All that taking the facts in asks for, read ahead."""
    recognition = prefetch(desk, events)
    foresee(desk, recognition, events)
    return recognition


def place_of(event: InboundEvent) -> tuple[str, str, str]:
    """What makes a fact unique."""
    return event.key.channel, event.key.account, event.external_id


def _take_in(desk: Desk, recognition: Recognition, event: InboundEvent) -> Receipt:
    if isinstance(event.payload, CallRinging):
        call_rings(desk, recognition, event, event.payload.call)
        return Receipt(ReceiptState.DONE, None)
    journal_id = desk.work.next_id()
    outcome = _apply(desk, recognition, event, journal_id)
    if outcome.state is ReceiptState.DONE:
        after_fact(desk, recognition, event)
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
        case MessageReceived() | MenuChosen() | ContactShared() | FormSubmitted() | BlockChanged():
            return _of_client(desk, recognition, event, payload, journal_id)
        case MessageSent() | MessageEdited() | MessageDeleted() | DeliveryChanged() | ReactionChanged():
            return _of_message(desk, recognition, event, payload, journal_id)
        case Noted():
            if _from_staff(desk, event):
                return ignored("something that staff did")
            return noted(desk, recognition, event, payload, journal_id)
        case ProfileLearned():
            return profile_learned(desk, recognition, event, payload)
        case CallChanged():
            return call_changed(desk, recognition, event, payload.call, journal_id)
        case CallRinging():
            return call_rings(desk, recognition, event, payload.call)
        case StaffCommand() | StaffAsked() | StaffReply():
            return _of_staff(desk, recognition, event, payload, journal_id)
        case Ignored():
            return ignored(payload.what)
        case Unparsable():
            return Outcome(ReceiptState.FAILED, error=payload.error)


def _of_client(
    desk: Desk,
    recognition: Recognition,
    event: InboundEvent,
    payload: MessageReceived | MenuChosen | ContactShared | FormSubmitted | BlockChanged,
    journal_id: int,
) -> Outcome:
    """What a client wrote or did."""
    if not isinstance(payload, FormSubmitted) and _from_staff(desk, event):
        if isinstance(payload, MessageReceived) and event.group:
            return answered_in_group(desk, recognition, event, payload, journal_id)
        if isinstance(payload, MessageReceived):
            return staff_wrote(desk, event, payload)
        return ignored("a message of staff")
    match payload:
        case MessageReceived():
            return message_received(desk, recognition, event, payload, journal_id)
        case MenuChosen():
            return menu_chosen(desk, recognition, event, payload, journal_id)
        case ContactShared():
            return contact_shared(desk, recognition, event, payload, journal_id)
        case FormSubmitted():
            return form_submitted(desk, recognition, event, payload, journal_id)
        case BlockChanged():
            return block_changed(desk, recognition, event, payload, journal_id)


def _of_message(
    desk: Desk,
    recognition: Recognition,
    event: InboundEvent,
    payload: MessageSent | MessageEdited | MessageDeleted | DeliveryChanged | ReactionChanged,
    journal_id: int,
) -> Outcome:
    """What became of a message, or that the office wrote one elsewhere."""
    match payload:
        case MessageSent():
            return message_sent(desk, recognition, event, payload, journal_id)
        case MessageEdited():
            if _from_staff(desk, event):
                return ignored("an edit of staff")
            return edited(desk, recognition, event, payload, journal_id)
        case MessageDeleted():
            return deleted(desk, recognition, event, payload, journal_id)
        case DeliveryChanged():
            return delivery_changed(desk, recognition, event, payload)
        case ReactionChanged():
            if _from_staff(desk, event):
                return ignored("a reaction of staff")
            return reaction_changed(desk, recognition, event, payload, journal_id)


def _of_staff(
    desk: Desk,
    recognition: Recognition,
    event: InboundEvent,
    payload: StaffCommand | StaffAsked | StaffReply,
    journal_id: int,
) -> Outcome:
    """What a person of the office does in the staff bot; whoever is none of them is a client."""
    match payload:
        case StaffCommand():
            return staff_command(desk, event, payload)
        case (
            StaffAsked(otherwise=MessageReceived() as message) | StaffReply(otherwise=MessageReceived() as message)
        ) if not _from_staff(desk, event):
            return message_received(desk, recognition, event, message, journal_id)
        case StaffAsked():
            return staff_asked(desk, event, payload)
        case StaffReply():
            return staff_reply(desk, event, payload)


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
