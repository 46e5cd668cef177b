"""Messages to many: broadcasts to segments, and who does not want them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

Json = Any


class BroadcastState(StrEnum):
    """Where a broadcast stands."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class BroadcastRecord(NamedTuple):
    """A message to everybody of a segment. `channels` are tried in this order for each client; `per_minute` bounds the
    rate; `filled_to` is the last contact that was looked at while the recipients were gathered."""

    id: int
    name: str
    segment: str
    template: str
    state: BroadcastState
    created_at: datetime
    author: str
    channels: Json = []
    per_minute: int = 60
    start_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    filled_to: int = 0
    filled: bool = False
    filter: Json = {}
    text: str = ""
    subject: str = ""


class RecipientState(StrEnum):
    """What became of one recipient."""

    WAITING = "waiting"
    QUEUED = "queued"
    SKIPPED = "skipped"


class RecipientRecord(NamedTuple):
    """One recipient of a broadcast; `key` is `broadcast:contact`, so that nobody gets it twice. `why` says why one was
    left out; what became of a queued message is told by its timeline entry."""

    key: str
    broadcast_id: int
    contact_id: int
    state: RecipientState
    channel: str = ""
    account: str = ""
    entry_id: int | None = None
    why: str = ""
    at: datetime | None = None


class OptOutRecord(NamedTuple):
    """That nothing is to be sent by the hub itself to whoever holds an identity (its key); a person may still write."""

    key: str
    contact_id: int | None
    at: datetime
    how: str
    author: str = ""
