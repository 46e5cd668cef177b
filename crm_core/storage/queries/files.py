"""Files of entries, and those uploaded for messages that are still to be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, insert, or_, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import InvalidInput, NotFound
from crm_core.messages import StoredFile
from crm_core.model.access import Access, Right
from crm_core.model.records import AttachmentRecord
from crm_core.model.timeline import EntryKind
from crm_core.services.desk import Desk
from crm_core.storage.queries.pages import all_of
from crm_core.storage.queries.seeing import seen_entry
from crm_core.storage.queries.within import connection_of
from crm_core.storage.tables import attachment, task, timeline, upload


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that lies in the store and waits for its message. `size` in bytes."""

    id: int
    name: str
    content_type: str
    size: int
    sha256: str


def one_attachment(conn: Connection, access: Access, attachment_id: int) -> AttachmentRecord:
    """One file of an entry; raises NotFound, also where the entry tells of a card that somebody does not see (not so of
    the end of a task that they gave or were to do), and Forbidden for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    wanted = select(attachment).where(attachment.c.id == attachment_id)
    seen = seen_entry(timeline, access.sight)
    if seen is not None:
        theirs = and_(_ended(timeline), or_(task.c.assignee == access.login, task.c.author == access.login))
        told = or_(seen, exists().where(theirs))
        wanted = wanted.where(exists().where(timeline.c.id == attachment.c.entry_id, told))
    found = all_of(conn, AttachmentRecord, wanted)
    if not found:
        raise NotFound("there is no attachment {attachment}", attachment=attachment_id)
    return found[0]


def _ended(line: Any) -> ColumnElement[bool]:
    """Which task a line of a timeline tells the end of: it stands at that very moment."""
    of_client = and_(task.c.contact_id == line.c.contact_id, task.c.done_at == line.c.occurred_at)
    return and_(of_client, line.c.kind == EntryKind.TASK, line.c.author == task.c.done_by)


def add_upload(desk: Desk, login: str, name: str, content_type: str, stored: StoredFile) -> Upload:
    """Note a file that lies in the store already."""
    added = Upload(desk.work.next_id(), name, content_type, stored.size, stored.sha256)
    row: dict[str, Any] = {
        "id": added.id,
        "name": name,
        "content_type": content_type,
        "size": stored.size,
        "sha256": stored.sha256,
        "login": login,
        "created_at": desk.now,
    }
    connection_of(desk).execute(insert(upload).values(row))
    return added


def uploads(desk: Desk, ids: Sequence[int], *, by: str) -> list[Upload]:
    """What somebody uploaded, in the order of `ids`; raises InvalidInput where one is unknown, or not theirs."""
    if not ids:
        return []
    columns = (upload.c.id, upload.c.name, upload.c.content_type, upload.c.size, upload.c.sha256)
    rows = connection_of(desk).execute(select(*columns).where(upload.c.login == by, upload.c.id.in_(ids)))
    found = {row.id: Upload(*row) for row in rows}
    missing = [each for each in ids if each not in found]
    if missing:
        raise InvalidInput("there is no uploaded file {missing}: send it to /api/v1/files first", missing=missing[0])
    return [found[each] for each in ids]


def unknown_uploads(desk: Desk, hashes: Sequence[str]) -> list[str]:
    """Those of these contents that nobody uploaded."""
    if not hashes:
        return []
    rows = connection_of(desk).execute(select(upload.c.sha256).where(upload.c.sha256.in_(hashes)))
    known = {row.sha256 for row in rows}
    return [each for each in hashes if each not in known]
