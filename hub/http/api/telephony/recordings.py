"""Hearing calls: who may, from where the sound comes, and the log of who did."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from aiohttp import web

from crm_core.errors import NotFound
from crm_core.model.auditing import Act
from crm_core.model.recording import RecordingState
from crm_core.model.records import CallRecord, ContactRecord, RecordingRecord
from crm_core.services.auditing import note as note_act
from crm_core.services.calls.recordings import Why, demand_hearing, lost, say_why
from crm_core.services.desk import Desk
from crm_core.storage.queries import audit
from crm_core.storage.queries import calls as call_queries
from crm_core.storage.queries import contacts as contact_queries
from crm_core.storage.queries import recordings as queries
from crm_core.storage.queries.audit import AuditFilter
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.within import connection_of
from crm_core.wording import Sentence
from hub.access.remote import remote_of
from hub.http.operations import Call, Operation, own, read
from hub.http.problems import Problem
from hub.http.rights import Right
from hub.http.sending import attachment_headers
from hub.http.types import Given, NoBody, Paged, PageQuery, Query, QueryId, Short
from hub.log import get_logger
from hub.recordings.bucket import Bucket, NotInStorage, StorageTrouble
from hub.recordings.files import gone, inside, media_type

log = get_logger(__name__)

_TAG = "calls"
_ONE_HEARING = timedelta(hours=1)
_ABSENT = {
    RecordingState.EXPECTED: (404, Sentence("the recording is not found yet: try again in a moment")),
    RecordingState.EMPTY: (404, Sentence("nothing is to be heard: the recording was empty")),
    RecordingState.MISSING: (404, Sentence("the PBX recorded, but the file is missing")),
    RecordingState.EXPIRED: (410, Sentence("the recording was kept as long as it should be, and is deleted")),
}
_ELSEWHERE = Sentence("the file of the recording is not within reach of this node")


class AccessQuery(PageQuery):
    """Which entries: of an act such as `recording.played`, of a call (`subject_id`), a client, a person."""

    what: Short | None = None
    subject_id: QueryId | None = None
    contact_id: QueryId | None = None
    login: Short | None = None


class Access(Given):
    """Somebody heard a recording (`subject_id` is the call's id) or took records away (`export.…`: how many they were,
    `detail` what was wanted). `remote` is the address they asked from."""

    id: int
    at: datetime
    login: str
    what: str
    subject_id: int
    contact_id: int | None
    remote: str
    detail: str


class AccessLog(Paged[Access]):
    """A page of the access log, the newest first."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A recording as asked for: the bytes from `start` to before `end`; `whole` where no part was asked for."""

    start: int
    end: int
    whole: bool


