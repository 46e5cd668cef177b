"""Pushed events of calls as the hub's facts. Nothing here raises; what is not understood says so.

Each event tells one moment of a call: that it rings, that somebody answered, that it is over. Events come in any order,
repeated, through any node; so each becomes a fact of its own that says no more than it knows (`CallSnapshot.partial`),
and the record puts the moments together. The protocol has no time stamps: what counts is when an event arrived.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from channels.cti.config import CtiConfig
from channels.cti.fields import Fields, Malformed, read_fields
from crm_core.messages import CallChanged, InboundEvent, Payload, Sender, Unparsable
from crm_core.model.call import SOMEBODY, CallLeg, CallSnapshot, CallState, Direction
from crm_core.model.identity import Identity, caller, find_telephones
from crm_core.wording import cut

_HIDDEN = "anonymous"
_VOICEMAIL = "voicemail"
_LONGEST_ID = 250
_MAX_PEOPLE = 50
_MAX_WORDS = 500


class CtiEvent(StrEnum):
    """The moments that are told."""

    NEW_CALL = "newCall"
    ANSWER = "answer"
    HANGUP = "hangup"


class Cause(StrEnum):
    """Why a call ended, in the protocol's words."""

    NORMAL_CLEARING = "normalClearing"
    BUSY = "busy"
    CANCEL = "cancel"
    NO_ANSWER = "noAnswer"
    CONGESTION = "congestion"
    NOT_FOUND = "notFound"
    FORWARDED = "forwarded"


# What a call comes to that nobody answered, as far as is known; whatever is not here was missed.
_IN = {Cause.CANCEL: CallState.ABANDONED, Cause.BUSY: CallState.BUSY}
_OUT = {Cause.BUSY: CallState.BUSY, Cause.CONGESTION: CallState.FAILED, Cause.NOT_FOUND: CallState.FAILED}
# The codes of Q.850 nearest to the protocol's words.
_Q850 = {
    Cause.NORMAL_CLEARING: 16,
    Cause.BUSY: 17,
    Cause.CANCEL: 16,
    Cause.NO_ANSWER: 19,
    Cause.CONGESTION: 34,
    Cause.NOT_FOUND: 1,
}
_ORDER = {CtiEvent.NEW_CALL: 0, CtiEvent.ANSWER: 1, CtiEvent.HANGUP: 2}


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it was told. `peer` is the number in E.164 where it is one; `trouble` why it was not understood.

    `to` stays as it was written: it is repeated to the telephone system.
    """

    event: InboundEvent
    kind: CtiEvent | None = None
    direction: Direction = Direction.IN
    peer: str = ""
    line: str = ""
    to: str = ""
    trouble: str = ""

    @property
    def digits(self) -> str:
        """The client's number as digits with the country code."""
        return "".join(char for char in self.peer if char in "0123456789")

    @property
    def begins_in(self) -> bool:
        """Whether a client is calling now."""
        return self.kind is CtiEvent.NEW_CALL and self.direction is Direction.IN

    @property
    def begins_out(self) -> bool:
        """Whether a client is about to be called."""
        return self.kind is CtiEvent.NEW_CALL and self.direction is Direction.OUT


def read(config: CtiConfig, region: str, body: bytes, received_at: datetime, *, external_id: str | None = None) -> Told:
    """The fact of a posted body, which is kept byte for byte; `external_id` where it is known from the journal."""
    at = received_at.astimezone(UTC)

    def fact(id_: str, payload: Payload, call_id: str = "", client: Identity | None = None) -> InboundEvent:
        number = payload.call.number if isinstance(payload, CallChanged) else ""
        return InboundEvent(
            key=config.channel_key,
            external_id=external_id or id_,
            conversation=number or call_id,
            occurred_at=at,
            sender=Sender((client,) if client is not None else ()),
            payload=payload,
            raw=body,
            raw_type="application/json" if body.lstrip()[:1] == b"{" else "application/x-www-form-urlencoded",
            correlation_id=call_id,
        )

    try:
        fields = read_fields(body)
        kind, direction, call_id = _kind(fields), _direction(fields), _call_id(fields)
    except Malformed as error:
        words = cut(error.sentence, _MAX_WORDS)
        return Told(fact(f"sha256:{hashlib.sha256(body).hexdigest()}", Unparsable(words)), trouble=words)
    call = _snapshot(fields, kind, direction, call_id, region, at)
    id_ = _external_id(fields, kind, call_id)
    event = fact(id_, CallChanged(call), call_id, caller(call.number, region))
    return Told(replace(event, sequence=_ORDER[kind]), kind, direction, call.number, call.line, fields.first("to"))


