"""Imports that the command line and the API share: a file is understood once, then written portion by portion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from crm_core.model.access import Access
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
    store: Store,
    list_name: str,
    content: bytes,
    author: str,
    *,
    reason: str,
    dry_run: bool = False,
    access: Access | None = None,
    language: str = "",
) -> Imported:
    """Put the numbers of a CSV file on a special list. With `access` it is asked whether its person may; `language` is
    that of what is said of bad lines, the office's where none is given. Raises InvalidInput, Forbidden.

    See `crm_core.services.acts.list_import`.
    """

    def write(desk: Desk, rows: Sequence[Row]) -> Written:
        if access is not None:
            desk.acts_for(access.user)
        return write_list(desk, list_name, rows, author, dry_run=dry_run)

    file = read_list(content, store.office.region, language or store.office.language, reason=reason)
    written, position = Written(), None
    for rows in list(chunks(file.rows)) or [()]:  # an empty file still finds out whether there is such a list
        done, reached = await store.run_at(partial(write, rows=rows))
        written, position = written + done, reached or position
    return Imported(file, written, position)
