"""A person's right to what is known of them: everything given to them, everything erased."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from aiohttp import web
from pydantic import ValidationError

from crm_core.errors import NeedsConfirmation
from hub.access.remote import remote_of
from hub.exchange import erasing
from hub.http.acting import json_response, to_json
from hub.http.bodies import MAX_JSON, parse_json, read_body
from hub.http.operations import Call, Operation, own
from hub.http.problems import of_validation
from hub.http.rights import Right
from hub.http.types import Given, NoBody, Query, Taken

_TAG = "contacts"
_PIECE = 256 * 1024


class EraseBody(Taken):
    """`dry_run` only counts; without it `confirm` says that it is really meant: nothing brings it back."""

    dry_run: bool = False
    confirm: bool = False


class ErasedPerson(Given):
    """How much of a person was taken out (or is there): rows by table, files, recordings; `left` are recordings that
    another node deletes."""

    contact_id: int
    dry_run: bool
    rows: dict[str, int]
    files: int
    recordings: int
    left: int


async def _erased(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    content = await read_body(request, MAX_JSON)
    try:
        body = EraseBody.model_validate(parse_json(content) if content.strip() else {})
    except ValidationError as err:
        raise of_validation(err) from err
    if not body.dry_run and not body.confirm:
        raise NeedsConfirmation("a person is erased for good")
    hub = call.hub
    done = await erasing.erase(
        hub.store,
        hub.files,
        hub.recordings,
        call.number(),
        login=call.user.login,
        remote=remote_of(request),
        dry_run=body.dry_run,
        access=call.access,
    )
    answer = ErasedPerson(**{name: getattr(done, name) for name in ErasedPerson.model_fields})
    return json_response(to_json(answer), 200)


async def _given(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    hub, contact_id = call.hub, call.number()
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="contact-{contact_id}.zip"',
        "Cache-Control": "no-store",
    }
    if request.method == "HEAD":
        return web.Response(headers=headers)
    with tempfile.TemporaryDirectory(prefix="hub-personal-") as folder:
        path = Path(folder) / "personal.zip"
        remote = remote_of(request)
        await erasing.give(
            hub.store,
            hub.files,
            hub.recordings,
            contact_id,
            path,
            login=call.user.login,
            remote=remote,
            access=call.access,
        )
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                await response.write(piece)
        await response.write_eof()
    return response


OPERATIONS: tuple[Operation, ...] = (
    own(
        "POST",
        "/contacts/{id}/erase",
        _erased,
        tag=_TAG,
        summary="Erase what is known of a person, everywhere; figures stay",
        right=Right.ERASE,
        response=ErasedPerson,
    ),
    own(
        "GET",
        "/contacts/{id}/personal-data",
        _given,
        tag=_TAG,
        summary="Everything that is known of a person, as a zip",
        right=Right.ERASE,
        media="application/zip",
    ),
)
