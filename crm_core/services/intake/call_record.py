"""A call's snapshot as the record that is kept, laid upon what is known of the call already."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, overload

from crm_core.model.call import CallLeg, CallSnapshot, CallState, CallTalk, Direction
from crm_core.model.call_now import heralded
from crm_core.model.cause import call_words, leg_words
from crm_core.model.records import CallRecord
from crm_core.services.desk import Desk

# call records are written in whole seconds
_CALL_RECORDS_CLOCK = timedelta(seconds=1)
# How far the record of a call is, without and with the wish for a callback: over, where it was guessed when they began
# to talk; over, as call records alone tell; seen to be over and mended by call records.
_GUESSED = frozenset({2, 3})
_RECORDED = frozenset({4, 5})
_MENDED = 8


def steps(call: CallSnapshot) -> int:
    """A step for every stage of a call, so that a snapshot with more to say wins; the wish for a callback counts."""
    return call.progress * 2 + int(call.wish_callback)


def tells_more(known: CallRecord, call: CallSnapshot) -> bool:
    """Whether a snapshot says more than what is known: it is further on, is the first to tell of the end, or, made from
    call records, knows of an answer that was not seen when the call was taken to be over.

    What was seen says more than call records, also where it is told after them.
    """
    if not call.settled and _wants(known) and (known.progress in _RECORDED or not call.finished):
        return True
    overlooked = call.settled and call.answered_at is not None and known.answered_at is None
    return steps(call) > known.progress or (call.finished and (known.finished_at is None or overlooked))


def record_of(desk: Desk, pbx: str, call: CallSnapshot, known: CallRecord | None, contact_id: int | None) -> CallRecord:
    """The record after a snapshot that tells more than what was known.

    `cause_text` is in the office's language; what a system that pushes moments calls the cause stays as it is.
    """
    call_id = known.id if known is not None else desk.work.next_id()
    ringing = known.rung if known is not None and call.state is CallState.RINGING else []
    if known is not None and heralded(known):
        known = None
    rung = [rung_leg(desk, pbx, leg) for leg in call.legs]
    record = CallRecord(
        id=call_id,
        pbx=pbx,
        linkedid=call.linkedid,
        contact_id=contact_id,
        entry_id=known.entry_id if known is not None else None,
        direction=call.direction,
        number=call.number,
        line=call.line,
        state=call.state,
        progress=steps(call),
        started_at=_finer(call.started_at, known.started_at) if known is not None else call.started_at,
        answered_at=call.answered_at,
        finished_at=call.finished_at,
        answered_by=_login(desk, pbx, call.answered_by),
        endpoint=call.answered_by,
        wait_s=call.wait_s,
        talk_s=call.talk_s,
        cause=call.cause,
        cause_text=call.cause_text if call.partial else call_words(desk.office.language, call),
        hung_up_by=call.hung_up_by,
        recording=call.recording,
        wish_callback=call.wish_callback,
        rung=rung_together(ringing, rung) if ringing and not call.partial else rung,
        hold_s=call.hold_s,
        talks=[talk_told(desk, pbx, talk) for talk in _talks(call)],
    )
    if known is None or call.partial:
        return record
    if known.state is CallState.RINGING and known.direction is Direction.IN:
        # what it rang was told in passing; it may as well come after this, and then it changes nothing
        known = known._replace(rung=[])
    if call.settled:
        return _mended(known, record)
    if _wants(known):
        return _seen_late(known, record, call)
    return _mended(known, record) if call.guessed else record


def _wants(known: CallRecord) -> bool:
    """Whether a record of a call that is over may lack what was seen of the call's beginning."""
    guessed = known.finished_at is not None and known.progress in _GUESSED
    return guessed or known.progress in _RECORDED or known.progress >= _MENDED


