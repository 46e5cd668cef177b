"""Ringing clients by order of the hub: callbacks that robots work off, and the calls they and people place."""

from __future__ import annotations

from enum import StrEnum


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
