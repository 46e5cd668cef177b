"""The bare program: the few statements that a page needs at the least, written by hand, straight to the driver, and
their rows put between tags by aiohttp, packed.

`python -m benchmarks.workspace.bare URL PORT`. It knows neither sessions nor rights nor languages.
"""

from __future__ import annotations

import asyncio
import gzip
import html
import sys
from collections.abc import Sequence
from typing import Any

import uvloop
from aiohttp import web

from benchmarks.crm.bare import Bare, bare_on

_NEWEST = "occurred_at DESC, sequence DESC, id DESC"
_INBOX = (
    (
        "SELECT c.*, p.name, p.search FROM contact_case AS c JOIN contact AS p ON p.id = c.contact_id"
        " WHERE c.state = 'open' AND c.manager = $1 ORDER BY c.opened_at LIMIT 50"
    ),
    (
        "SELECT l.*, p.name FROM lead AS l JOIN contact AS p ON p.id = l.contact_id"
        " WHERE l.status = 'new' AND l.manager = $1 ORDER BY l.id LIMIT 50"
    ),
    (
        "SELECT t.*, p.name FROM task AS t JOIN contact AS p ON p.id = t.contact_id"
        " WHERE t.state = 'open' AND t.assignee = $1 ORDER BY t.due_at LIMIT 50"
    ),
    (
        "SELECT d.*, p.name FROM deal AS d JOIN contact AS p ON p.id = d.contact_id"
        " WHERE d.manager = $1 AND d.closed_at IS NULL ORDER BY d.id LIMIT 50"
    ),
)
_HAPPENED = "SELECT t.*, p.name FROM timeline AS t JOIN contact AS p ON p.id = t.contact_id ORDER BY t.id DESC LIMIT 40"
_CARD = (
    "SELECT * FROM contact WHERE id = $1",
    "SELECT * FROM identity WHERE contact_id = $1 ORDER BY created_at",
    (
        f"SELECT t.*, c.* FROM (SELECT * FROM timeline WHERE contact_id = $1 ORDER BY {_NEWEST} LIMIT 51) AS t"
        " LEFT JOIN call AS c ON c.id = t.call_id ORDER BY t.occurred_at DESC, t.sequence DESC, t.id DESC"
    ),
    "SELECT * FROM deal WHERE contact_id = $1 AND closed_at IS NULL ORDER BY id DESC LIMIT 20",
    "SELECT * FROM lead WHERE contact_id = $1 ORDER BY id DESC LIMIT 10",
    "SELECT * FROM task WHERE contact_id = $1 AND state = 'open' ORDER BY due_at LIMIT 20",
)
_STAGES = "SELECT id FROM stage WHERE pipeline_id = $1 AND kind = 'open'"
_ON_BOARD = "pipeline_id = $1 AND closed_at IS NULL AND deleted_at IS NULL"
_SUMS = f"SELECT stage_id, currency, sum(amount), count(*) FROM deal WHERE {_ON_BOARD} GROUP BY stage_id, currency"
_COLUMN = (
    "SELECT d.*, p.name FROM deal AS d JOIN contact AS p ON p.id = d.contact_id WHERE d.pipeline_id = $1"
    " AND d.closed_at IS NULL AND d.deleted_at IS NULL AND d.stage_id = {stage}"
    " ORDER BY d.updated_at DESC, d.id DESC LIMIT 20"
)


class Bareness:
    """The pages."""

    def __init__(self, bare: Bare) -> None:
        self._bare = bare

    async def inbox(self, request: web.Request) -> web.Response:
        """What waits for one person, and the newest entries of all."""
        login = request.match_info["login"]
        rows = [await self._bare.fetch(each, login) for each in _INBOX]
        return _page([*rows, await self._bare.fetch(_HAPPENED)])

    async def card(self, request: web.Request) -> web.Response:
        """A client with the newest of the timeline."""
        ident = int(request.match_info["id"])
        return _page([await self._bare.fetch(each, ident) for each in _CARD])

    async def board(self, request: web.Request) -> web.Response:
        """The sums of a pipeline, and the first cards of each stage."""
        ident = int(request.match_info["id"])
        stages = [row[0] for row in await self._bare.fetch(_STAGES, ident)]
        columns = " UNION ALL ".join(f"SELECT * FROM ({_COLUMN.format(stage=each)}) AS s{each}" for each in stages)
        return _page([await self._bare.fetch(_SUMS, ident), await self._bare.fetch(columns, ident)])

    async def empty(self, _request: web.Request) -> web.Response:
        """Nothing at all."""
        return _page([])


def _page(parts: Sequence[Sequence[Any]]) -> web.Response:
    drawn = "".join(
        f"<section>{''.join(f'<p>{html.escape(str(tuple(row)))}</p>' for row in rows)}</section>" for rows in parts
    )
    body = gzip.compress(f"<!doctype html><title>bare</title>{drawn}".encode(), 5)
    return web.Response(body=body, content_type="text/html", charset="utf-8", headers={"Content-Encoding": "gzip"})


async def serve(url: str, port: int) -> None:
    """Until it is ended."""
    async with bare_on(url) as bare:
        pages, app = Bareness(bare), web.Application()
        app.router.add_get("/inbox/{login}", pages.inbox)
        app.router.add_get("/contacts/{id}", pages.card)
        app.router.add_get("/deals/{id}", pages.board)
        app.router.add_get("/", pages.empty)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
