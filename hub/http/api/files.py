"""Files: uploaded for messages to be written, and those of entries handed out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import unquote

from aiohttp import BodyPartReader, web
from pydantic import Field

from crm_core.errors import NotFound
from crm_core.model.records import FileState
from crm_core.services.desk import Desk
from crm_core.services.recognising.cleaning import clean_file_name
from crm_core.storage.queries import files as queries
from crm_core.wording import Sentence
from hub.http.acting import run_act
from hub.http.operations import Call, Operation, own
from hub.http.problems import Problem, too_large
from hub.http.rights import Right
from hub.http.sending import attachment_headers, may_be_previewed, may_be_shown
from hub.http.types import Given, NoBody, Query
from hub.inspection import FileInspector
from hub.previews.making import CONTENT_TYPE

_TAG = "files"
MAX_FILE = 50 * 1024 * 1024
_PIECE = 256 * 1024


class FileQuery(Query):
    """`download` has the browser save also what it could show; `preview` asks of a picture for a small one (WebP),
    where one can be made."""

    download: Annotated[bool, Field()] = False
    preview: Annotated[bool, Field()] = False


class UploadedFile(Given):
    """A file that waits for its message; `id` goes into a message's `attachments`, `sha256` into a template's."""

    id: int
    name: str
    content_type: str
    size: int
    sha256: str


async def _uploaded(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    part = await _file_part(request)
    name = _safe_name(part.filename or "file")
    content_type = part.headers.get("Content-Type", "application/octet-stream").partition(";")[0].strip().lower()[:100]
    stored = await call.hub.files.put(_pieces(part), MAX_FILE)
    content_type = (await FileInspector(call.hub.files).look(stored.sha256, name, content_type)).content_type

    def note(desk: Desk) -> UploadedFile:
        added = queries.add_upload(desk, call.user.login, name, content_type, stored)
        return UploadedFile(
            id=added.id, name=added.name, content_type=added.content_type, size=added.size, sha256=added.sha256
        )

    content = f"{name}\n{content_type}\n{stored.sha256}".encode()
    return await run_act(call.hub, request, call.user, content, note, status=201)


async def _file_part(request: web.Request) -> BodyPartReader:
    if request.content_type != "multipart/form-data":
        raise Problem(415, Sentence("a file is sent as multipart/form-data"), kind="media-type")
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader) and part.filename is not None:
                return part
    except (ValueError, AssertionError) as err:
        raise Problem(400, Sentence("the body is no multipart/form-data: {why}", why=err), kind="bad-request") from err
    raise Problem(422, Sentence("no part of the body is a file (a part with a filename)"), kind="invalid-input")


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    size = 0
    while piece := await part.read_chunk(_PIECE):
        size += len(piece)
        if size > MAX_FILE:
            raise too_large(MAX_FILE)
        yield piece


def _safe_name(name: str) -> str:
    """The last part of the name, without what misleads."""
    # Clients write the name percent-encoded, as forms have it for quotes and line breaks.
    return clean_file_name(unquote(name, errors="replace")) or "file"


async def _attachment(_request: web.Request, call: Call[FileQuery, NoBody]) -> web.StreamResponse:
    record = await call.hub.store.read(lambda conn: queries.one_attachment(conn, call.access, call.number()))
    if record.state is FileState.PENDING:
        raise Problem(
            503,
            Sentence("the file is still with its provider: try again soon"),
            kind="pending",
            headers={"Retry-After": "5"},
        )
    if record.sha256 is None:
        raise NotFound(
            "attachment {record} could not be fetched from its provider: {why}",
            record=record.id,
            why=record.error or "unknown",
        )
    path = call.hub.files.path(record.sha256)
    if not path.is_file():
        raise NotFound("the content of attachment {record} is not in the file store", record=record.id)
    if call.query.preview and may_be_previewed(record.content_type, record.size, record.warning):
        small = await call.hub.previews.of(record.sha256, record.size or 0)
        if small is not None:
            return web.FileResponse(small, headers=attachment_headers(f"{record.name}.webp", CONTENT_TYPE))
    shown = not call.query.download and may_be_shown(record.content_type, record.size, record.warning)
    return web.FileResponse(path, headers=attachment_headers(record.name, record.content_type, inline=shown))


OPERATIONS: tuple[Operation, ...] = (
    own(
        "POST",
        "/files",
        _uploaded,
        tag=_TAG,
        summary="Upload a file for a message to be written (multipart, the first part with a file name)",
        right=Right.KEEP_CLIENTS,
        response=UploadedFile,
        status=201,
        takes_media="multipart/form-data",
    ),
    own(
        "GET",
        "/attachments/{id}",
        _attachment,
        tag=_TAG,
        summary="A file of an entry, also in parts (Range)",
        right=Right.SEE_CLIENTS,
        query=FileQuery,
        media="application/octet-stream",
    ),
)
