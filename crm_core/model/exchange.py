"""What comes from and goes to other programs: external ids, imports, documents, deliveries of webhooks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

Json = Any


class ExternalRefRecord(NamedTuple):
    """That another program knows a record by an id: `key` is `kind:system:external id`."""

    key: str
    kind: str
    subject_id: int
    at: datetime


class ImportState(StrEnum):
    """Where an import stands."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ImportRecord(NamedTuple):
    """A file being brought in. `line` is the last line that was taken in, so that it goes on where it stopped;
    `mapping` says which column is what; `counts` `{created, updated, unchanged, failed}`."""

    id: int
    kind: str
    name: str
    sha256: str
    state: ImportState
    created_at: datetime
    author: str
    line: int = 0
    total: int | None = None
    mapping: Json = {}
    options: Json = {}
    counts: Json = {}
    ended_at: datetime | None = None
    error: str = ""


class ImportProblemRecord(NamedTuple):
    """A line of an import that could not be taken in, or only in part, and why. `key` is `import:line`."""

    key: str
    import_id: int
    line: int
    error: str
    cells: Json = []


class DocumentRecord(NamedTuple):
    """A document made from a template. `number` counts within the template's series; the file is found by its hash."""

    id: int
    template: str
    number: int
    title: str
    created_at: datetime
    author: str
    name: str
    content_type: str
    size: int
    sha256: str
    contact_id: int | None = None
    deal_id: int | None = None
    entry_id: int | None = None


class CounterRecord(NamedTuple):
    """The last number of a series."""

    name: str
    value: int


class DeliveryState(StrEnum):
    """Where the delivery of an event to another program stands."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class WebhookDeliveryRecord(NamedTuple):
    """The delivery of an event to a subscriber: kept, so that it can be looked at and sent again."""

    id: int
    subscription: str
    event: str
    subject_id: int
    state: DeliveryState
    created_at: datetime
    payload: Json
    delivery: str
    attempts: int = 0
    status: int | None = None
    error: str = ""
    done_at: datetime | None = None
