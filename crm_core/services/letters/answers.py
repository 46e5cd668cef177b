"""What the hub says to clients by itself after they wrote: greeting, off-hours answer, menu; each occasion once.

Automatic texts go out like any message, by no person: they close no case and are nobody's first answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_core.messages import ContactShared, Delivery, EntryKind, InboundEvent, MessageReceived
from crm_core.model.answers import MenuItem, Written, due, greeting_key, occasions
from crm_core.model.call import Direction
from crm_core.model.conversation import AutoAnswerRecord, ThreadRefRecord
from crm_core.model.identity import IdentityKind
from crm_core.model.records import ContactRecord, EntryRecord, OutboxKind
from crm_core.model.timeline import Trust
from crm_core.services.desk import Desk
from crm_core.services.letters.mail_replies import outgoing_key
from crm_core.services.letters.threads import mail_key
from crm_core.services.recognising.recognition import Recognition, message_ref, ref_in

# Mailboxes behind which nobody reads: what is sent there comes back, or starts a quarrel of robots.
_NOBODY = frozenset(
    {"abuse", "bounce", "bounces", "daemon", "do-not-reply", "donotreply", "listserv", "mailer-daemon", "majordomo"}
    | {"no-reply", "noreply", "no_reply", "news", "newsletter", "notification", "notifications", "postmaster", "robot"}
)
_EMAIL = "email"
_MOST_REFERENCES = 20


def foresee(desk: Desk, recognition: Recognition, events: Sequence[InboundEvent]) -> None:
    """Read ahead what the answers to a batch depend on, a fixed number of statements whatever its size."""
    if not desk.office.answers:
        return
    asked: dict[str, InboundEvent] = {}
    for event in events:
        if isinstance(event.payload, MessageReceived | ContactShared) and not _is_silent(desk, event):
            asked.update(dict.fromkeys(_occasions(desk, event, asks=True), event))
    said = _said(desk, tuple(asked))
    ungreeted = [event for key, event in asked.items() if key not in said and key == greeting_key(place_of(event))]
    held = (recognition.holders.get(str(each)) for event in ungreeted for each in event.sender.identities)
    contacts = {contact_id for contact_id in held if contact_id is not None}
    if contacts:
        desk.work.attended(contacts)
        if any(desk.office.answers_of(event.key).ask_contact for event in ungreeted):
            desk.work.identities(contacts)


def after_message(
    desk: Desk,
    recognition: Recognition,
    event: InboundEvent,
    contact: ContactRecord,
    *,
    first: bool,
    asks: bool,
) -> None:
    """Say what is due to a client who wrote. `first`: nobody knew them before; `asks`: somebody waits for an answer.

    The caller leaves out automatic messages and clients who are refused.
    """
    if _is_silent(desk, event):
        return
    keys = _occasions(desk, event, asks=asks)
    said = _said(desk, keys)
    if all(key in said for key in keys):
        return
    answers = desk.office.answers_of(event.key)
    calendar = desk.office.calendar(answers.hours)
    attended = not first and _place(event) in desk.work.attended([contact.id]).get(contact.id, set())
    written = Written(place_of(event), event.occurred_at, asks)
    found = due(answers, calendar, written, desk.now, said=said, attended=attended, spoken_at=contact.last_contact_at)
    for key in found.keys:
        desk.work.put(AutoAnswerRecord(key, desk.now))
    if found.texts:
        text = "\n\n".join(found.texts)
        menu = answers.rows if found.greets else ()
        asks_contact = found.greets and answers.ask_contact and not _has_number(desk, contact)
        say(desk, recognition, event, contact, text, menu=menu, ask_contact=asks_contact)


def say(
    desk: Desk,
    recognition: Recognition,
    event: InboundEvent,
    contact: ContactRecord,
    text: str,
    *,
    menu: Sequence[Sequence[MenuItem]] = (),
    ask_contact: bool = False,
) -> EntryRecord:
    """Queue an automatic text into the conversation of a fact; its entry, what stands under it in `offers`."""
    is_mail = event.key.channel == _EMAIL
    at = max(desk.now, event.occurred_at)  # a provider's clock may run ahead of ours
    offers = {"menu": [[item.key, item.text] for row in menu for item in row], "contact": ask_contact}
    number = desk.work.next_id()
    entry = EntryRecord(
        id=number,
        seq=0,
        contact_id=contact.id,
        kind=EntryKind.EMAIL if is_mail else EntryKind.MESSAGE,
        direction=Direction.OUT,
        occurred_at=at,
        sequence=event.sequence if at == event.occurred_at else 0,
        recorded_at=desk.now,
        channel=event.key.channel,
        account=event.key.account,
        conversation=event.conversation,
        text=text,
        delivery=Delivery.QUEUED,
        number=number % 2**31,
        offers=offers if menu or ask_contact else None,
    )
    mail: dict[str, Any] = {}
    if is_mail and isinstance(event.payload, MessageReceived):
        entry, mail = _as_mail(desk, event, event.payload, entry, recognition)
    desk.work.put(entry)
    payload: dict[str, Any] = {
        "channel": entry.channel,
        "account": entry.account,
        "conversation": entry.conversation,
        "text": text,
        "subject": entry.subject,
        "number": entry.number,
        "files": [],
        "buttons": [[{"text": item.text, "data": f"menu:{item.key}"} for item in row] for row in menu],
        "ask_contact": ask_contact,
        "automatic": True,
        **mail,
    }
    desk.enqueue(OutboxKind.MESSAGE, f"{event.key}:{event.conversation}", outgoing_key(entry.id), payload, entry.id)
    return entry


def _as_mail(
    desk: Desk, event: InboundEvent, message: MessageReceived, entry: EntryRecord, recognition: Recognition
) -> tuple[EntryRecord, dict[str, Any]]:
    """The entry as an answer in the thread of the client's mail, and what its headers are made of."""
    own = outgoing_key(entry.id)
    asked = recognition.entry(desk, message_ref(event, message.ref))
    thread_id = asked.thread_id if asked is not None else None
    subject = message.subject if message.subject.lower().startswith("re:") else f"Re: {message.subject}".strip()
    if thread_id is not None:
        desk.work.put(ThreadRefRecord(mail_key(event.key, own), thread_id))
    entry = entry._replace(subject=subject, thread_id=thread_id, ref=ref_in(event.key, event.conversation, own))
    if message.thread is None:
        return entry, {}
    before = [each for each in reversed(message.thread.answers) if each != message.thread.own]
    references = [*before, message.thread.own][-_MOST_REFERENCES:]
    return entry, {"reply_to": message.thread.own, "references": references, "thread": thread_id}


