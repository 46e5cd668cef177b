"""What rules and chains did, and when they did it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

Json = Any


class RunOutcome(StrEnum):
    """How a rule's run ended. `UNMET`: it was time, but its conditions did not hold."""

    DONE = "done"
    FAILED = "failed"
    HELD_BACK = "held_back"
    UNMET = "unmet"


class RuleRunRecord(NamedTuple):
    """A run of a rule on a record. `key` is unique: `rule:kind:subject:occasion`, so that no occasion acts twice.
    `actions` is what it did, `[{do, …}, …]`; `why` the trigger in words; `error` what failed or held it back."""

    key: str
    rule: str
    kind: str
    subject_id: int
    contact_id: int | None
    at: datetime
    outcome: RunOutcome
    why: str
    actions: Json = []
    error: str = ""


class ChainState(StrEnum):
    """Where a run of a chain stands."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"


class ChainRunRecord(NamedTuple):
    """A timed chain of messages to a client; at most one running a chain and client. `step` is the next one, due at
    `next_at`."""

    id: int
    chain: str
    contact_id: int
    deal_id: int | None
    state: ChainState
    step: int
    started_at: datetime
    next_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    account: str = ""
