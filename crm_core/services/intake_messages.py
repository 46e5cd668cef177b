"""Taking in what clients write: messages, edits, deletions, contact cards, blocks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_core.messages import (
    Attachment,
    BlockChanged,
    BlockState,
    ContactShared,
    EntryKind,
    InboundEvent,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Utm,
)
from crm_core.model.call import Direction
from crm_core.model.case import Signal, SignalAt
from crm_core.model.office import ListAction
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import (
    AttachmentRecord,
    ContactRecord,
    EntryRecord,
    FileState,
    OutboxKind,
)
from crm_core.services.cases import signalled
from crm_core.services.desk import Desk
from crm_core.services.leads import enquire
from crm_core.services.marks import stamp_of
from crm_core.services.merging import merge
from crm_core.services.outcome import DONE, Outcome, ignored
from crm_core.services.recognition import Recognition, message_ref
from crm_core.services.wording import Phrase

_TITLE = {EntryKind.EMAIL: Phrase.TITLE_EMAIL, EntryKind.FORM: Phrase.TITLE_FORM}
_TITLE_LENGTH = 120


def message_received(
    desk: Desk, recognition: Recognition, event: InboundEvent, message: MessageReceived, journal_id: int
) -> Outcome:
    """A client wrote: entry, lead where due, case."""
    ref = message_ref(event, message.ref)
    early = recognition.entry(desk, ref)
    if early is not None and early.external_id is not None:
        return ignored("the message is on the timeline already")
    contact = _sender(desk, recognition, event)
    refused = is_refused(desk, contact)
    asks = not message.automatic and not refused
    lead_id = None
    if not message.automatic:
        title = message.subject or message.text.split("\n", 1)[0][:_TITLE_LENGTH] or desk.say(_title(message.kind))
        lead_id = open_lead(desk, contact, event, title=title, message=message)
    entry = _entry(
        desk,
        event,
        contact.id,
        message.kind,
        journal_id,
        lead_id=lead_id,
        ref=ref,
        text=message.text,
        html=message.html,
        subject=message.subject,
        quoted=message.quoted,
        signal=Signal.ASK if asks else None,
        signal_at=event.occurred_at if asks else None,
        location={"latitude": message.location.latitude, "longitude": message.location.longitude}
        if message.location is not None
        else None,
    )
    if early is not None:
        entry = _in_place_of(early, entry)
    desk.work.put(entry)
    recognition.entries[ref] = entry
    attach(desk, event, entry.id, message.attachments)
    if asks:
        signalled(desk, desk.work.contact(contact.id), SignalAt(Signal.ASK, event.occurred_at), event.key)
    emit_message(desk, entry)
    return DONE


def edited(desk: Desk, recognition: Recognition, event: InboundEvent, edit: MessageEdited, journal_id: int) -> Outcome:
    """A client changed a message; where the message itself has not come yet, its place is taken."""
    ref = message_ref(event, edit.ref)
    version = _version(edit.at, event.sequence, edit.text)
    if event.sender.identities:
        _sender(desk, recognition, event)
    entry = recognition.entry(desk, ref)
    if entry is None:
        entry = _placeholder(desk, recognition, event, ref, journal_id)._replace(text=edit.text, versions=[version])
    elif entry.versions or entry.external_id is None:
        entry = _with_versions(entry, [*entry.versions, version])
    else:
        entry = _with_versions(entry, [_original(entry), version])
    desk.work.put(entry)
    recognition.entries[ref] = entry
    return DONE


def deleted(
    desk: Desk, recognition: Recognition, event: InboundEvent, deletion: MessageDeleted, journal_id: int
) -> Outcome:
    """The provider says that messages were deleted; they stay, marked.

    Of a client's message that has not come yet the place is taken; where the provider does not say whose it was, or
    nobody knows them, there is nothing to mark.
    """
    outcome = ignored("none of the deleted messages is on a timeline")
    if event.sender.identities:
        _sender(desk, recognition, event)
    for ref in (message_ref(event, each) for each in deletion.refs):
        entry = recognition.entry(desk, ref)
        if entry is None and event.sender.identities:
            entry = _placeholder(desk, recognition, event, ref, journal_id)
        if entry is not None:
            recognition.entries[ref] = entry
            at = deletion.at if entry.deleted_at is None else min(deletion.at, entry.deleted_at)
            desk.work.put(entry._replace(deleted_at=at))
            outcome = DONE
    return outcome


def contact_shared(
    desk: Desk, recognition: Recognition, event: InboundEvent, card: ContactShared, journal_id: int
) -> Outcome:
    """A contact card: the sender's own one proves that number and messenger id are one person."""
    ref = message_ref(event, card.ref)
    early = recognition.entry(desk, ref)
    if early is not None and early.external_id is not None:
        return ignored("the message is on the timeline already")
    contact = _proven(desk, recognition, event, card) if card.own else _sender(desk, recognition, event)
    refused = is_refused(desk, contact)
    entry = _entry(desk, event, contact.id, EntryKind.MESSAGE, journal_id)._replace(
        ref=ref,
        text=card.text,
        signal=None if refused else Signal.ASK,
        signal_at=None if refused else event.occurred_at,
        lead_id=open_lead(desk, contact, event, title=card.text[:_TITLE_LENGTH]),
    )
    if early is not None:
        entry = _in_place_of(early, entry)
    desk.work.put(entry)
    recognition.entries[ref] = entry
    if not refused:
        signalled(desk, desk.work.contact(contact.id), SignalAt(Signal.ASK, event.occurred_at), event.key)
    emit_message(desk, entry)
    return DONE


