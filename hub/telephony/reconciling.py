"""The proof that no call is missing: every call that a PBX recorded in a day is compared with the hub's own.

What the hub lacks goes in by the door of all facts; what can't be brought in is missing, and an alarm says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from crm_core.messages import CallChanged, InboundEvent
from crm_core.model.alarm import AlarmKind
from crm_core.model.call import CallSnapshot, CallState
from crm_core.model.records import CallRecord, ReconciliationRecord
from crm_core.ports import Channel, Clock, InboundSink, KeepsCallRecords, RecordedCalls
from crm_core.services.desk import Desk
from crm_core.services.watching.alarms import end_alarm, raise_alarm
from crm_core.services.wording import Phrase
from crm_core.storage.queries import reconciliation
from crm_core.storage.store import Store
from hub.log import get_logger

log = get_logger(__name__)

_MOST_DETAILS = 500
_MOST_OF_A_RECORD = 300
# A call that the hub does not know to be over, and of which something was recorded so lately, may still go on.
_UNDER_WAY = timedelta(minutes=2)


class Verdict(StrEnum):
    """How a recorded call stands in the hub."""

    EQUAL = "equal"
    DIFFERS = "differs"  # the hub has the whole call and knows it otherwise, from what it saw itself
    UNKNOWN = "unknown"
    UNFINISHED = "unfinished"
    GOING_ON = "going on"
    ANSWERED = "answered"  # the records know of an answer of which the hub does not


_WANTING = frozenset({Verdict.UNKNOWN, Verdict.UNFINISHED, Verdict.ANSWERED})


@dataclass(slots=True)
class Tally:
    """One day of one PBX: `calls` with a client, `internal` those without, `unreadable` records."""

    pbx: str
    day: date
    calls: int = 0
    equal: int = 0
    settled: int = 0
    missing: int = 0
    internal: int = 0
    unreadable: int = 0
    details: list[dict[str, Any]] = field(default_factory=list)

    def note(self, outcome: str, verdict: Verdict, call: CallSnapshot) -> None:
        """Name a call that was not equal."""
        if len(self.details) < _MOST_DETAILS:
            self.details.append(
                {
                    "linkedid": call.linkedid,
                    "outcome": outcome,
                    "why": verdict.value,
                    "number": call.number,
                    "line": call.line,
                    "started_at": call.started_at.isoformat(),
                    "answered_by": call.answered_by,
                }
            )

    @property
    def proved(self) -> bool:
        """Whether every recorded call is surely known."""
        return not self.missing and not self.unreadable

    def torn(self, record: str) -> None:
        """Count and name a record that can't be read: what call it told of, nobody knows."""
        self.unreadable += 1
        if len(self.details) < _MOST_DETAILS:
            self.details.append({"outcome": "unreadable", "why": "unreadable", "record": record[:_MOST_OF_A_RECORD]})


