"""Files that people bring with what they do: sent ahead one by one by a script, or with the form itself without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import IO, Final
from urllib.parse import unquote

from aiohttp import web

from crm_core.errors import InvalidInput
from crm_core.services.desk import Desk
from crm_core.services.recognising.cleaning import clean_file_name
from crm_core.services.tasking.task_files import TaskFile
from crm_core.storage.queries import files as file_queries
from hub.bootstrap import Hub
from hub.inspection import FileInspector
from hub.web.pages import user_here
from hub.web.tongues import _

LARGEST_FILE: Final = 50 * 1024 * 1024
FORM_WITH_FILES: Final = 64 * 1024 * 1024
"""Bytes of a form that brings files without a script."""

MOST_FILES: Final = 20
_PIECE = 256 * 1024
_LONGEST_NUMBER = 18


async def received(request: web.Request, hub: Hub) -> web.Response:
    """Keep a file for what is yet to be sent or closed: the body is the file, `?name=` what it is called. What the page
    shows of it, or what went wrong in words, as JSON."""
    login, name = user_here(request).login, _name(request.query.get("name", "")[:300])
    declared = request.content_type if request.content_type != "multipart/form-data" else ""
    if (request.content_length or 0) > LARGEST_FILE:
        return web.json_response({"problem": _too_large()}, status=413)
    try:
        stored = await hub.files.put(request.content.iter_chunked(_PIECE), LARGEST_FILE)
    except InvalidInput:
        return web.json_response({"problem": _too_large()}, status=413)
    judged = await FileInspector(hub.files).look(stored.sha256, name, declared[:100])
    added = await hub.store.run(lambda desk: file_queries.add_upload(desk, login, name, judged.content_type, stored))
    return web.json_response({"id": added.id, "name": added.name, "size": added.size}, status=201)


async def posted(request: web.Request, hub: Hub) -> tuple[TaskFile, ...]:
    """Files that came with the form itself, as `upload`, now in the store; raises InvalidInput for too many or one that
    is too large."""
    given = [
        each
        for each in (await request.post()).getall("upload", [])
        if isinstance(each, web.FileField) and each.filename
    ]
    if len(given) > MOST_FILES:
        raise InvalidInput(_too_many())
    found: list[TaskFile] = []
    for field in given:
        name = _name(field.filename)
        try:
            stored = await hub.files.put(_pieces(field.file), LARGEST_FILE)
        except InvalidInput as err:
            raise InvalidInput(_too_large()) from err
        judged = await FileInspector(hub.files).look(stored.sha256, name, field.content_type[:100])
        found.append(TaskFile(name, judged.content_type, stored.size, stored.sha256))
    return tuple(found)


async def sent_ahead(request: web.Request, field: str = "files") -> tuple[int, ...]:
    """The numbers of files that were sent before their form; raises InvalidInput for what no form of ours sends."""
    given = [each for each in (await request.post()).getall(field, []) if isinstance(each, str)]
    if len(given) > MOST_FILES or not all(
        each.isascii() and each.isdigit() and len(each) <= _LONGEST_NUMBER for each in given
    ):
        raise InvalidInput(_too_many())
    return tuple(dict.fromkeys(int(each) for each in given))


def kept_ahead(desk: Desk, ids: tuple[int, ...]) -> tuple[TaskFile, ...]:
    """The files of these numbers, which whoever acts brought; raises InvalidInput where one is unknown."""
    found = file_queries.uploads(desk, ids, by=desk.work.author)
    return tuple(TaskFile(each.name, each.content_type, each.size, each.sha256) for each in found)


def _name(given: str) -> str:
    # Browsers write quotes in a name percent-encoded, other clients all of it.
    return clean_file_name(unquote(given, errors="replace")) or "file"


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, _PIECE):
        yield piece


def _too_large() -> str:
    return _("The file is larger than {count} MB.").format(count=LARGEST_FILE // 1024 // 1024)


def _too_many() -> str:
    return _("At most {count} files go at once.").format(count=MOST_FILES)
