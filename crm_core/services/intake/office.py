"""Taking in what people of the office write on the provider's own side, and the echo of what the hub itself sent."""

from __future__ import annotations

from dataclasses import replace

from crm_core.messages import Delivery, InboundEvent, MessageReceived, MessageSent, Sender
from crm_core.model.call import Direction
from crm_core.model.case import Signal, SignalAt
from crm_core.model.identity import Identity, IdentityKind, stored_identity
from crm_core.model.records import EntryRecord
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.services.intake.delivery import numbered_entry
from crm_core.services.intake.outcome import DONE, Outcome, ignored
from crm_core.services.letters.delivery import recalled
from crm_core.services.letters.echoes import named
from crm_core.services.letters.entries import attach, emit_message, entry_of, in_place_of, place_json, sender_of
from crm_core.services.letters.threads import joined
from crm_core.services.recognising.recognition import Recognition, message_ref
from crm_core.services.watching.cases import signalled


def message_sent(
    desk: Desk, recognition: Recognition, event: InboundEvent, message: MessageSent, journal_id: int
) -> Outcome:
    """Somebody of the office wrote to a client elsewhere: entry, and the client has been answered.

    Of what the hub itself sent it is the echo: the message has been sent, whether or not its sender has said so yet.
    """
    ref = message_ref(event, message.ref)
    known = recognition.entry(desk, ref)
    ours = _echoed(desk, recognition, event, message, known)
    if ours is not None:
        named(desk, ours, desk.work.contact(ours.contact_id), ref, message.ref, early=known)
        recognition.entries[ref] = ours
        return DONE
    if known is not None and known.external_id is not None:
        return ignored("the message is on the timeline already")
    if not event.sender.identities:
        return ignored("a message to nobody known")
    contact = sender_of(desk, recognition, event)
    user = _author(desk, message.author)
    thread = joined(desk, recognition, event, message.thread, contact.id) if message.thread is not None else None
    answers = not message.automatic
    author = user.login if user is not None else message.author_name
    entry = entry_of(
        desk,
        event,
        contact.id,
        message.kind,
        journal_id,
        direction=Direction.OUT,
        author=author if answers else "",
        by_person=answers,
        ref=ref,
        text=message.text,
        html=message.html,
        subject=message.thread.subject if message.thread is not None else "",
        signal=Signal.REPLY if answers else None,
        signal_at=event.occurred_at if answers else None,
        delivery=Delivery.SENT,
        location=place_json(message.location),
        album=message.album or None,
        thread_id=thread.thread_id if thread is not None else None,
    )
    entry = in_place_of(known, entry)
    desk.work.put(entry)
    recognition.entries[ref] = entry
    attach(desk, event, entry.id, message.attachments)
    contact = desk.work.contact(contact.id)
    if answers:
        contact = signalled(desk, contact, SignalAt(Signal.REPLY, event.occurred_at), event.key)
    recalled(desk, entry, contact, [ref])
    emit_message(desk, entry)
    return DONE


def answered_in_group(
    desk: Desk, recognition: Recognition, event: InboundEvent, message: MessageReceived, journal_id: int
) -> Outcome:
    """A person of the office wrote in a group with clients: whose message they answer there has been answered."""
    asked = recognition.entry(desk, message_ref(event, message.answers)) if message.answers else None
    held = desk.work.identities([asked.contact_id])[asked.contact_id] if asked is not None else []
    if asked is None or asked.direction is not Direction.IN or not held:
        return ignored("a message of staff in a group that answers no client")
    recognition.holders[held[0].key] = asked.contact_id
    sent = MessageSent(
        message.kind,
        message.text,
        message.ref,
        attachments=message.attachments,
        author=next(iter(event.sender.identities), None),
        author_name=event.sender.name,
        location=message.location,
        album=message.album,
        html=message.html,
    )
    to_client = replace(event, sender=Sender((stored_identity(held[0].key),)))
    return message_sent(desk, recognition, to_client, sent, journal_id)


def _echoed(
    desk: Desk, recognition: Recognition, event: InboundEvent, message: MessageSent, by_ref: EntryRecord | None
) -> EntryRecord | None:
    """The message of ours that came back: the hub's own are those with a number."""
    if message.number is not None:
        entry = numbered_entry(desk, recognition, event, message.number)
        if entry is not None and entry.conversation == event.conversation:
            return entry
    return by_ref if by_ref is not None and by_ref.number is not None else None


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
