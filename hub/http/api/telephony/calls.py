"""Telephone calls, and how they were given out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from crm_core.model.call import CallState, Direction, TalkBegan
from crm_core.model.recording import RecordingState
from crm_core.model.records import CallRecord, RecordingRecord
from crm_core.storage.queries import calls as queries
from crm_core.storage.queries.calls import CallFilter, GivenOut
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.recordings import recordings_of
from hub.http.operations import Call, Operation, read
from hub.http.rights import Right
from hub.http.types import Given, Moment, NoBody, Paged, PageQuery, Query, QueryId
from hub.tongues import aloud

_TAG = "calls"


class CallQuery(PageQuery):
    """`since` bounds the start of the calls."""

    state: CallState | None = None
    since: Moment | None = None
    direction: Direction | None = None
    contact_id: QueryId | None = None


class Leg(Given):
    """A telephone that was rung; `ring_s` seconds, `cause` the Q.850 hangup cause (0 unknown), `cause_text` why it was
    not picked up, in a few words.
    """

    endpoint: str
    user: str | None
    rang_at: datetime
    ring_s: float | None
    answered: bool
    cause: int
    cause_text: str = ""


class Talk(Given):
    """A conversation of the client with one telephone; `how` it came about: answered, picked_up, blind_transfer,
    attended_transfer or unparked. `until` is null while it goes on, as far as known.
    """

    endpoint: str
    user: str | None
    since: datetime = Field(serialization_alias="from")
    until: datetime | None
    how: TalkBegan


class Decision(Given):
    """How the call was given out, and why."""

    attempt: int
    action: str
    endpoints: list[str]
    reason: str
    trace: list[dict[str, Any]]
    decided_at: datetime
    took_ms: float


class TelephoneCall(Given):
    """A call; `wait_s`, `talk_s` and `hold_s` seconds. `line` is the office's number, `number` the client's.

    `answered_by` talked with the client first, `talks` are all who did. `cause_text` says in words how the call ended.
    `recording_url` is there when it can be played; `recording_detail` says why it can't, or what is wrong with it.
    """

    id: int
    contact_id: int | None
    entry_id: int | None
    pbx: str
    direction: Direction
    number: str
    line: str
    state: CallState
    started_at: datetime
    answered_at: datetime | None
    finished_at: datetime | None
    wait_s: float
    talk_s: float
    hold_s: float
    answered_by: str | None
    rung: list[Leg]
    talks: list[Talk]
    hung_up_by: str
    cause: int
    cause_text: str
    recording_url: str | None
    recording_state: RecordingState | None
    recording_detail: str | None
    list_name: str | None = Field(serialization_alias="list")


class CallWithDecisions(TelephoneCall):
    """A call and the decisions on it."""

    decisions: list[Decision]


class Calls(Paged[TelephoneCall]):
    """A page of calls."""


def legs_json(record: CallRecord) -> list[Leg]:
    """The telephones that were rung for a call, on the wire."""
    return [Leg(**each) for each in record.rung]


def talks_json(record: CallRecord) -> list[Talk]:
    """Who talked with the client, on the wire."""
    return [
        Talk(endpoint=each["endpoint"], user=each["user"], since=each["from"], until=each["until"], how=each["how"])
        for each in record.talks
    ]


def recording_url(recording: RecordingRecord | None) -> str | None:
    """Where a call is to be heard; None where it can't be."""
    if recording is None or recording.state not in {RecordingState.STORED, RecordingState.REMOTE}:
        return None
    return f"/api/v1/calls/{recording.call_id}/recording"


def call_json(record: CallRecord, recording: RecordingRecord | None) -> TelephoneCall:
    """A call on the wire."""
    return TelephoneCall(**_columns(record, recording))


def _columns(record: CallRecord, recording: RecordingRecord | None) -> dict[str, Any]:
    same = set(TelephoneCall.model_fields) - {"rung", "talks", "recording_url", "recording_state", "recording_detail"}
    return {
        **{name: getattr(record, name) for name in same},
        "rung": legs_json(record),
        "talks": talks_json(record),
        "recording_url": recording_url(recording),
        "recording_state": recording.state if recording is not None else None,
        "recording_detail": aloud(recording.error) if recording is not None else None,
    }


def _listed(conn: Reading, call: Call[CallQuery, NoBody]) -> Calls:
    query = call.query
    wanted = CallFilter(query.state, query.direction, query.since, query.contact_id)
    page = queries.list_calls(conn, call.access, wanted, query.where)
    recordings = recordings_of(conn, page.items)
    return Calls(items=[call_json(each, recordings.get(each.id)) for each in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> CallWithDecisions:
    record = queries.one_call(conn, call.access, call.number())
    decisions = [_decision(each) for each in queries.given_out(conn, record)]
    return CallWithDecisions(**_columns(record, recordings_of(conn, [record]).get(record.id)), decisions=decisions)


def _decision(given: GivenOut) -> Decision:
    return Decision(
        attempt=given.attempt,
        action=given.action,
        endpoints=list(given.endpoints),
        reason=given.reason,
        trace=list(given.trace),
        decided_at=given.decided_at,
        took_ms=given.took_ms,
    )


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/calls",
        _listed,
        tag=_TAG,
        summary="Calls, the newest first",
        right=Right.SEE_CALLS,
        query=CallQuery,
        response=Calls,
    ),
    read(
        "/calls/{id}",
        _one,
        tag=_TAG,
        summary="One call, and how it was given out",
        right=Right.SEE_CALLS,
        response=CallWithDecisions,
    ),
)