def _seen_late(known: CallRecord, seen: CallRecord, call: CallSnapshot) -> CallRecord:
    """What was seen of a call, told after what call records know of it: as if it had been told before."""
    whole = call.finished and not call.guessed
    if whole and (seen.answered_at is not None or known.answered_at is None):
        return seen
    return _mended(seen, known)._replace(contact_id=seen.contact_id)


def _mended(known: CallRecord, told: CallRecord) -> CallRecord:
    """Call records, and a link that came in the middle of a call, know little of what had been seen of it."""
    answered_at = _finer(known.answered_at, told.answered_at)
    earlier = answered_at is not None and answered_at == known.answered_at
    recorded = told.progress in _RECORDED or told.progress >= _MENDED
    seen = recorded and known.finished_at is not None and known.progress not in _RECORDED
    # an end that was taken for one before anybody answered was none
    over = known.finished_at if seen and known.answered_at is not None else told.finished_at
    wish_callback = told.wish_callback or known.wish_callback
    mended = told._replace(
        progress=max(_MENDED if seen else told.progress, known.progress) // 2 * 2 + int(wish_callback),
        state=CallState.ANSWERED if answered_at is not None else told.state,
        started_at=_finer(known.started_at, told.started_at),
        answered_at=answered_at,
        finished_at=over or known.finished_at,
        answered_by=known.answered_by if earlier else told.answered_by,
        endpoint=known.endpoint if earlier else told.endpoint,
        line=told.line or known.line,
        recording=told.recording or known.recording,
        hung_up_by=told.hung_up_by or known.hung_up_by,
        cause=told.cause or known.cause,
        cause_text=known.cause_text or told.cause_text,
        wish_callback=wish_callback,
        hold_s=max(told.hold_s, known.hold_s),
        rung=_legs(known.rung, told.rung),
        talks=_together(known.talks, told.talks),
    )
    return _timed(mended)


@overload
def _finer(one: datetime, other: datetime) -> datetime: ...


@overload
def _finer(one: datetime | None, other: datetime | None) -> datetime | None: ...


