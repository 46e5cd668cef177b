"""Where what is known of one person stands, all over the record; which files nobody refers to any more."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from crm_core.model.exchange import ImportState
from crm_core.storage.tables import attachment, document, import_run, upload


def files_in_use(conn: Connection, hashes: Sequence[str]) -> set[str]:
    """Those of these files that something refers to: attachments, uploads, documents, imports that go on."""
    found: set[str] = set()
    for table in (attachment, upload, document):
        column = table.c.sha256
        found.update(row[0] for row in conn.execute(select(column).where(column.in_(hashes)).distinct()))
    columns = import_run.c
    active = columns.state.in_((ImportState.READY, ImportState.RUNNING))
    found.update(row[0] for row in conn.execute(select(columns.sha256).where(columns.sha256.in_(hashes), active)))
    return found
