"""Taking in what people of the office write on the provider's own side, and the echo of what the hub itself sent."""

from __future__ import annotations

from crm_core.messages import Delivery, InboundEvent, MessageSent
from crm_core.model.call import Direction
from crm_core.model.case import Signal, SignalAt
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.records import EntryRecord
from crm_core.model.user import User
from crm_core.services.cases import signalled
from crm_core.services.delivery import moved
from crm_core.services.desk import Desk
from crm_core.services.entries import attach, emit_message, entry_of, in_place_of, place_json, sender_of
from crm_core.services.outcome import DONE, Outcome, ignored
from crm_core.services.recognition import Recognition, message_ref


def message_sent(
    desk: Desk, recognition: Recognition, event: InboundEvent, message: MessageSent, journal_id: int
) -> Outcome:
    """Somebody of the office wrote to a client elsewhere: entry, and the client has been answered."""
    ref = message_ref(event, message.ref)
    early = recognition.entry(desk, ref)
    ours = _echoed(early)
    if ours is not None:
        moved(desk, ours, desk.work.contact(ours.contact_id), Delivery.SENT)
        return DONE
    if early is not None and early.external_id is not None:
        return ignored("the message is on the timeline already")
    if not event.sender.identities:
        return ignored("a message to nobody known")
    contact = sender_of(desk, recognition, event)
    user = _author(desk, message.author)
    entry = entry_of(
        desk,
        event,
        contact.id,
        message.kind,
        journal_id,
        direction=Direction.OUT,
        author=user.login if user is not None else message.author_name,
        by_person=True,
        ref=ref,
        text=message.text,
        signal=Signal.REPLY,
        signal_at=event.occurred_at,
        delivery=Delivery.SENT,
        location=place_json(message.location),
        album=message.album or None,
    )
    entry = in_place_of(early, entry)
    desk.work.put(entry)
    recognition.entries[ref] = entry
    attach(desk, event, entry.id, message.attachments)
    signalled(desk, desk.work.contact(contact.id), SignalAt(Signal.REPLY, event.occurred_at), event.key)
    emit_message(desk, entry)
    return DONE


def _echoed(by_ref: EntryRecord | None) -> EntryRecord | None:
    """The message of ours that came back."""
    if by_ref is not None and by_ref.external_id is not None and by_ref.direction is Direction.OUT:
        return by_ref
    return None


def _author(desk: Desk, identity: Identity | None) -> User | None:
    """The person of the office behind an identity."""
    if identity is None:
        return None
    if identity.kind is IdentityKind.TG and identity.value.isdigit():
        return desk.work.staff.by_telegram(int(identity.value))
    if identity.kind is IdentityKind.MAILTO:
        people = desk.work.staff.by_login.values()
        return next((user for user in people if user.email and user.email.lower() == identity.value), None)
    return None