def block_changed(
    desk: Desk, recognition: Recognition, event: InboundEvent, block: BlockChanged, journal_id: int
) -> Outcome:
    """A client blocked or unblocked us, which may be told before their first message."""
    if not event.sender.identities:
        return ignored(f"{block.state} by nobody known")
    contact = _sender(desk, recognition, event)
    text = "🚫" if block.state is BlockState.BLOCKED else "✅"
    desk.work.put(_entry(desk, event, contact.id, EntryKind.SYSTEM, journal_id)._replace(text=f"{text} {event.key}"))
    return DONE


# ---------------------------------------------------------------- shared with forms


def open_lead(
    desk: Desk, contact: ContactRecord, event: InboundEvent, *, title: str, message: MessageReceived | None = None
) -> int | None:
    """The lead that a fact of a stranger, or of an enquiry account, opens or joins; None where none is due."""
    if contact.list_name is not None:
        return None
    policy = desk.office.policy(event.key)
    utm = message.utm if message is not None else Utm()
    opens = wants_lead(contact, policy)
    lead = enquire(desk, contact, event.key, policy, by=stamp_of(event), title=title, utm=utm, opens=opens)
    return lead.id if lead is not None else None


def wants_lead(contact: ContactRecord, policy: AccountPolicy) -> bool:
    """Whether a fact opens a lead, not only joins one: of whoever has no manager, or where all are enquiries."""
    return contact.manager is None or policy.enquiry


def is_refused(desk: Desk, contact: ContactRecord) -> bool:
    """Whether the client stands on a list that is refused."""
    listed = desk.office.lists.get(contact.list_name) if contact.list_name is not None else None
    return listed is not None and listed.action is ListAction.REJECT


def attach(desk: Desk, event: InboundEvent, entry_id: int, files: tuple[Attachment, ...]) -> None:
    """Put the files of an entry down, and queue the fetching of those that lie with the provider."""
    for position, file in enumerate(files):
        record = AttachmentRecord(
            id=desk.work.next_id(),
            entry_id=entry_id,
            position=position,
            name=file.name,
            content_type=file.content_type,
            state=FileState.STORED if file.stored is not None else FileState.PENDING,
            size=file.stored.size if file.stored is not None else file.size,
            sha256=file.stored.sha256 if file.stored is not None else None,
            remote_id=file.remote_id,
        )
        desk.work.put(record)
        if record.state is FileState.PENDING:
            payload = {
                "attachment_id": record.id,
                "channel": event.key.channel,
                "account": event.key.account,
                "remote_id": file.remote_id,
            }
            desk.enqueue(OutboxKind.FETCH, f"fetch:{record.id}", f"fetch:{record.id}", payload, entry_id)