class Reconciler:
    """Compares days. `sink` takes what the hub lacks; `zone` is the office's."""

    def __init__(self, store: Store, sink: InboundSink, clock: Clock, zone: ZoneInfo) -> None:
        self._store = store
        self._sink = sink
        self._clock = clock
        self._zone = zone

    def bounds(self, day: date) -> tuple[datetime, datetime]:
        """When a day of the office begins and ends."""
        begin = datetime.combine(day, time(), self._zone)
        return begin, datetime.combine(day + timedelta(days=1), time(), self._zone)

    async def day(self, channel: Channel, day: date, since: datetime | None = None) -> Tally:
        """Compare a day, from `since` on where that is later; write the outcome down, raise or end its alarm.

        Raises DeliveryError, StorageUnavailable or IntakeError where the day could not be compared whole: then nothing
        is written down, but what was brought in stays.
        """
        records: object = channel
        if not isinstance(records, KeepsCallRecords) or not records.keeps_records:
            raise ValueError(f"{channel.key} keeps no call records that can be read from here")
        tally = Tally(channel.key.account, day)
        begin, end = self.bounds(day)
        async for portion in records.recorded(max(begin, since) if since is not None else begin, end):
            await self._compare(portion, tally)
        await self._store.run(lambda desk: _written(desk, tally))
        level = log.info if tally.proved else log.warning
        level(
            "a day was reconciled",
            pbx=tally.pbx,
            day=str(day),
            calls=tally.calls,
            equal=tally.equal,
            settled=tally.settled,
            missing=tally.missing,
            unreadable=tally.unreadable,
        )
        return tally

    async def _compare(self, portion: RecordedCalls, tally: Tally) -> None:
        tally.internal += portion.internal
        for record in portion.unreadable:
            tally.torn(record)
        calls = {event.correlation_id: (event, call) for event in portion.events if (call := _call(event)) is not None}
        before = await self._judged(tally.pbx, {linkedid: call for linkedid, (_, call) in calls.items()})
        going_on = [linkedid for linkedid, verdict in before.items() if verdict is Verdict.GOING_ON]
        for linkedid in going_on:
            del before[linkedid]
        tally.calls += len(before)
        wanting = [linkedid for linkedid, verdict in before.items() if verdict in _WANTING]
        if wanting:
            await self._sink.receive_many([calls[linkedid][0] for linkedid in wanting])
        after = await self._judged(tally.pbx, {linkedid: calls[linkedid][1] for linkedid in wanting})
        for linkedid, verdict in before.items():
            call = calls[linkedid][1]
            if verdict not in _WANTING:
                tally.equal += 1
                if verdict is not Verdict.EQUAL:
                    tally.note("equal", verdict, call)
            elif after[linkedid] in _WANTING:
                tally.missing += 1
                tally.note("missing", after[linkedid], call)
            else:
                tally.settled += 1
                tally.note("settled", verdict, call)

    async def _judged(self, pbx: str, calls: Mapping[str, CallSnapshot]) -> dict[str, Verdict]:
        known = await self._store.read(lambda conn: reconciliation.known_calls(conn, pbx, list(calls))) if calls else {}
        now = self._clock.now()
        return {linkedid: judged(known.get(linkedid), call, now) for linkedid, call in calls.items()}


def judged(known: CallRecord | None, recorded: CallSnapshot, now: datetime) -> Verdict:
    """How the hub's call stands to the recorded one.

    Records can't tell a missed call from an abandoned one, so only whether somebody answered is compared, and who.
    """
    if known is None:
        return Verdict.UNKNOWN
    if known.finished_at is None:
        lately = recorded.finished_at is not None and recorded.finished_at > now - _UNDER_WAY
        return Verdict.GOING_ON if lately else Verdict.UNFINISHED
    if recorded.answered_at is not None and known.answered_at is None:
        return Verdict.ANSWERED
    if (recorded.state is CallState.ANSWERED) != (known.state is CallState.ANSWERED):
        return Verdict.DIFFERS
    if recorded.answered_by is not None and _telephone(recorded.answered_by) not in _talked(known):
        return Verdict.DIFFERS
    return Verdict.EQUAL


def _talked(known: CallRecord) -> set[str]:
    talks: list[dict[str, Any]] = known.talks or []
    rung: list[dict[str, Any]] = known.rung or []
    people = {
        known.endpoint,
        *(talk.get("endpoint") for talk in talks),
        *(leg.get("endpoint") for leg in rung if leg.get("answered")),
    }
    return {_telephone(each) for each in people if each is not None}


def _telephone(endpoint: str) -> str:
    """An endpoint without the number dialled through it: records of a forwarded call name the trunk alone."""
    technology, slash, rest = endpoint.partition("/")
    return f"{technology}{slash}{rest.rpartition('@')[2].partition('/')[0]}"


def _call(event: InboundEvent) -> CallSnapshot | None:
    return event.payload.call if isinstance(event.payload, CallChanged) else None


def _written(desk: Desk, tally: Tally) -> None:
    work = desk.work
    record = ReconciliationRecord(
        work.next_id(),
        tally.pbx,
        tally.day.isoformat(),
        desk.now,
        tally.calls,
        tally.equal,
        tally.settled,
        tally.missing,
        tally.details,
    )
    work.put(record)
    # a day of its own: another one that is complete must not end it
    subject = f"pbx:{tally.pbx} {tally.day.isoformat()}"
    if not tally.proved:
        torn = f"; {desk.say(Phrase.RECORDS_UNREADABLE, count=tally.unreadable)}" if tally.unreadable else ""
        raise_alarm(desk, AlarmKind.CALLS_MISSING, subject, f"{tally.missing} / {tally.calls}{torn}")
    else:
        end_alarm(desk, AlarmKind.CALLS_MISSING, subject)