def place_of(event: InboundEvent) -> str:
    """What counts as one conversation: for mail its sender, whatever the topic."""
    if event.key.channel == _EMAIL and event.sender.identities:
        return f"{event.key}:{event.sender.identities[0].value}"
    return f"{event.key}:{event.conversation}"


def of_office(desk: Desk, event: InboundEvent) -> bool:
    """Whether the sender is a person of the office, whichever account they write to."""
    for identity in event.sender.identities:
        match identity.kind:
            case IdentityKind.TG if identity.value.isdigit():
                if desk.work.staff.by_telegram(int(identity.value)) is not None:
                    return True
            case IdentityKind.MAILTO:
                people = desk.work.staff.by_login.values()
                if any(user.active and (user.email or "").lower() == identity.value.lower() for user in people):
                    return True
            case _:
                pass
    return False


def _is_silent(desk: Desk, event: InboundEvent) -> bool:
    """Whether nothing is said by itself here: in groups, to people of the office, to whom no robot may write."""
    answers = desk.office.answers_of(event.key)
    if event.group or not (answers.greeting or answers.off_hours):
        return True
    if isinstance(event.payload, MessageReceived):
        found = event.payload.authenticity
        if event.payload.automatic or (found is not None and found.trust is Trust.FORGED):
            return True
    if event.key.channel == _EMAIL:
        senders = [each.value for each in event.sender.identities if each.kind is IdentityKind.MAILTO]
        if not senders or any(_reads_nothing(address) for address in senders):
            return True
    return of_office(desk, event)


def _reads_nothing(address: str) -> bool:
    name = address.partition("@")[0].partition("+")[0].casefold()
    return name in _NOBODY or name.startswith(("bounce-", "bounces-", "noreply-", "no-reply-", "owner-"))


def _occasions(desk: Desk, event: InboundEvent, *, asks: bool) -> tuple[str, ...]:
    answers = desk.office.answers_of(event.key)
    written = Written(place_of(event), event.occurred_at, asks)
    return occasions(answers, desk.office.calendar(answers.hours), written, desk.now)


def _said(desk: Desk, keys: Sequence[str]) -> set[str]:
    return {record.key for record in desk.work.related(AutoAnswerRecord, "key", keys)} if keys else set()


def _place(event: InboundEvent) -> tuple[str, str, str]:
    return event.key.channel, event.key.account, event.conversation


def _has_number(desk: Desk, contact: ContactRecord) -> bool:
    return any(each.key.startswith("tel:") for each in desk.work.identities([contact.id]).get(contact.id, []))
