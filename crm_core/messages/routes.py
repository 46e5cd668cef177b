"""Who takes a call: the question of a PBX, the decision with its trace."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class RouteQuery:
    """A PBX asks who takes a call. `number` and `line` as the PBX gave them; `attempt` 0 first.

    `call_id` is the channel's unique id, the same on every attempt of one call; empty in a dry run. `key` is what the
    caller pressed in the line's voice menu, `-` where they pressed nothing in time, empty before the menu was played.
    """

    pbx: str
    number: str
    line: str
    attempt: int = 0
    call_id: str = ""
    key: str = ""


class RouteAction(StrEnum):
    """What the PBX does with a call, as `HUB_ACTION`."""

    DIAL = "dial"
    REJECT = "reject"
    CALLBACK = "callback"
    FALLBACK = "fallback"
    MENU = "menu"


class Verdict(StrEnum):
    """Why somebody rings or is passed over."""

    RINGS = "rings"
    ABSENT = "absent"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    DO_NOT_DISTURB = "do_not_disturb"
    NO_EXTENSION = "no_extension"
    DISABLED = "disabled"
    TRIED = "tried"
    NOBODY = "nobody"
    LISTED = "listed"
    OFF_HOURS = "off_hours"
    PAUSED = "paused"
    WRAP_UP = "wrap_up"
    CHOSEN = "chosen"
    CLOSED = "closed"
    LATER = "later"


class RouteStage(StrEnum):
    """The places where a taker is sought, in the order of the configured fallback."""

    LIST = "list"
    LINE = "line"
    MENU = "menu"
    MANAGER = "manager"
    DEPUTY = "deputy"
    GROUP = "group"
    DUTY = "duty"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One consideration of a decision: the stage, the person's login (empty for a stage), the verdict, details."""

    stage: RouteStage
    verdict: Verdict
    login: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RouteDecision:
    """Whom a call rings now. `endpoints` ring together for `ring_s` seconds; `reason` is one word or a short phrase.

    `sound` is an Asterisk sound name played first (a greeting, or the menu's text), `keys` the digits a menu takes;
    `record` whether the conversation is to be recorded, None: as the PBX does with all of them.
    """

    action: RouteAction
    endpoints: tuple[str, ...] = ()
    ring_s: int = 0
    reason: str = ""
    contact_id: int | None = None
    trace: tuple[TraceStep, ...] = ()
    sound: str = ""
    keys: str = ""
    record: bool | None = None


class DeviceState(StrEnum):
    """What a PBX says of a telephone."""

    UNKNOWN = "unknown"
    IDLE = "idle"
    RINGING = "ringing"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
