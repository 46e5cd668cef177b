"""Transitions of calls become facts for the intake, and raw facts become transitions again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from channels.pbx.ami_wire import Splitter, parse_block
from channels.pbx.book import CallBook
from channels.pbx.call_facts import CallFacts, PbxProfile
from channels.pbx.cdr import CdrRow, calls_of, parse_row, settled_call
from channels.pbx.events import CallEvent, Originated, parse_event
from channels.pbx.originate import not_made
from channels.pbx.reducer import Kind, Transition
from crm_core.messages import CallChanged, CallRinging, ChannelKey, InboundEvent, Payload, Sender, Unparsable
from crm_core.model.call import CallLeg, CallSnapshot, CallState, Direction
from crm_core.model.identity import caller
from crm_core.wording import Sentence

AMI_TYPE = "application/x-asterisk-ami"
CDR_TYPE = "text/csv"
SETTLED = "settled"
_SEQUENCE = {Kind.STARTED: 0, Kind.ANSWERED: 1, Kind.FINISHED: 3}
_SETTLED_SEQUENCE = 2
_PASSED_ON_SEQUENCE = 2  # behind the answer


class CallFactsReader:
    """Makes facts of one PBX account. `region` is where numbers without a country code belong."""

    def __init__(self, key: ChannelKey, profile: PbxProfile, region: str) -> None:
        self._key = key
        self._profile = profile
        self._region = region

    def of_transition(self, transition: Transition) -> InboundEvent:
        """The fact that a call moved on; its id is the call's linkedid and the transition."""
        call = transition.call
        moment = {Kind.STARTED: call.started_at, Kind.ANSWERED: call.answered_at, Kind.FINISHED: call.finished_at}
        return self._event(
            call,
            name=transition.kind.value,
            at=moment[transition.kind] or call.started_at,
            raw=_join(transition.blocks),
            raw_type=AMI_TYPE,
            sequence=_SEQUENCE[transition.kind],
        )

    def of_ringing(self, call: CallSnapshot) -> InboundEvent:
        """Which telephones a call rings now; of one that is being passed on, also who talked and talks. Its id grows
        with all that began or ended; it has no raw form: the blocks that made it belong to what the call comes to."""
        # who has picked up but is not through yet is still being rung, for all that the client can hear
        legs = [
            leg if leg.ended_at is not None or _through(call, leg) else replace(leg, answered_at=None)
            for leg in call.legs
        ]
        spans = [(leg.rang_at, leg.ended_at) for leg in legs] + [(talk.since, talk.until) for talk in call.talks]
        moments = [moment for span in spans for moment in span if moment is not None]
        return self._event(
            replace(call, legs=tuple(legs)),
            name=f"ringing:{len(moments)}",
            at=max(moments, default=call.started_at),
            raw=b"",
            raw_type=AMI_TYPE,
            sequence=_SEQUENCE[Kind.STARTED] if call.answered_at is None else _PASSED_ON_SEQUENCE,
            payload=CallRinging,
        )

    def of_records(self, rows: Sequence[CdrRow], name: str = SETTLED) -> InboundEvent | None:
        """The fact that call records tell of a call, by which `name`; None where no client took part."""
        call = settled_call(rows, self._profile)
        if call is None:
            return None
        return self._settled(call, b"\n".join(row.raw for row in rows), CDR_TYPE, name)

    def of_not_made(self, event: Originated, raw: bytes) -> InboundEvent | None:
        """The fact that a placed call came to nothing before the PBX had a channel; None where it did not."""
        call = not_made(event)
        return self._settled(call, _join((raw,)), AMI_TYPE) if call is not None else None

    def of_vanished(self, facts: CallFacts, blocks: Sequence[bytes], at: datetime) -> InboundEvent:
        """The fact that a call is over of whose end nothing was seen and nothing was recorded."""
        return self._settled(vanished_call(facts, at), _join(blocks), AMI_TYPE)

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        """The fact of its raw form; never raises: what is not understood has the payload Unparsable."""
        linkedid, _, name = external_id.rpartition(":")
        found = self._again(linkedid, name, raw, received_at)
        if found is not None:
            return found
        return InboundEvent(
            key=self._key,
            external_id=external_id,
            conversation=linkedid,
            occurred_at=received_at,
            sender=Sender(),
            payload=Unparsable(Sentence("what Asterisk told shows no such step of the call")),
            raw=raw,
            raw_type=AMI_TYPE if b"Event: " in raw else CDR_TYPE,
        )

    def _again(self, linkedid: str, name: str, raw: bytes, received_at: datetime) -> InboundEvent | None:
        if b"Event: " not in raw:
            rows = [
                row for line in raw.split(b"\n") if (row := parse_row(line)) is not None and row.linkedid == linkedid
            ]
            return self.of_records(calls_of(rows)[linkedid], name) if rows else None
        book = CallBook(self._profile)
        transitions: list[Transition] = []
        blocks = Splitter().feed(raw)
        for block in blocks:
            event = parse_event(parse_block(block), received_at)
            if isinstance(event, CallEvent):
                transitions.extend(book.apply(event, block))
            elif isinstance(event, Originated) and (found := self.of_not_made(event, block)) is not None:
                return found
        if name == SETTLED:
            book.listing()
            return next((self.of_vanished(facts, blocks, received_at) for facts, _ in book.vanished()), None)
        transitions.extend(book.expire())
        known = [each for each in transitions if each.call.linkedid == linkedid and each.kind.value == name]
        return self.of_transition(replace(known[-1], blocks=tuple(blocks))) if known else None

    def _settled(self, call: CallSnapshot, raw: bytes, raw_type: str, name: str = SETTLED) -> InboundEvent:
        at = call.finished_at or call.started_at
        return self._event(call, name=name, at=at, raw=raw, raw_type=raw_type, sequence=_SETTLED_SEQUENCE)

    def _event(
        self,
        call: CallSnapshot,
        *,
        name: str,
        at: datetime,
        raw: bytes,
        raw_type: str,
        sequence: int,
        payload: Callable[[CallSnapshot], Payload] = CallChanged,
    ) -> InboundEvent:
        client = caller(call.number, self._region)
        return InboundEvent(
            key=self._key,
            external_id=f"{call.linkedid}:{name}",
            conversation=call.number or call.linkedid,
            occurred_at=at,
            sender=Sender((client,) if client is not None else (), call.caller_name),
            payload=payload(call),
            raw=raw,
            raw_type=raw_type,
            sequence=sequence,
            correlation_id=call.linkedid,
        )


def _through(call: CallSnapshot, leg: CallLeg) -> bool:
    """Whether the client talked with whoever picked a telephone up."""
    if call.answered_at is None:
        return False
    talked = any(talk.endpoint == leg.endpoint and talk.since >= leg.rang_at for talk in call.talks)
    return talked or leg.rang_at <= call.answered_at


def vanished_call(facts: CallFacts, at: datetime) -> CallSnapshot:
    """A call whose end nobody saw: answered if it was, else missed, or not answered by the client whom the office rang;
    it ended at `at` at the latest."""
    unanswered = CallState.NO_ANSWER if facts.direction is Direction.OUT else CallState.MISSED
    state = CallState.ANSWERED if facts.answered_at is not None else unanswered
    return facts.snapshot(state, max(at, facts.answered_at or facts.started_at), settled=True)


def _join(blocks: Sequence[bytes]) -> bytes:
    return b"".join(block + b"\r\n\r\n" for block in blocks)