def _finer(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two moments; of one that was cut to the second and the one that it was, the latter."""
    if one is None or other is None:
        return one or other
    if abs(one - other) < _CALL_RECORDS_CLOCK and bool(one.microsecond) != bool(other.microsecond):
        return one if one.microsecond else other
    return min(one, other)


def _legs(known: list[dict[str, Any]], told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The legs that were seen to their end, and all others as they are told now, in the order in which they rang."""
    ended = {leg["endpoint"]: leg for leg in known if leg["ring_s"] is not None}
    now = {leg["endpoint"]: leg for leg in told}
    seen = [ended.get(leg["endpoint"]) or now.get(leg["endpoint"], leg) for leg in known]
    had = {leg["endpoint"] for leg in known}
    legs = [*seen, *(leg for leg in told if leg["endpoint"] not in had)]
    return sorted(legs, key=lambda leg: _moment(leg["rang_at"]))


def rung_together(known: list[dict[str, Any]], told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The legs of either, in the order in which they rang; the same in whatever order they are told. A leg that is over
    for one of them is over."""
    legs: list[dict[str, Any]] = []
    for leg in (*known, *told):
        place = next((at for at, other in enumerate(legs) if _same_leg(leg, other)), None)
        if place is None:
            legs.append(leg)
        elif _weight(leg) > _weight(legs[place]):
            legs[place] = leg
    return sorted(legs, key=lambda leg: (_moment(leg["rang_at"]), leg["endpoint"]))


def _same_leg(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether it is the same ringing of the same telephone: a link that came in the middle of it knows when it began
    to the second alone."""
    if one["endpoint"] != other["endpoint"]:
        return False
    began, also = _moment(one["rang_at"]), _moment(other["rang_at"])
    cut = bool(began.microsecond) != bool(also.microsecond)
    return began == also or (cut and abs(began - also) < _CALL_RECORDS_CLOCK)


def _weight(leg: dict[str, Any]) -> tuple[bool, bool]:
    return leg["ring_s"] is not None, bool(_moment(leg["rang_at"]).microsecond)


def _together(known: list[dict[str, Any]], told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversations that were seen, the one that began before, and those after."""
    talks = [dict(talk) for talk in known]
    for talk in told:
        first, last = (talks[0], talks[-1]) if talks else (None, None)
        if first is None or last is None:
            talks.append(dict(talk))
        elif _moment(first["from"]) - _moment(talk["from"]) >= _CALL_RECORDS_CLOCK:
            if first["endpoint"] == talk["endpoint"]:
                first["from"] = talk["from"]
            else:
                talks.insert(0, {**talk, "until": first["from"]})
        elif last["endpoint"] == talk["endpoint"]:
            last["until"] = last["until"] or talk["until"]
        elif talk["from"] > last["from"]:
            last["until"] = last["until"] or talk["from"]
            talks.append(dict(talk))
    return talks


def talks_together(known: list[dict[str, Any]], told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversations of a call that goes on, of which more is told; the same in whatever order it is told. A link
    that came in the middle of the call knows none of those before."""
    if not told or _latest(told) < _latest(known):
        return known
    before = [talk for talk in known if talk["from"] < told[0]["from"]]
    if not before:
        return told
    last = before[-1]
    if last["endpoint"] == told[0]["endpoint"] and last["until"] is None:
        return [*before[:-1], {**last, "until": told[0]["until"]}, *told[1:]]
    return [*before[:-1], {**last, "until": last["until"] or told[0]["from"]}, *told]


def _latest(talks: list[dict[str, Any]]) -> tuple[datetime, ...]:
    return max(((_moment(moment),) for talk in talks for moment in (talk["from"], talk["until"]) if moment), default=())


def _timed(record: CallRecord) -> CallRecord:
    """With the seconds of waiting and of conversation, of a record that was put together of two."""
    end = record.answered_at or record.finished_at
    wait_s = max((end - record.started_at).total_seconds(), 0.0) if end is not None else 0.0
    over = record.finished_at
    spans = [(_moment(talk["from"]), talk["until"]) for talk in record.talks] if over is not None else []
    talked = (((_moment(until) if until else over or since) - since).total_seconds() for since, until in spans)
    return record._replace(wait_s=wait_s, talk_s=max(sum(talked), 0.0))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _talks(call: CallSnapshot) -> tuple[CallTalk, ...]:
    """The conversations; of a call that only records tell of, the one that they know."""
    if call.talks or call.answered_at is None or not call.answered_by:
        return call.talks
    return (CallTalk(call.answered_by, call.answered_at, call.finished_at),)


def talk_told(desk: Desk, pbx: str, talk: CallTalk) -> dict[str, Any]:
    """A conversation as the record keeps it; `until` is None as long as it goes on."""
    return {
        "endpoint": talk.endpoint,
        "user": _login(desk, pbx, talk.endpoint),
        "from": talk.since.isoformat(),
        "until": talk.until.isoformat() if talk.until is not None else None,
        "how": talk.began.value,
    }


def rung_leg(desk: Desk, pbx: str, leg: CallLeg) -> dict[str, Any]:
    """A leg as the record keeps it; `ring_s` is None as long as it rings."""
    end = leg.answered_at or leg.ended_at
    return {
        "endpoint": leg.endpoint,
        "user": _login(desk, pbx, leg.endpoint),
        "rang_at": leg.rang_at.isoformat(),
        "ring_s": max((end - leg.rang_at).total_seconds(), 0.0) if end is not None else None,
        "answered": leg.answered_at is not None,
        "cause": leg.cause,
        "cause_text": leg_words(desk.office.language, leg),
    }


def _login(desk: Desk, pbx: str, endpoint: str | None) -> str | None:
    user = desk.office.user_of_endpoint(desk.work.staff, pbx, endpoint) if endpoint else None
    return user.login if user is not None else None
