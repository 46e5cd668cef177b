"""A telephone call as the record keeps it: one per linkedid, whatever transfers and redirects happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# Who talked with a client, where the telephone system only says that somebody did.
SOMEBODY = "somebody"


class Direction(StrEnum):
    """Seen from the office: `in` from a client, `out` to a client."""

    IN = "in"
    OUT = "out"


class CallState(StrEnum):
    """Where a call stands. The last two are of outgoing calls."""

    RINGING = "ringing"
    ANSWERED = "answered"
    MISSED = "missed"
    ABANDONED = "abandoned"
    BUSY = "busy"
    REJECTED = "rejected"
    NO_ANSWER = "no_answer"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CallLeg:
    """One endpoint that was rung for a call, and how that went. `cause` is the Q.850 hangup cause, 0 where unknown."""

    endpoint: str
    rang_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int = 0


class TalkBegan(StrEnum):
    """How somebody came to talk with the client: picked up what rang them, took over a call that rang or was parked
    elsewhere, or was handed the client by a colleague, with or without speaking to them first."""

    ANSWERED = "answered"
    PICKED_UP = "picked_up"
    BLIND_TRANSFER = "blind_transfer"
    ATTENDED_TRANSFER = "attended_transfer"
    UNPARKED = "unparked"


@dataclass(frozen=True, slots=True)
class CallTalk:
    """A conversation of the client with one endpoint; `until` is None as long as it goes on."""

    endpoint: str
    since: datetime
    until: datetime | None = None
    began: TalkBegan = TalkBegan.ANSWERED


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """All that is known of a call so far. Each later snapshot of a call contains what the earlier ones said.

    `linkedid` is unique within a PBX; `number` is the client's number as the PBX gave it (may be empty or
    `anonymous`); `line` the office's own number as dialled; `answered_by` the endpoint that talks or talked.
    `finished_at` is None as long as the call goes on. `wish_callback` says that the caller asked to be rung back.
    `settled` marks a call reconstructed from call records after an outage. `talks` are the client's conversations one
    after another, `hold_s` the seconds the client was on hold or parked between and during them. `guessed`: they talked
    before `answered_at` already, which is only when that was seen; call records may know better. `partial` marks a
    snapshot that tells of one moment only: its other fields say nothing, and what is known of the call already stays.
    Its `state` is what the call comes to as far as this moment goes, and people are named in whatever way the telephone
    system names them.
    """

    linkedid: str
    direction: Direction
    number: str
    line: str
    state: CallState
    started_at: datetime
    caller_name: str = ""
    answered_at: datetime | None = None
    finished_at: datetime | None = None
    answered_by: str | None = None
    legs: tuple[CallLeg, ...] = ()
    cause: int = 0
    cause_text: str = ""
    hung_up_by: str = ""
    recording: str | None = None
    wish_callback: bool = False
    settled: bool = False
    hold_s: float = 0.0
    talks: tuple[CallTalk, ...] = ()
    partial: bool = False
    guessed: bool = False

    @property
    def finished(self) -> bool:
        """Whether the call is over."""
        return self.finished_at is not None

    @property
    def progress(self) -> int:
        """How far the call has come: 0 ringing, 1 answered, 2 over (told by call records), 3 over. Only grows.

        A call that is over but whose answer was guessed stays 1, so that call records may mend it.
        """
        if self.finished_at is not None and self.guessed and not self.settled:
            return 1
        if self.finished_at is not None:
            return 2 if self.settled else 3
        return 1 if self.answered_at is not None else 0

    @property
    def wait_s(self) -> float:
        """Seconds from the start to the answer, or to the end where nobody answered."""
        end = self.answered_at or self.finished_at
        return max((end - self.started_at).total_seconds(), 0.0) if end is not None else 0.0

    @property
    def talk_s(self) -> float:
        """Seconds of conversation, hold included, once the call is over; the time between conversations is none."""
        if self.talks and self.finished_at is not None:
            return sum(max(((talk.until or self.finished_at) - talk.since).total_seconds(), 0.0) for talk in self.talks)
        if self.answered_at is None or self.finished_at is None:
            return 0.0
        return max((self.finished_at - self.answered_at).total_seconds(), 0.0)
