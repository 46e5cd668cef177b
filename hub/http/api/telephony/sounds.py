"""The office's own sounds: greetings, menus, what robots say."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from crm_core.errors import NotFound
from crm_core.wording import Sentence
from hub.http.acting import json_response, to_json
from hub.http.operations import Call, Operation, own
from hub.http.problems import Problem, too_large
from hub.http.rights import Right
from hub.http.types import Given, NoBody, Query
from hub.telephony import sounds
from hub.telephony.sounds import MAX_SOUND

_TAG = "calls"


class Sound(Given):
    """A sound. `name` is what `sound`, `greeting`, `menu_sound` and `night_sound` of the configuration call it."""

    name: str
    duration_s: float
    size: int


class Sounds(Given):
    """All sounds of a PBX."""

    items: list[Sound]
    next: None = None


def _folder(call: Call[Query, NoBody]) -> Path:
    name = call.path["pbx"]
    pbx = next((each for each in call.hub.configured.settings.pbx if each.name == name), None)
    if pbx is None:
        raise NotFound("there is no PBX «{name}»", name=name)
    if pbx.sounds is None:
        detail = Sentence(
            "the hub can't reach the sounds of «{name}»: set sounds of this PBX to the folder custom", name=name
        )
        raise Problem(409, detail, kind="conflict")
    return pbx.sounds


def _sound(found: sounds.Sound) -> Sound:
    return Sound(name=found.name, duration_s=found.duration_s, size=found.size)


async def _listed(_request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    found = await asyncio.to_thread(sounds.listed, _folder(call))
    return json_response(to_json(Sounds(items=[_sound(each) for each in found])), 200)


async def _put(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    folder, name = _folder(call), call.path["name"]
    sounds.demand_name(name)
    content = bytearray()
    async for piece in request.content.iter_any():
        content += piece
        if len(content) > MAX_SOUND:
            raise too_large(MAX_SOUND)
    try:
        stored = await asyncio.to_thread(sounds.put, call.access, folder, name, bytes(content))
    except OSError as err:
        text = Sentence("the sound can't be written to {folder}: {why}", folder=str(folder), why=err.strerror)
        raise Problem(507, text, kind="storage") from err
    return json_response(to_json(_sound(stored)), 200)


async def _removed(_request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    await asyncio.to_thread(sounds.remove, call.access, _folder(call), call.path["name"])
    return json_response(b"", 204)


OPERATIONS: tuple[Operation, ...] = (
    own(
        "GET",
        "/pbxs/{pbx}/sounds",
        _listed,
        tag=_TAG,
        summary="The office's own sounds",
        right=Right.SEE_CALLS,
        response=Sounds,
    ),
    own(
        "PUT",
        "/pbxs/{pbx}/sounds/{name}",
        _put,
        tag=_TAG,
        summary="Upload a sound (WAV, one channel, 16 bits, 8 or 16 kHz), or replace it",
        right=Right.KEEP_SOUNDS,
        response=Sound,
        takes_media="audio/wav",
    ),
    own(
        "DELETE",
        "/pbxs/{pbx}/sounds/{name}",
        _removed,
        tag=_TAG,
        summary="Take a sound away",
        right=Right.KEEP_SOUNDS,
        status=204,
    ),
)
