"""Calls whose end nobody tells: a telephone system that pushes its events may stop doing so, or never get through.

Somebody who rang and of whom nothing more is heard may be waiting still, so that the call counts as missed after a
while. What is told of it later all the same corrects that.
"""

from __future__ import annotations

from datetime import timedelta

from crm_core.messages import CallChanged, InboundEvent, Sender
from crm_core.model.call import CallSnapshot, CallState, Direction
from crm_core.model.channel import ChannelKey
from crm_core.model.records import CallRecord, DeadlineKind, DeadlineRecord
from crm_core.services.desk import Desk
from crm_core.services.watching.ladders import key

UNHEARD = "unheard"
_RINGS = timedelta(hours=1)
_TALKS = timedelta(hours=6)


def watch(desk: Desk, call: CallRecord) -> None:
    """Look after a call as long as it goes on."""
    place = key(DeadlineKind.CALL, call.id)
    if call.finished_at is not None:
        desk.work.remove(DeadlineRecord, place)
        return
    due_at = desk.now + (_RINGS if call.answered_at is None else _TALKS)
    desk.work.put(DeadlineRecord(place, DeadlineKind.CALL, call.id, due_at))


def unheard(desk: Desk, deadline: DeadlineRecord, channel: str) -> InboundEvent | None:
    """The fact that nothing more was heard of a call; None where it is over, or was heard of meanwhile."""
    call, _ = desk.work.owned(CallRecord, deadline.subject_id)
    found = desk.work.related(DeadlineRecord, "key", [deadline.key])
    if not found or found[0].due_at > desk.now:
        return None
    desk.work.remove(DeadlineRecord, deadline.key)
    if call.finished_at is not None:
        return None
    unanswered = CallState.MISSED if call.direction is Direction.IN else CallState.NO_ANSWER
    last = call.answered_at or call.started_at
    snapshot = CallSnapshot(
        linkedid=call.linkedid,
        direction=call.direction,
        number=call.number,
        line=call.line,
        state=unanswered if call.answered_at is None else CallState.ANSWERED,
        started_at=call.started_at,
        finished_at=last,  # the last that is known: a guess would count as waiting, or as talking
        cause_text=UNHEARD,
        partial=True,
    )
    return InboundEvent(
        key=ChannelKey(channel, call.pbx),
        external_id=f"{call.linkedid}:{UNHEARD}",
        conversation=call.number,
        occurred_at=last,
        sender=Sender(),
        payload=CallChanged(snapshot),
        raw=b"the hub heard nothing of the end of this call",
        raw_type="text/plain",
        correlation_id=call.linkedid,
    )
