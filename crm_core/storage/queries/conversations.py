"""What was said in a conversation, as its client may see it: messages and forms, nothing of the office's own; and whose
it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, Text, bindparam, or_, select

from crm_core.messages import ChannelKey, Delivery, EntryKind, StoredFile
from crm_core.model.call import Direction
from crm_core.model.records import AttachmentRecord, EntryRecord, FileState
from crm_core.ports import Said, SaidFile
from crm_core.storage.queries.pages import all_of, grouped
from crm_core.storage.tables import app_user, attachment, contact, timeline
from crm_core.storage.tables import identity as ways

_SHOWN = (EntryKind.MESSAGE, EntryKind.FORM)
_AT_ONCE = 500
_WHO = select(contact.c.id, contact.c.list_name, contact.c.merged_into, contact.c.deleted_at)


def said(conn: Connection, key: ChannelKey, conversation: str, after: int, limit: int) -> list[Said]:
    """The messages behind `after`, as they became known; what failed or was deleted is left out. Three statements."""
    entries = all_of(conn, EntryRecord, messages_of(key, conversation, after).limit(limit))
    if not entries:
        return []
    listed = select(attachment).where(attachment.c.entry_id.in_([entry.id for entry in entries]))
    files = grouped(all_of(conn, AttachmentRecord, listed.order_by(attachment.c.position)), "entry_id")
    names = _names(conn, {entry.author for entry in entries if entry.by_person})
    prefix = f"{key}:{conversation}:"
    return [
        Said(
            id=entry.id,
            seq=entry.seq,
            ref=(entry.ref or "").removeprefix(prefix),
            direction=entry.direction,
            occurred_at=entry.occurred_at,
            text=entry.text,
            author=names.get(entry.author, "") if entry.by_person else "",
            automatic=entry.direction is Direction.OUT and not entry.by_person,
            delivery=entry.delivery,
            files=tuple(_file(each) for each in files.get(entry.id, ())),
            choices=tuple((item, text) for item, text in (entry.offers or {}).get("menu", ())),
            ask_contact=bool((entry.offers or {}).get("contact")),
        )
        for entry in entries
    ]


def messages_of(key: ChannelKey, conversation: str, after: int) -> Select[Any]:
    """The entries that a client may see, as they became known."""
    return (
        select(timeline)
        .where(
            # Written out, so that both engines see that the index of visitors serves.
            timeline.c.channel == bindparam("channel", key.channel, Text, literal_execute=True),
            timeline.c.account == key.account,
            timeline.c.conversation == conversation,
            timeline.c.seq > after,
            timeline.c.kind.in_(_SHOWN),
            timeline.c.deleted_at.is_(None),
            or_(timeline.c.delivery.is_(None), timeline.c.delivery != Delivery.FAILED),
        )
        .order_by(timeline.c.seq)
    )


def conversations_of(conn: Connection, entry_ids: Sequence[int], channel: str) -> set[tuple[str, str]]:
    """(account, conversation) of those of the entries that are of the channel."""
    found: set[tuple[str, str]] = set()
    for first in range(0, len(entry_ids), _AT_ONCE):
        part = entry_ids[first : first + _AT_ONCE]
        statement = select(timeline.c.account, timeline.c.conversation).where(
            timeline.c.id.in_(part), timeline.c.channel == channel
        )
        found.update((row.account or "", row.conversation or "") for row in conn.execute(statement))
    return found


def writer_of(conn: Connection, identity: str) -> tuple[int, str | None] | None:
    """The client with an identity, and the special list that they stand on; None where there is none (any more)."""
    held = select(ways.c.contact_id).where(ways.c.key == identity)
    found = conn.execute(_WHO.where(contact.c.id == held.scalar_subquery())).one_or_none()
    while found is not None and found.merged_into is not None:
        found = conn.execute(_WHO.where(contact.c.id == found.merged_into)).one_or_none()
    if found is None or found.deleted_at is not None:
        return None
    return found.id, found.list_name


def _names(conn: Connection, logins: set[str]) -> dict[str, str]:
    if not logins:
        return {}
    rows = conn.execute(select(app_user.c.login, app_user.c.name).where(app_user.c.login.in_(sorted(logins))))
    return {row.login: row.name for row in rows}


def _file(record: AttachmentRecord) -> SaidFile:
    here = record.state is FileState.STORED and record.sha256 is not None and record.size is not None
    stored = StoredFile(record.sha256 or "", record.size or 0) if here else None
    return SaidFile(record.id, record.name, record.content_type, record.size, stored)