def telephone_of(raw: str, region: str) -> str:
    """A number as E.164 where it is one: the protocol writes digits with the country code and without a plus.

    A number written the national way, with the region's trunk prefix, is understood too. Anything else stays.
    """
    compact = "".join(char for char in raw if char not in " ()-./")
    national = next(iter(find_telephones(raw, region)), None)
    if not compact.isdigit() or not compact.isascii():
        return national.value if national is not None else raw
    if national is not None and not national.value.endswith(compact) and national.value.endswith(compact[1:]):
        return national.value  # the region's trunk prefix was there: 8 495 …, 0 30 …
    abroad = next(iter(find_telephones(f"+{compact}", region)), None)
    found = abroad or national
    return found.value if found is not None else raw


def _kind(fields: Fields) -> CtiEvent:
    told = fields.first("event")
    kind = next((each for each in CtiEvent if each.value.casefold() == told.casefold()), None)
    if kind is None:
        if not told:
            raise Malformed("The field event is missing.")
        raise Malformed("Unknown event {event}; known are {known}.", event=repr(told[:50]), known=", ".join(CtiEvent))
    return kind


def _direction(fields: Fields) -> Direction:
    try:
        return Direction(fields.first("direction").casefold())
    except ValueError:
        raise Malformed("Invalid direction!") from None


def _call_id(fields: Fields) -> str:
    told = fields.first("callId", "call_id")
    if not told:
        raise Malformed("The field callId is missing.")
    if len(told) > _LONGEST_ID:
        raise Malformed("The field callId is longer than {most} characters.", most=_LONGEST_ID)
    return told


def _cause(fields: Fields) -> Cause | None:
    told = fields.first("cause").casefold()
    return next((each for each in Cause if each.value.casefold() == told), None)


def _external_id(fields: Fields, kind: CtiEvent, call_id: str) -> str:
    """The same for a repeat; another where somebody else rings or answers, or the end is told otherwise."""
    people = fields.every("user")
    said = "\n".join((*people, "", fields.first("answeringNumber", "answering_number"), fields.first("cause")))
    digest = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:12]
    return f"{call_id}:{kind.value}:{digest}"


def _snapshot(
    fields: Fields, kind: CtiEvent, direction: Direction, call_id: str, region: str, at: datetime
) -> CallSnapshot:
    """What this event alone says of the call."""
    inbound = direction is Direction.IN
    caller_number, called = fields.first("from"), fields.first("to")
    peer, line = (caller_number, called) if inbound else (called, caller_number)
    if not peer and inbound and kind is CtiEvent.NEW_CALL:
        peer = _HIDDEN  # of a later event an empty number only says that it is not repeated
    number = telephone_of(peer, region)
    people = fields.every("user")[:_MAX_PEOPLE]
    answering = fields.first("answeringNumber", "answering_number")
    if answering and telephone_of(answering, region) == number:
        answering = ""  # the client's own end of an outgoing call
    cause = _cause(fields)
    over = kind is CtiEvent.HANGUP
    machine = _VOICEMAIL in {answering.casefold(), *(each.casefold() for each in people)}
    named = answering or (people[0] if len(people) == 1 else "")
    # An end that names who had answered proves that somebody had: the answer itself was not heard.
    proved = over and bool(answering) and cause in {Cause.NORMAL_CLEARING, Cause.FORWARDED}
    answered = (kind is CtiEvent.ANSWER or proved) and not machine
    unanswered = (_IN if inbound else _OUT).get(cause) if cause is not None else None
    return CallSnapshot(
        linkedid=call_id,
        direction=direction,
        number=number,
        line=telephone_of(line or fields.first("queue"), region),
        state=_state(kind, unanswered, inbound=inbound, answered=answered),
        started_at=at,
        answered_at=at if answered else None,
        finished_at=at if over else None,
        answered_by=(named or SOMEBODY) if answered else None,
        legs=tuple(CallLeg(each, at, at if answered and each == named else None) for each in people),
        cause=_Q850.get(cause, 0) if cause is not None else 0,
        cause_text=fields.first("cause")[:100] if over else "",
        hung_up_by="client" if over and inbound and cause is Cause.CANCEL else "",
        partial=True,
    )


def _state(kind: CtiEvent, unanswered: CallState | None, *, inbound: bool, answered: bool) -> CallState:
    if answered:
        return CallState.ANSWERED
    if kind is not CtiEvent.HANGUP:
        return CallState.RINGING
    return unanswered or (CallState.MISSED if inbound else CallState.NO_ANSWER)
