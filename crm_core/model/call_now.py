"""A call that goes on, read from its record: whom it rings now, who talks, who passes it on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from crm_core.model.call import CallState
from crm_core.model.records import CallRecord

HERALDED: Final = -1
"""How far a call is of which the hub knows only whom it rings: whatever else is told of it is more."""
LONGEST_RINGING: Final = timedelta(minutes=10)
"""Nothing rings for hours: where a telephone system left it unsaid how that ended, it rings no more."""
LONGEST: Final = timedelta(hours=12)
"""What has not ended after half a day is only forgotten."""


def heralded(call: CallRecord) -> bool:
    """Whether of a call nothing is known but whom it rings."""
    return call.progress == HERALDED and call.state is CallState.RINGING


def goes_on(call: CallRecord, now: datetime) -> bool:
    """Whether a call goes on, as far as is known: one that is only heralded as long as a telephone rings."""
    if call.finished_at is not None or call.started_at < now - LONGEST:
        return False
    return not heralded(call) or bool(rings_now(call, now))


def rings_now(call: CallRecord, now: datetime) -> list[dict[str, Any]]:
    """The legs that ring, without those that nobody told the end of."""
    return [leg for leg in ringing_legs(call) if now - datetime.fromisoformat(leg["rang_at"]) < LONGEST_RINGING]


def ringing_legs(call: CallRecord) -> list[dict[str, Any]]:
    """The legs that ring now. Once somebody has picked up, those alone that began since: the call is passed on to them;
    whoever rang before was not quicker."""
    if call.finished_at is not None:
        return []
    legs = [leg for leg in call.rung if leg["ring_s"] is None]
    if call.state is not CallState.ANSWERED or call.answered_at is None:
        return legs
    return [leg for leg in legs if datetime.fromisoformat(leg["rang_at"]) > call.answered_at]


def talk_now(call: CallRecord) -> dict[str, Any] | None:
    """The conversation that goes on; None where there is none just now."""
    if call.finished_at is not None or not call.talks or call.talks[-1]["until"] is not None:
        return None
    found: dict[str, Any] = call.talks[-1]
    return found


def passed_on_by(call: CallRecord) -> str | None:
    """Who passes an answered call on: the login, or the endpoint, of whoever talks or talked last; None where nobody
    has picked up yet."""
    if call.state is not CallState.ANSWERED:
        return None
    last = call.talks[-1] if call.talks else {"user": call.answered_by, "endpoint": call.endpoint}
    by: str | None = last["user"] or last["endpoint"]
    return by
