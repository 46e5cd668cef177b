"""A message of ours gets to be known by the provider's ids of it: from the receipt, or from its echo, whichever comes
first; what was told of it under these ids meanwhile is its own."""

from __future__ import annotations

from crm_core.messages import Delivery
from crm_core.model.conversation import MessageRefRecord
from crm_core.model.records import AttachmentRecord, ContactRecord, EntryRecord
from crm_core.services.desk import Desk
from crm_core.services.letters.delivery import moved, recalled
from crm_core.services.letters.entries import original, with_versions
from crm_core.services.watching.cases import settle


def named(
    desk: Desk,
    entry: EntryRecord,
    contact: ContactRecord,
    ref: str,
    external_id: str,
    *,
    early: EntryRecord | None = None,
    note: str | None = None,
) -> EntryRecord:
    """The message was sent and `ref` is its reference: the first of it, or one of a further part.

    `early` is what stands under the reference so far: its echo, or an edit or a reaction that came before it. `note` is
    what is to be said of the delivery.
    """
    if early is not None and early.id != entry.id:
        entry = _taken_over(desk, entry, contact, early)
        contact = desk.work.contact(contact.id)
    first = entry.ref is None or entry.external_id is None
    own = entry.ref if entry.ref is not None else ref
    entry = moved(
        desk, entry, contact, Delivery.SENT, note, ref=own, external_id=external_id if first else entry.external_id
    )
    entry = recalled(desk, entry, desk.work.contact(contact.id), [ref])
    if not first and ref != entry.ref:
        part(desk, entry, ref)  # in the place of what was remembered under it until now
    return entry


def part(desk: Desk, entry: EntryRecord, ref: str) -> None:
    """Another reference of the same message."""
    desk.work.put(MessageRefRecord(ref, desk.now, entry.id))


def _taken_over(desk: Desk, entry: EntryRecord, contact: ContactRecord, early: EntryRecord) -> EntryRecord:
    """The message with all that stood under its reference before it was known to be its own."""
    for file in desk.work.related(AttachmentRecord, "entry_id", [early.id]):
        desk.work.remove(AttachmentRecord, file.id)
    for mark in desk.work.related(MessageRefRecord, "entry_id", [early.id]):
        desk.work.remove(MessageRefRecord, mark.key)
    desk.work.remove(EntryRecord, early.id)
    entry = entry._replace(
        deleted_at=early.deleted_at or entry.deleted_at, reactions=early.reactions or entry.reactions
    )
    edits = early.versions if early.external_id is None else early.versions[1:]
    if edits:
        entry = with_versions(entry, [*(entry.versions or [original(entry)]), *edits])
    if early.delivery is not None:
        entry = moved(desk, entry, contact, early.delivery, early.delivery_error)
    desk.work.put(entry)
    if early.signal is not None:
        settle(desk, desk.work.contact(early.contact_id))
    return entry
