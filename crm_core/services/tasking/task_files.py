"""Files that came of a task: on the timeline of its client and of its deal, beside its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm_core.model.records import AttachmentRecord, EntryRecord, FileState
from crm_core.services.desk import Desk


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A file whose content lies in the store under `sha256`; `size` in bytes."""

    name: str
    content_type: str
    size: int
    sha256: str


def keep_files(desk: Desk, entry: EntryRecord, files: Sequence[TaskFile]) -> None:
    """Hang files on the entry that tells of a result."""
    for position, each in enumerate(files):
        desk.work.put(
            AttachmentRecord(
                id=desk.work.next_id(),
                entry_id=entry.id,
                position=position,
                name=each.name,
                content_type=each.content_type,
                state=FileState.STORED,
                size=each.size,
                sha256=each.sha256,
            )
        )