async def _played(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    """The sound. Who hears it is noted before its first byte goes out; without a note nothing is played."""
    record, recording = await call.hub.store.read(lambda conn: _of_call(conn, call))
    if recording is None:
        raise NotFound("there is no recording of call {record}", record=record.id)
    if recording.state is RecordingState.REMOTE and recording.place is not None:
        return await _from_storage(request, call, record, recording, recording.place)
    if recording.state is RecordingState.STORED:
        return await _from_disk(request, call, record, recording)
    status, detail = _ABSENT[recording.state]
    later = {"Retry-After": "5"} if recording.state is RecordingState.EXPECTED else {}
    raise Problem(status, recording.error or detail, kind=f"recording-{recording.state.value}", headers=later)


def _of_call(conn: Reading, call: Call[Query, NoBody]) -> tuple[CallRecord, RecordingRecord | None]:
    record = call_queries.one_call(conn, call.access, call.number())
    contact: ContactRecord | None = None
    if record.contact_id is not None:
        contact = contact_queries.current(conn, call.access, record.contact_id)
    demand_hearing(call.access, record, contact.manager if contact is not None else None)
    return record, queries.recording_of(conn, call.access, record.id)


async def _from_disk(
    request: web.Request, call: Call[Query, NoBody], record: CallRecord, recording: RecordingRecord
) -> web.StreamResponse:
    path = await asyncio.to_thread(inside, call.hub.recordings.folder(recording.pbx), recording.name)
    if path is None and await asyncio.to_thread(gone, call.hub.recordings.folder(recording.pbx), recording.name):
        log.warning("a recording is gone from the disk", call=record.id, pbx=recording.pbx, file=recording.name)
        await call.hub.store.run(lambda desk: lost(desk, recording, say_why(desk, Why.NOT_FOUND)))
        raise Problem(*_ABSENT[RecordingState.MISSING], kind="recording-missing")
    if path is None:
        raise Problem(404, _ELSEWHERE, kind="recording-elsewhere")
    size = (await asyncio.to_thread(path.stat)).st_size
    await _note(request, call, record, _wanted(request, size))
    return web.FileResponse(path, headers=_headers(record, recording))


async def _from_storage(
    request: web.Request, call: Call[Query, NoBody], record: CallRecord, recording: RecordingRecord, place: str
) -> web.StreamResponse:
    bucket = call.hub.recordings.bucket
    if bucket is None:
        raise Problem(503, Sentence("the storage of recordings is not configured"), kind="unavailable")
    try:
        size = recording.size if recording.size is not None else await bucket.size(place)
        tag = f'"{recording.call_id:x}-{size:x}"'
        wanted = _wanted(request, size, tag)
        headers = {**_headers(record, recording), "Accept-Ranges": "bytes", "ETag": tag}
        response = web.StreamResponse(status=200 if wanted.whole else 206, headers=headers)
        response.content_length = wanted.end - wanted.start
        if not wanted.whole:
            response.headers["Content-Range"] = f"bytes {wanted.start}-{wanted.end - 1}/{size}"
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        await _note(request, call, record, wanted)
        return await _stream(request, response, bucket, place, wanted)
    except NotInStorage as err:
        raise Problem(404, Sentence("the recording is not in the storage any more"), kind="recording-missing") from err
    except StorageTrouble as err:
        log.warning("a recording can't be played from the storage", call=record.id, error=str(err))
        detail = Sentence("the storage of recordings does not answer: try again in a moment")
        raise Problem(503, detail, kind="unavailable", headers={"Retry-After": "5"}) from err


async def _stream(
    request: web.Request, response: web.StreamResponse, bucket: Bucket, place: str, wanted: _Wanted
) -> web.StreamResponse:
    """Pass the bytes on. What goes wrong after the first of them can only break the connection."""
    if wanted.start == wanted.end:
        await response.prepare(request)
        return response
    pieces = bucket.read(place, wanted.start, wanted.end)
    try:
        first = await anext(pieces)
        await response.prepare(request)
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
    except (StorageTrouble, NotInStorage) as err:
        if not response.prepared:
            raise
        log.warning("the storage broke off a recording", place=place, error=str(err))
        raise ConnectionResetError("the storage broke off") from err
    except StopAsyncIteration as err:
        raise StorageTrouble("the storage gave nothing") from err
    finally:
        await pieces.aclose()
    await response.write_eof()
    return response


def _wanted(request: web.Request, size: int, tag: str | None = None) -> _Wanted:
    """What part is asked for; a Problem 416 for one that is not there."""
    unchanged = request.headers.get("If-Range", tag) == tag
    try:
        part = request.http_range if unchanged or tag is None else slice(None)
    except ValueError as err:
        raise _unsatisfiable(size) from err
    start: int | None = part.start
    if start is None:
        return _Wanted(0, size, whole=True)
    if start < 0:
        start = max(size + start, 0)
    end = min(part.stop, size) if part.stop is not None else size
    if start >= size or start >= end:
        raise _unsatisfiable(size)
    return _Wanted(start, end, whole=False)


def _unsatisfiable(size: int) -> Problem:
    text = Sentence("the recording has {size} bytes", size=size)
    return Problem(416, text, kind="range", headers={"Content-Range": f"bytes */{size}"})


def _headers(record: CallRecord, recording: RecordingRecord) -> dict[str, str]:
    """Nothing is kept by the browser, so that hearing it once more is noted once more."""
    media = media_type(recording.name)
    name = f"{record.id}{PurePosixPath(recording.name).suffix}"
    headers = attachment_headers(name, media, inline=media.startswith("audio/"))
    return {**headers, "Cache-Control": "private, no-store"}


async def _note(request: web.Request, call: Call[Query, NoBody], record: CallRecord, wanted: _Wanted) -> None:
    """Note who hears it: from its beginning always, from further on where it is not part of a hearing already noted."""
    if request.method == "HEAD":
        return
    login, remote = call.user.login, remote_of(request)

    def note(desk: Desk) -> None:
        if wanted.start > 0:
            conn = connection_of(desk)
            if queries.heard_since(conn, Act.RECORDING_PLAYED, record.id, login, desk.now - _ONE_HEARING):
                return
        note_act(desk, Act.RECORDING_PLAYED, record.id, contact_id=record.contact_id, login=login, remote=remote)

    await call.hub.store.run(note)


def _listed(conn: Reading, call: Call[AccessQuery, NoBody]) -> AccessLog:
    query = call.query
    wanted = AuditFilter(query.what, query.login, query.subject_id, query.contact_id)
    page = audit.list_audit(conn, call.access, wanted, query.where)
    entries = [Access(**{name: getattr(each, name) for name in Access.model_fields}) for each in page.items]
    return AccessLog(items=entries, next=page.next)


OPERATIONS: tuple[Operation, ...] = (
    own(
        "GET",
        "/calls/{id}/recording",
        _played,
        tag=_TAG,
        summary="The recording of a call, also in parts (Range)",
        right=Right.HEAR_CALLS,
        media="audio/*",
    ),
    read(
        "/access-log",
        _listed,
        tag=_TAG,
        summary="Who heard recordings, the newest first: as /audit, which has more to filter by",
        right=Right.SEE_ACCESS,
        query=AccessQuery,
        response=AccessLog,
    ),
)
