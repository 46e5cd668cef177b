"""Ringing clients by order of the hub: callbacks that robots work off, and the calls they and people place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from crm_core.model.calendar import DayHours, WorkingHours

# Between the time and the number in the id of a call that the hub places.
DIAL_MARK = ".hub"
_LONGEST_ID = 18


class CallbackReason(StrEnum):
    """Why a client is rung back: their lead was taken, a call of theirs was missed, they ordered it."""

    TAKEN = "taken"
    MISSED = "missed"
    ORDERED = "ordered"


class CallbackState(StrEnum):
    """Where a callback stands. The first two are active; the others are ends."""

    WAITING = "waiting"
    DIALLING = "dialling"
    REACHED = "reached"
    GIVEN_UP = "given_up"
    CANCELLED = "cancelled"

    @property
    def active(self) -> bool:
        """Whether the client may still be rung for it."""
        return self in {CallbackState.WAITING, CallbackState.DIALLING}


class DialPurpose(StrEnum):
    """Who wants a call placed: a person by a press, or a robot for one of the reasons."""

    CLICK = "click"
    TAKEN = "taken"
    MISSED = "missed"
    ORDERED = "ordered"


class DialState(StrEnum):
    """Where a placed call stands: to be handed to the PBX, handed over, over."""

    QUEUED = "queued"
    SENT = "sent"
    ENDED = "ended"


class DialOutcome(StrEnum):
    """How a placed call ended. `not_taken`: the person of the office did not pick up or did not accept it;
    `not_sent`: the PBX was out of reach in time; `unknown`: nothing was heard of it."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    NOT_TAKEN = "not_taken"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RobotRules:
    """When and how robots ring. `client_hours` are local to the client; `attempts` times at most, `spacing` apart;
    `announce`: the person hears `sound`, then the last digits of the number, and accepts with a key; `ring_s` bounds
    the ringing of the person."""

    on_take: bool = False
    on_missed: bool = False
    on_order: bool = False
    client_hours: DayHours = field(default_factory=lambda: DayHours(time(9), time(21)))
    attempts: int = 3
    spacing: timedelta = timedelta(minutes=15)
    announce: bool = True
    sound: str = "followme/call-from"
    ring_s: int = 30

    def wants(self, reason: CallbackReason) -> bool:
        """Whether a robot rings for this reason; what is waiting when that is switched off is not rung either."""
        match reason:
            case CallbackReason.TAKEN:
                return self.on_take
            case CallbackReason.MISSED:
                return self.on_missed
            case CallbackReason.ORDERED:
                return self.on_order

    def hours_in(self, zone: ZoneInfo) -> WorkingHours:
        """The permitted hours as a calendar of the client's zone."""
        return WorkingHours("client", zone, dict.fromkeys(range(7), (self.client_hours,)))


def permitted_at(rules: RobotRules, zone: ZoneInfo, at: datetime) -> datetime:
    """`at` itself where the client may be rung then, else the next moment when they may."""
    hours = rules.hours_in(zone)
    if hours.is_open(at):
        return at
    local = at.astimezone(zone)
    opening = datetime.combine(local.date(), rules.client_hours.start, zone).astimezone(UTC)
    if opening <= at:
        tomorrow = local.date() + timedelta(days=1)
        opening = datetime.combine(tomorrow, rules.client_hours.start, zone).astimezone(UTC)
    return opening


def dial_of(linkedid: str) -> int | None:
    """The number of the placed call whose id this is; None for calls of others."""
    _, mark, number = linkedid.partition(DIAL_MARK)
    return int(number) if mark and number.isascii() and number.isdigit() and len(number) <= _LONGEST_ID else None
