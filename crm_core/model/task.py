"""Tasks: who does what until when, and with what result."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

Json = Any


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class TaskRecord(NamedTuple):
    """Something that `assignee` is to do until `due_at`; closed with a `result` in words. `origin`, where there is one,
    is unique: what made the task makes it once. `recurrence` is an RFC 5545 RRULE; `series_id` the first task of a
    series; `rung` how far its ladder was told."""

    id: int
    title: str
    state: TaskState
    created_at: datetime
    updated_at: datetime
    author: str
    assignee: str | None = None
    due_at: datetime | None = None
    contact_id: int | None = None
    lead_id: int | None = None
    deal_id: int | None = None
    company_id: int | None = None
    text: str = ""
    kind: str = ""
    result: str = ""
    done_at: datetime | None = None
    done_by: str | None = None
    overdue_at: datetime | None = None
    recurrence: str | None = None
    series_id: int | None = None
    origin: str | None = None
    rung: int | None = None
    checklist: Json = []
    fields: Json = {}
    tags: Json = []
    version: int = 1
    deleted_at: datetime | None = None
