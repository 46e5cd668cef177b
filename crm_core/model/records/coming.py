"""What came in as it came, and what is to happen or to be sent: the durable queues."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from crm_core.model.records.plain import Json


class JournalState(StrEnum):
    """What became of a journal row."""

    DONE = "done"
    FAILED = "failed"
    IGNORED = "ignored"


class JournalRecord(NamedTuple):
    """One inbound fact as it came. Unique by (channel, account, external_id)."""

    id: int
    channel: str
    account: str
    external_id: str
    state: JournalState
    what: str
    conversation: str
    occurred_at: datetime
    received_at: datetime
    correlation_id: str
    raw: bytes
    raw_type: str
    error: str | None = None
    attempts: int = 1


class DeadlineKind(StrEnum):
    """What happens when a deadline comes."""

    CASE_RUNG = "case.rung"
    CASE_PROMISE = "case.promise"
    LEAD_RUNG = "lead.rung"
    DEAL_RUNG = "deal.rung"
    DIAL = "dial"
    CALL = "call"
    RULE = "rule"
    SCHEDULE = "schedule"
    CHAIN = "chain"
    TASK = "task"
    PAYMENT = "payment"
    BROADCAST = "broadcast"
    FIELD = "field"


class DeadlineRecord(NamedTuple):
    """Something that must happen at `due_at`; `key` is `kind:subject_id`. `rung` is the ladder's next rung."""

    key: str
    kind: DeadlineKind
    subject_id: int
    due_at: datetime
    rung: int = 0
    attempts: int = 0
    error: str | None = None


class OutboxKind(StrEnum):
    """What a worker does with an outbox row."""

    MESSAGE = "message"
    NOTIFICATION = "notification"
    WEBHOOK = "webhook"
    FETCH = "fetch"


class OutboxState(StrEnum):
    """Where an outbox row stands. A failed one was given up and stays visible."""

    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"


class OutboxRecord(NamedTuple):
    """Something to be done outside. Rows of one `lane` are done one after another, in the order of their ids.

    `dedupe` is unique: the same cause never acts twice. `started` counts the tries begun since the last one whose end
    is known: 2 means that a worker died, or heard nothing, in the middle of an earlier one.
    """

    id: int
    kind: OutboxKind
    lane: str
    dedupe: str
    state: OutboxState
    created_at: datetime
    not_before: datetime
    payload: Json
    entry_id: int | None = None
    attempts: int = 0
    started: int = 0
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    error: str | None = None
    done_at: datetime | None = None