def emit_message(desk: Desk, entry: EntryRecord) -> None:
    """Tell outgoing webhooks of a new message."""
    data = {"id": entry.id, "contact_id": entry.contact_id, "channel": entry.channel, "text": entry.text}
    desk.emit("message.created", entry.id, data)


def _sender(desk: Desk, recognition: Recognition, event: InboundEvent) -> ContactRecord:
    sender = event.sender
    return recognition.contact(desk, sender.identities, sender.name, event.key.channel, stamp_of(event))


def _proven(desk: Desk, recognition: Recognition, event: InboundEvent, card: ContactShared) -> ContactRecord:
    """The client whose own card this is: sender and number are one person, whoever held the number."""
    sender, evidence = event.sender, f"own contact card in {event.key}"
    # A card names its owner's messenger id too, which the sender holds: only the others tell whom to join.
    holder = recognition.holder(desk, [each for each in card.identities if each not in sender.identities])
    if holder is None or recognition.holder(desk, sender.identities) is None:
        both = (*sender.identities, *card.identities)
        return recognition.contact(desk, both, sender.name, evidence, stamp_of(event))
    contact = _sender(desk, recognition, event)
    if holder.id != contact.id:
        contact = merge(desk, survivor=holder, absorbed=contact, evidence=evidence, author="hub")
        for key, owner in recognition.holders.items():
            if owner != contact.id and desk.work.contact(owner).merged_into == contact.id:
                recognition.holders[key] = contact.id
    return recognition.link(desk, contact, card.identities, evidence)


def _placeholder(desk: Desk, recognition: Recognition, event: InboundEvent, ref: str, journal_id: int) -> EntryRecord:
    """The place of a message that has not come yet: it has no external id."""
    contact = _sender(desk, recognition, event)
    return _entry(desk, event, contact.id, EntryKind.MESSAGE, journal_id)._replace(ref=ref, external_id=None)


def _entry(
    desk: Desk, event: InboundEvent, contact_id: int, kind: EntryKind, journal_id: int, **more: Any
) -> EntryRecord:
    return EntryRecord(
        id=desk.work.next_id(),
        seq=0,
        contact_id=contact_id,
        kind=kind,
        direction=Direction.IN,
        occurred_at=event.occurred_at,
        sequence=event.sequence,
        recorded_at=desk.now,
        channel=event.key.channel,
        account=event.key.account,
        conversation=event.conversation,
        journal_id=journal_id,
        external_id=event.external_id,
        author=event.sender.name,
        **more,
    )


def _title(kind: EntryKind) -> Phrase:
    return _TITLE.get(kind, Phrase.TITLE_MESSAGE)


def _version(at: datetime, sequence: int, text: str) -> dict[str, Any]:
    return {"at": at.isoformat(), "sequence": sequence, "text": text}


def _original(entry: EntryRecord) -> dict[str, Any]:
    return _version(entry.occurred_at, entry.sequence, entry.text)


def _with_versions(entry: EntryRecord, versions: list[dict[str, Any]]) -> EntryRecord:
    ordered = sorted(versions, key=lambda each: (datetime.fromisoformat(each["at"]), each["sequence"]))
    return entry._replace(text=ordered[-1]["text"], versions=ordered)


def _in_place_of(early: EntryRecord, entry: EntryRecord) -> EntryRecord:
    """The message whose edit or deletion came first takes the place that was held for it; an edit stays current."""
    kept = entry._replace(id=early.id, seq=early.seq, recorded_at=early.recorded_at, deleted_at=early.deleted_at)
    return _with_versions(kept, [_original(entry), *early.versions]) if early.versions else kept
