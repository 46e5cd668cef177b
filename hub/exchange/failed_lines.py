"""The lines of an import that were not taken in, as a table that can be mended and brought in again."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from crm_core.model.access import Access
from crm_core.model.exchange import ImportProblemRecord
from crm_core.model.importing import Became
from crm_core.services.importing.cells import as_written, harmless
from crm_core.storage.queries import imports as queries
from crm_core.storage.queries.pages import Slice
from crm_core.storage.store import Store
from crm_core.wording import Sentence
from hub.tongues import aloud, told

_AT_ONCE: Final = 500
_WHY: Final = Sentence("why")


async def failed_lines(store: Store, access: Access, import_id: int) -> AsyncIterator[bytes]:
    """The table as CSV, piece by piece: the columns of the file, and why a line failed, in the language of the request.
    Raises NotFound, Forbidden before the first piece."""
    record = await store.read(partial(queries.one_import, access=access, import_id=import_id))
    headings = [heading for heading, _ in record.mapping["columns"]]
    yield "\ufeff".encode() + _row([*(as_written(each) for each in headings), told(_WHY)])
    after: str | None = None
    while True:
        next_ones = partial(queries.list_problems, access=access, import_id=import_id, where=Slice(after, _AT_ONCE))
        page = await store.read(next_ones)
        found = (each for each in page.items if each.cells[0] == Became.FAILED)
        if content := b"".join(_row(_mended(each, len(headings))) for each in found):
            yield content
        after = page.next
        if after is None:
            return


def _mended(record: ImportProblemRecord, width: int) -> list[str]:
    cells = [as_written(each) for each in record.cells[1 : width + 1]]
    return [*cells, *([""] * (width - len(cells))), harmless(aloud(record.error))]


def _row(cells: list[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";").writerow(cells)
    return buffer.getvalue().encode()
