"""A table of an export as an answer: CSV as it is read, XLSX once it is whole."""

from __future__ import annotations

import asyncio
import tempfile
from enum import StrEnum
from pathlib import Path

from aiohttp import web

from hub.exchange import exporting

_PIECE = 256 * 1024
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Form(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    XLSX = "xlsx"


def table_headers(kind: str, form: Form) -> dict[str, str]:
    """The headers of a table that goes out as a file."""
    return {
        "Content-Type": _XLSX if form is Form.XLSX else "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{kind}.{form.value}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


async def send_table(request: web.Request, kind: str, form: Form, table: exporting.Export) -> web.StreamResponse:
    """Send a table piece by piece."""
    response = web.StreamResponse(headers=table_headers(kind, form))
    if form is Form.XLSX:
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
