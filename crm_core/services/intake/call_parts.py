"""Calls that are told moment by moment: the record puts the moments together, whatever order they come in.

A telephone system that only pushes events says of each what it is about, not what was before; the events of one call
arrive repeated, late, through different nodes, before and after a restart. So nothing is kept in memory: each moment is
laid upon what the record knows of the call, under the lock of that call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from crm_core.errors import ConcurrentChange
from crm_core.messages import CallChanged, InboundEvent
from crm_core.model.call import SOMEBODY, CallLeg, CallSnapshot, CallState, CallTalk
from crm_core.model.records import CallRecord
from crm_core.ports import UnitOfWork
from crm_core.services.desk import Desk


def numbered(work: UnitOfWork, events: Sequence[InboundEvent]) -> list[InboundEvent]:
    """The facts, those of calls with the client's number even where a later event did not repeat it.

    Who the client is decides on locks, so that this has to be known first.
    """
    told: dict[tuple[str, str], str] = {}
    silent: list[tuple[str, str]] = []
    for event in events:
        match event.payload:
            case CallChanged(call=CallSnapshot(partial=True, number="", linkedid=linkedid)):
                silent.append((event.key.account, linkedid))
            case CallChanged(call=CallSnapshot(partial=True, number=number, linkedid=linkedid)):
                told.setdefault((event.key.account, linkedid), number)
            case _:
                pass
    if not silent:
        return list(events)
    known = {**told, **work.call_numbers([place for place in silent if place not in told])}
    return [_with_number(event, known) for event in events]


def _with_number(event: InboundEvent, known: dict[tuple[str, str], str]) -> InboundEvent:
    if not isinstance(event.payload, CallChanged) or not event.payload.call.partial or event.payload.call.number:
        return event
    number = known.get((event.key.account, event.payload.call.linkedid))
    return replace(event, payload=CallChanged(replace(event.payload.call, number=number))) if number else event


def completed(desk: Desk, pbx: str, known: CallRecord | None, told: CallSnapshot) -> CallSnapshot | None:
    """The call with one more moment; None where that says nothing new.

    Raises ConcurrentChange where the client's number became known only now: who they are has to be locked first.
    """
    told = _named(desk, pbx, told)
    if known is None:
        return _derived(told)
    if known.number and not told.number:
        raise ConcurrentChange(f"the call {told.linkedid} has got its number meanwhile")
    before = _snapshot_of(known)
    after = _derived(_joined(before, told))
    return after if after != _derived(before) else None


def _named(desk: Desk, pbx: str, told: CallSnapshot) -> CallSnapshot:
    """One person under one name, however the telephone system calls them each time."""

    def login(endpoint: str) -> str:
        user = desk.office.user_of_endpoint(desk.work.staff, pbx, endpoint)
        return user.login if user is not None else endpoint

    legs = tuple(replace(leg, endpoint=login(leg.endpoint)) for leg in told.legs)
    return replace(told, legs=legs, answered_by=login(told.answered_by) if told.answered_by else None)


def _joined(known: CallSnapshot, told: CallSnapshot) -> CallSnapshot:
    """What both say. Beginnings are the earliest told, the end the latest, and its circumstances are that one's."""
    ended = told.finished_at is not None and (known.finished_at is None or told.finished_at >= known.finished_at)
    end = told if ended else known
    return replace(
        known,
        number=known.number or told.number,
        line=known.line or told.line,
        started_at=min(known.started_at, told.started_at),
        answered_at=_first(known.answered_at, told.answered_at),
        answered_by=_who(known, told),
        finished_at=end.finished_at,
        state=end.state,
        cause=end.cause,
        cause_text=end.cause_text,
        hung_up_by=end.hung_up_by,
        legs=_legs(known, told),
        wish_callback=known.wish_callback or told.wish_callback,
    )


