"""Notes that people of the office leave on a client's timeline: never sent to anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import EntryKind
from crm_core.model.records import AttachmentRecord, EntryRecord, FileState
from crm_core.model.rights import Right
from crm_core.services.desk import Desk

_LONGEST_TEXT = 100_000


def note(desk: Desk, contact_id: int, login: str, text: str, uploads: Sequence[Mapping[str, Any]] = ()) -> EntryRecord:
    """Leave a note; `uploads` are files: `{name, content_type, size, sha256}`.

    Raises InvalidInput for one that says nothing, NotFound, Conflict where the card was merged into another.
    """
    desk.demand(Right.KEEP_CLIENTS)
    if not text.strip() and not uploads:
        raise InvalidInput("the note is empty")
    if len(text) > _LONGEST_TEXT:
        raise InvalidInput("the note is longer than {most} characters", most=_LONGEST_TEXT)
    contact = desk.work.contact(contact_id)
    if contact.merged_into is not None:
        raise Conflict("this contact was merged into {merged_into}", merged_into=contact.merged_into)
    entry = desk.note(contact.id, text, kind=EntryKind.NOTE, author=login, by_person=True)
    for position, each in enumerate(uploads):
        desk.work.put(AttachmentRecord(desk.work.next_id(), entry.id, position, state=FileState.STORED, **each))
    return entry
