"""Telephone calls, how they were given out, and their recordings."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import Field

from crm_core.errors import NotFound
from crm_core.model.call import CallState, Direction
from crm_core.model.records import CallRecord
from crm_core.storage.queries import calls as queries
from crm_core.storage.queries.calls import CallFilter, GivenOut
from crm_core.storage.queries.pages import Reading
from hub.http.operations import Call, Operation, own, read
from hub.http.rights import Right
from hub.http.sending import attachment_headers
from hub.http.types import Given, Moment, NoBody, Paged, PageQuery, Query, QueryId

_TAG = "calls"
_AUDIO = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".m4a": "audio/mp4"}


class CallQuery(PageQuery):
    """`since` bounds the start of the calls."""

    state: CallState | None = None
    since: Moment | None = None
    direction: Direction | None = None
    contact_id: QueryId | None = None


class Leg(Given):
    """A telephone that was rung; `ring_s` seconds, `cause` the Q.850 hangup cause (0 unknown)."""

    endpoint: str
    user: str | None
    rang_at: datetime
    ring_s: float | None
    answered: bool
    cause: int


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
    """A call; `wait_s` and `talk_s` seconds. `line` is the office's number, `number` the client's."""

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
    answered_by: str | None
    rung: list[Leg]
    hung_up_by: str
    cause: int
    recording_url: str | None
    list_name: str | None = Field(serialization_alias="list")


class CallWithDecisions(TelephoneCall):
    """A call and the decisions on it."""

    decisions: list[Decision]


class Calls(Paged[TelephoneCall]):
    """A page of calls."""


def legs_json(record: CallRecord) -> list[Leg]:
    """The telephones that were rung for a call, on the wire."""
    return [Leg(**each) for each in record.rung]


def recording_url(record: CallRecord) -> str | None:
    """Where a call is to be heard."""
    return f"/api/v1/calls/{record.id}/recording" if record.recording else None


def call_json(record: CallRecord) -> TelephoneCall:
    """A call on the wire."""
    return TelephoneCall(**_columns(record))


def _columns(record: CallRecord) -> dict[str, Any]:
    same = set(TelephoneCall.model_fields) - {"rung", "recording_url"}
    return {
        **{name: getattr(record, name) for name in same},
        "rung": legs_json(record),
        "recording_url": recording_url(record),
    }


def _listed(conn: Reading, call: Call[CallQuery, NoBody]) -> Calls:
    query = call.query
    wanted = CallFilter(query.state, query.direction, query.since, query.contact_id)
    page = queries.list_calls(conn, wanted, query.where)
    return Calls(items=[call_json(record) for record in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> CallWithDecisions:
    record = queries.one_call(conn, call.number())
    decisions = [_decision(each) for each in queries.given_out(conn, record)]
    return CallWithDecisions(**_columns(record), decisions=decisions)


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


async def _recording(_request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    record = await call.hub.store.read(lambda conn: queries.one_call(conn, call.number()))
    folder = next((pbx.recordings for pbx in call.hub.settings.pbx if pbx.name == record.pbx), None)
    path = await asyncio.to_thread(inside, folder, record.recording)
    if path is None:
        raise NotFound(f"there is no recording of call {record.id}")
    media = _AUDIO.get(path.suffix.lower(), "application/octet-stream")
    headers = attachment_headers(f"{record.id}{path.suffix}", media, inline=media.startswith("audio/"))
    return web.FileResponse(path, headers=headers)


def inside(folder: Path | None, name: str | None) -> Path | None:
    """The file of that name within a folder, symbolic links followed; None where it lies elsewhere or nowhere."""
    if folder is None or not name or "\x00" in name:
        return None
    try:
        home = folder.resolve(strict=True)
        path = (home / name).resolve(strict=True)
    except (OSError, RuntimeError):  # not there, or links in a circle
        return None
    return path if path.is_relative_to(home) and path.is_file() else None


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
    own(
        "GET",
        "/calls/{id}/recording",
        _recording,
        tag=_TAG,
        summary="The recording of a call, also in parts (Range)",
        right=Right.SEE_CALLS,
        media="audio/*",
    ),
)
