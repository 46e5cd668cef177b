"""Calls that the hub places: what the PBX is told, and what follows where it never made a channel.

The PBX rings the person first and goes on in [hub-robot] when they pick up. The call's id is the hub's own, so that the
PBX refuses a second call of the same id while the first lives.
"""

from __future__ import annotations

import re

from channels.pbx.ami_wire import Fields
from channels.pbx.events import Originated
from crm_core.model.call import CallSnapshot, CallState, Direction
from crm_core.ports import PlaceCall

CONTEXT = "hub-robot"
STOPPED = "HUB_STOPPED"
_ACTION = "dial:"
_SAID_DIGITS = 4
_LONGEST_NAME = 60
# what would leave the quotes of a caller id, or its line, or can't be encoded
_UNFIT = re.compile(r'[\x00-\x1f\x7f-\x9f"<>\\;,\ud800-\udfff]+')
_DIGITS = re.compile(r"[0-9]")
# Reasons of OriginateResponse, as Asterisk's control frames number them.
_REASONS = {
    0: "no such extension or number",
    1: "hung up",
    3: "rang out",
    5: "busy",
    8: "congestion, or the telephone can't be reached",
}


def action_id(linkedid: str) -> str:
    """The ActionID by which the PBX tells of a placed call."""
    return f"{_ACTION}{linkedid}"


def originate(call: PlaceCall) -> Fields:
    """The headers of the Originate action."""
    name = " ".join(_UNFIT.sub(" ", call.caller_name).split())[:_LONGEST_NAME]
    sound = (call.sound,) if call.sound else ()
    # inherited by whoever takes the call over
    recorded = (("Variable", f"__HUB_RECORD={int(call.record)}"),) if call.record is not None else ()
    said = _DIGITS.findall(call.number)[-_SAID_DIGITS:]
    return (
        ("Channel", call.endpoint),
        ("ChannelId", call.linkedid),
        ("Context", CONTEXT),
        ("Exten", call.number),
        ("Priority", "1"),
        ("CallerID", f'"{name}" <{call.number}>'),
        ("Timeout", str(call.ring_s * 1000)),
        ("Async", "true"),
        ("Variable", f"HUB_LINE={''.join(_DIGITS.findall(call.line))}"),
        *recorded,
        ("Variable", f"HUB_ANNOUNCE={int(call.announce)}"),
        ("Variable", f"HUB_SAY={'&'.join((*sound, *(f'digits/{digit}' for digit in said)))}"),
    )


def stopping(linkedid: str) -> Fields:
    """The headers of the Setvar action that keeps [hub-robot] from dialling the client."""
    return (("Channel", linkedid), ("Variable", STOPPED), ("Value", "1"))


def linkedid_of(event: Originated) -> str | None:
    """The id of the placed call that an OriginateResponse is about; None for calls of others."""
    return event.action_id.removeprefix(_ACTION) if event.action_id.startswith(_ACTION) else None


def not_made(event: Originated) -> CallSnapshot | None:
    """The failed call of an OriginateResponse; None where it succeeded or is not the hub's."""
    linkedid = linkedid_of(event)
    if linkedid is None or event.success:
        return None
    return CallSnapshot(
        linkedid=linkedid,
        direction=Direction.OUT,
        number=event.exten,
        line="",
        state=CallState.FAILED,
        started_at=event.at,
        finished_at=event.at,
        cause_text=f"the PBX made no call: {_REASONS.get(event.reason, f'reason {event.reason}')}",
        settled=True,
    )
