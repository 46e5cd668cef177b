"""Taking a table away: all that somebody may take of a kind, as CSV or XLSX; who took it is written down."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from aiohttp import web

from crm_core.model.filters import Filter
from hub.exchange import exporting
from hub.remote import remote_of
from hub.web.pages import Answer, Pages, access_here, user_here

_PIECE = 256 * 1024
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Exports:
    """The tables that go out."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def take(self, request: web.Request) -> Answer:
        """A table; the whole of it that the person may take."""
        hub, kind, form = self._pages.hub, request.match_info["kind"], request.query.get("form", "csv")
        if kind not in exporting.KINDS or form not in _TYPES:
            raise web.HTTPNotFound
        table = await exporting.export(
            hub.store,
            hub.clock,
            kind,
            Filter(),
            login=user_here(request).login,
            remote=remote_of(request),
            form=form,
            access=access_here(request),
        )
        headers = {
            "Content-Type": _TYPES[form],
            "Content-Disposition": f'attachment; filename="{kind}.{form}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        response = web.StreamResponse(headers=headers)
        if form == "xlsx":
            # a spreadsheet is whole or none: written to disk, then sent
            with tempfile.TemporaryDirectory(prefix="hub-export-") as folder:
                path = Path(folder) / "export.xlsx"
                await exporting.write_xlsx(table, path)
                await response.prepare(request)
                with path.open("rb") as file:
                    while piece := await asyncio.to_thread(file.read, _PIECE):
                        await response.write(piece)
        else:
            await response.prepare(request)
            async for piece in exporting.as_csv(table):
                await response.write(piece)
        await response.write_eof()
        return response
