"""Imports that the command line and the API share: a file is understood once, then written portion by portion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from crm_core.services.acts.list_import import ListFile, Row, Written, chunks, read_list, write_list
from crm_core.services.desk import Desk
from crm_core.storage.store import Store


@dataclass(frozen=True, slots=True)
class Imported:
    """How an import went; `position` is the feed's after the last commit, None where nothing changed."""

    file: ListFile
    written: Written
    position: int | None


async def import_list(
    store: Store, list_name: str, content: bytes, author: str, *, reason: str, dry_run: bool = False
) -> Imported:
    """Put the numbers of a CSV file on a special list; raises InvalidInput.

    See `crm_core.services.acts.list_import`.
    """
    file = read_list(content, store.office.region, store.office.language, reason=reason)
    written, position = Written(), None
    for rows in list(chunks(file.rows)) or [()]:  # an empty file still finds out whether there is such a list
        done, reached = await store.run_at(partial(_write, list_name, rows, author, dry_run))
        written, position = written + done, reached or position
    return Imported(file, written, position)


def _write(list_name: str, rows: Sequence[Row], author: str, dry_run: bool, desk: Desk) -> Written:
    return write_list(desk, list_name, rows, author, dry_run=dry_run)
