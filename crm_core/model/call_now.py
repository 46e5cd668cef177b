"""A call that goes on, read from its record: whom it rings now, who talks, who passes it on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_core.model.call import CallState
from crm_core.model.records import CallRecord


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