def _who(known: CallSnapshot, told: CallSnapshot) -> str | None:
    """Who talked first; a name counts more than that somebody did."""
    named = [each for each in (known, told) if each.answered_by not in {None, SOMEBODY}]
    first = min(named, key=lambda each: each.answered_at or each.started_at, default=None)
    return first.answered_by if first is not None else known.answered_by or told.answered_by


def _legs(known: CallSnapshot, told: CallSnapshot) -> tuple[CallLeg, ...]:
    legs = {leg.endpoint: leg for leg in known.legs}
    for leg in told.legs:
        had = legs.get(leg.endpoint, leg)
        legs[leg.endpoint] = replace(
            had, rang_at=min(had.rang_at, leg.rang_at), answered_at=_first(had.answered_at, leg.answered_at)
        )
    return tuple(legs.values())


def _derived(call: CallSnapshot) -> CallSnapshot:
    """The call with what follows from its moments: its state, when each leg ended, who talked from when to when."""
    answered_at = call.answered_at
    if answered_at is not None and call.finished_at is not None:
        answered_at = min(answered_at, call.finished_at)  # the end overtook the answer on its way here
    who = call.answered_by if answered_at is not None else None
    legs = {leg.endpoint: leg for leg in call.legs}
    if who == SOMEBODY and len(legs) == 1:
        who = next(iter(legs))  # nobody else rang
    if who is not None and who != SOMEBODY and answered_at is not None:
        leg = legs.get(who) or CallLeg(who, answered_at)
        legs[who] = replace(leg, answered_at=_first(leg.answered_at, answered_at))
    ended = tuple(_ended(leg, answered_at, call.finished_at) for leg in legs.values())
    state = call.state
    if answered_at is not None:
        state = CallState.ANSWERED
    elif call.finished_at is None:
        state = CallState.RINGING
    return replace(
        call,
        answered_at=answered_at,
        answered_by=who,
        state=state,
        legs=tuple(sorted(ended, key=lambda leg: (leg.rang_at, leg.endpoint))),
        talks=_talks(ended, call.finished_at),
        partial=True,
    )


def _ended(leg: CallLeg, answered_at: datetime | None, finished_at: datetime | None) -> CallLeg:
    """A telephone that was not picked up fell silent when another was, else at the end."""
    if leg.answered_at is None:
        over = _first(answered_at, finished_at)
        return replace(leg, ended_at=max(over, leg.rang_at) if over is not None else None)
    return replace(leg, rang_at=min(leg.rang_at, leg.answered_at), ended_at=finished_at)


def _talks(legs: tuple[CallLeg, ...], finished_at: datetime | None) -> tuple[CallTalk, ...]:
    """Whoever answered later took the client over."""
    began = sorted((leg.answered_at, leg.endpoint) for leg in legs if leg.answered_at is not None)
    ends = [*(at for at, _ in began), finished_at][1:]
    return tuple(CallTalk(endpoint, at, until) for (at, endpoint), until in zip(began, ends, strict=True))


def _snapshot_of(record: CallRecord) -> CallSnapshot:
    """What the record knows, as a snapshot."""
    return CallSnapshot(
        linkedid=record.linkedid,
        direction=record.direction,
        number=record.number,
        line=record.line,
        state=record.state,
        started_at=record.started_at,
        answered_at=record.answered_at,
        finished_at=record.finished_at,
        answered_by=record.endpoint,
        legs=tuple(_leg_of(each) for each in record.rung),
        cause=record.cause,
        cause_text=record.cause_text,
        hung_up_by=record.hung_up_by,
        recording=record.recording,
        wish_callback=record.wish_callback,
        hold_s=record.hold_s,
        partial=True,
    )


def _leg_of(rung: dict[str, object]) -> CallLeg:
    rang_at = datetime.fromisoformat(str(rung["rang_at"]))
    ring_s = rung.get("ring_s")
    answered = bool(rung.get("answered")) and isinstance(ring_s, int | float)
    answered_at = rang_at + timedelta(seconds=float(str(ring_s))) if answered else None
    return CallLeg(str(rung["endpoint"]), rang_at, answered_at)


def _first(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
