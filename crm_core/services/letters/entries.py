"""Entries as facts make them: of a message, of its place before it came, of its versions; its files; who is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_core.messages import Attachment, EntryKind, InboundEvent, Location
from crm_core.model.call import Direction
from crm_core.model.records import AttachmentRecord, ContactRecord, EntryRecord, FileState, OutboxKind, beside
from crm_core.services.desk import Desk
from crm_core.services.recognising.marks import stamp_of
from crm_core.services.recognising.recognition import Recognition
from crm_core.wording import Said, plain


def sender_of(desk: Desk, recognition: Recognition, event: InboundEvent) -> ContactRecord:
    """The client whom a fact is about, made where nobody knows them."""
    sender = event.sender
    return recognition.contact(
        desk, sender.identities, sender.name, event.key.channel, stamp_of(event), handle=sender.handle
    )


def entry_of(
    desk: Desk, event: InboundEvent, contact_id: int, kind: EntryKind, journal_id: int, **more: Any
) -> EntryRecord:
    """An entry of a fact; not written yet. What a text of the hub's own was made of is kept beside it."""
    text: str = more.pop("text", "")
    if isinstance(text, Said):
        more |= {"offers": beside(text)}
        text = plain(text)
    return EntryRecord(
        id=desk.work.next_id(),
        seq=0,
        contact_id=contact_id,
        kind=kind,
        direction=more.pop("direction", Direction.IN),
        occurred_at=event.occurred_at,
        sequence=event.sequence,
        recorded_at=desk.now,
        channel=event.key.channel,
        account=event.key.account,
        conversation=event.conversation,
        journal_id=journal_id,
        external_id=event.external_id,
        text=text,
        author=more.pop("author", event.sender.name),
        **more,
    )


def placeholder(desk: Desk, recognition: Recognition, event: InboundEvent, ref: str, journal_id: int) -> EntryRecord:
    """The place of a message that has not come yet: it has no external id."""
    contact = sender_of(desk, recognition, event)
    return entry_of(desk, event, contact.id, EntryKind.MESSAGE, journal_id)._replace(ref=ref, external_id=None)


def in_place_of(early: EntryRecord | None, entry: EntryRecord) -> EntryRecord:
    """The message whose edit, deletion or reaction came first takes the place that was held for it; an edit stays
    current."""
    if early is None:
        return entry
    kept = entry._replace(
        id=early.id,
        seq=early.seq,
        recorded_at=early.recorded_at,
        deleted_at=early.deleted_at,
        reactions=early.reactions,
    )
    return with_versions(kept, [original(entry), *early.versions]) if early.versions else kept


def version(at: datetime, sequence: int, text: str, html: str | None = None) -> dict[str, Any]:
    """A text of an edited message, with its formatting if it has any, and since when it stands."""
    plain = {"at": at.isoformat(), "sequence": sequence, "text": text}
    return plain if html is None else {**plain, "html": html}


def original(entry: EntryRecord) -> dict[str, Any]:
    """The text that a message began with."""
    return version(entry.occurred_at, entry.sequence, entry.text, entry.html)


def with_versions(entry: EntryRecord, versions: list[dict[str, Any]]) -> EntryRecord:
    """The entry with these texts; the latest is the current one."""
    ordered = sorted(versions, key=lambda each: (datetime.fromisoformat(each["at"]), each["sequence"]))
    return entry._replace(text=ordered[-1]["text"], html=ordered[-1].get("html"), versions=ordered)


def place_json(location: Location | None) -> dict[str, float] | None:
    """A place as an entry keeps it."""
    return {"latitude": location.latitude, "longitude": location.longitude} if location is not None else None


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
            cid=file.cid,
            warning=file.warning,
        )
        desk.work.put(record)
        if record.state is FileState.PENDING:
            payload = {
                "attachment_id": record.id,
                "channel": event.key.channel,
                "account": event.key.account,
                "remote_id": file.remote_id,
                "name": file.name,
                "content_type": file.content_type,
            }
            desk.enqueue(OutboxKind.FETCH, f"fetch:{record.id}", f"fetch:{record.id}", payload, entry_id)


def emit_message(desk: Desk, entry: EntryRecord) -> None:
    """Tell outgoing webhooks of a new message."""
    data = {"id": entry.id, "contact_id": entry.contact_id, "channel": entry.channel, "text": entry.text}
    data |= {"lead_id": entry.lead_id, "deal_id": entry.deal_id}
    desk.emit("message.created", entry.id, data)
