"""Reading what is posted: bounded in size and time, parsed at the edge."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from aiohttp import web

from crm_core.wording import Sentence
from hub.http.problems import Problem, too_large

MAX_JSON = 1024 * 1024
_READ_S = 30.0
_DEEPEST = 64
_LATE = Sentence("the body did not arrive within {seconds} s", seconds=int(_READ_S))
_CUT_OFF = Sentence("the body can't be read: it is cut off or wrongly encoded")


async def read_body(request: web.Request, max_size: int) -> bytes:
    """The whole body; a Problem 413 where it is longer than `max_size` bytes, 408 where it does not come to an end."""
    if (request.content_length or 0) > max_size:
        raise too_large(max_size)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_READ_S):
            async for piece in request.content.iter_chunked(65536):
                size += len(piece)
                if size > max_size:
                    raise too_large(max_size)
                pieces.append(piece)
    except TimeoutError as err:
        raise Problem(408, _LATE, kind="timeout") from err
    except web.RequestPayloadError as err:
        raise Problem(400, _CUT_OFF, kind="bad-request") from err
    return b"".join(pieces)


def parse_json(body: bytes) -> Any:
    """The value of a JSON body; a Problem 400 for what is none (also for invalid UTF-8)."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise Problem(400, Sentence("the body is not JSON: {why}", why=err), kind="bad-request") from err
    if _deep(value, 0):
        raise Problem(400, Sentence("the body is nested deeper than {most} levels", most=_DEEPEST), kind="bad-request")
    return value


def _deep(value: object, depth: int) -> bool:
    if depth > _DEEPEST:
        return True
    match value:
        case dict():
            return any(_deep(each, depth + 1) for each in value.values())
        case list():
            return any(_deep(each, depth + 1) for each in value)
        case _:
            return False
