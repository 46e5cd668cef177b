"""The change feed as server-sent events: what changed, as it is committed; a reader that comes back misses nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

import orjson
from aiohttp import web
from pydantic import Field

from crm_core.errors import InvalidInput
from crm_core.storage.feed import HINTS, FeedRow
from crm_core.storage.queries.pages import LARGEST_ID
from crm_core.wording import Sentence
from hub.http.keys import CLOSING, SSE_LIMITS
from hub.http.operations import Call, Operation, own
from hub.http.problems import Problem
from hub.http.rights import Right
from hub.http.types import NoBody, Query
from hub.log import get_logger

log = get_logger(__name__)


class EventQuery(Query):
    """`after`: the id of the last event seen, where a `Last-Event-ID` header can't be sent."""

    after: Annotated[int | None, Field(ge=0, le=LARGEST_ID)] = None


async def _events(request: web.Request, call: Call[EventQuery, NoBody]) -> web.StreamResponse:
    limits = request.app[SSE_LIMITS]
    after = _place(request, call)
    if limits.readers >= limits.most_readers:
        full = Sentence("too many follow the events already")
        raise Problem(503, full, kind="unavailable", headers={"Retry-After": "30"})
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    limits.readers += 1
    try:
        await response.prepare(request)
        rows = call.hub.live.follow(after)
        async with contextlib.aclosing(_texts(rows, limits.heartbeat_s, request.app[CLOSING])) as texts:
            async for text in texts:
                # A reader that does not read is dropped; it comes back and says where it was.
                async with asyncio.timeout(limits.patience_s):
                    await response.write(text)
    except TimeoutError:
        log.info("a slow reader of events was dropped", login=call.user.login)
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # gone, as readers do
    finally:
        limits.readers -= 1
    return response


async def _texts(
    rows: AsyncIterator[FeedRow], heartbeat_s: float, closing: asyncio.Event
) -> AsyncGenerator[bytes, None]:
    """Events as text, and a comment where nothing happens for a while, until the server ends."""
    yield b": hello\nretry: 2000\n\n"
    ended = asyncio.create_task(closing.wait(), name="events-end")
    upcoming: asyncio.Task[FeedRow | None] = asyncio.create_task(_next(rows), name="events-next")
    try:
        while True:
            done, _ = await asyncio.wait({upcoming, ended}, timeout=heartbeat_s, return_when=asyncio.FIRST_COMPLETED)
            if ended in done:
                return
            if upcoming not in done:
                yield b": still here\n\n"
                continue
            row = upcoming.result()
            if row is None:
                return
            yield event_text(row)
            upcoming = asyncio.create_task(_next(rows), name="events-next")
    finally:
        for task in (ended, upcoming):
            task.cancel()
        await asyncio.gather(ended, upcoming, return_exceptions=True)


async def _next(rows: AsyncIterator[FeedRow]) -> FeedRow | None:
    return await anext(rows, None)


def event_text(row: FeedRow) -> bytes:
    """One transaction's changes, an event each. Only the last one carries the id: whoever is cut off in the middle
    gets all of them again."""
    parts: list[bytes] = []
    changes = [each for each in row.changes if each[0] not in HINTS]
    for index, (table, key, contact_id) in enumerate(changes):
        data = {"table": table, "id": key, "contact_id": contact_id, "position": row.position, "at": row.at}
        last = f"id: {row.position}\n".encode() if index == len(changes) - 1 else b""
        json = orjson.dumps(data, option=orjson.OPT_UTC_Z)
        parts.append(last + f"event: {table}\n".encode() + b"data: " + json + b"\n\n")
    return b"".join(parts) or f": {row.position}\n\n".encode()


def _place(request: web.Request, call: Call[EventQuery, NoBody]) -> int | None:
    given = request.headers.get("Last-Event-ID", "").strip()
    if not given:
        return call.query.after
    if not (given.isascii() and given.isdigit() and int(given[:20]) <= LARGEST_ID):
        raise InvalidInput("Last-Event-ID is not the id of an event")
    return int(given)


OPERATIONS: tuple[Operation, ...] = (
    own(
        "GET",
        "/events",
        _events,
        tag="events",
        summary="What changes, as it is committed (server-sent events); `Last-Event-ID` is respected",
        right=Right.SEE_CLIENTS,
        query=EventQuery,
        media="text/event-stream",
    ),
)
