"""The change feed: one row a transaction, positions in commit order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from crm_core.storage import bulk
from crm_core.storage.types import from_micros

FAILED_FACTS = "journal_failure"
"""In place of a table: facts that were not understood came, or were read again."""

HINTS = frozenset({"journal", "rule_run", FAILED_FACTS})
"""Tables that grow too fast to be told of row by row: once a transaction, with the id 0."""


@dataclass(frozen=True, slots=True)
class FeedRow:
    """What a transaction changed: `(table, id, contact_id)`; the position is also the `seq` of its last entry."""

    position: int
    at: datetime
    changes: tuple[tuple[str, Any, int | None], ...]


def newest(conn: Connection) -> int:
    """The position of the newest change."""
    return int(conn.exec_driver_sql("SELECT position FROM feed_position WHERE id = 1").scalar_one())


def oldest(conn: Connection) -> int | None:
    """The position of the oldest change that is still kept."""
    found = conn.exec_driver_sql("SELECT min(position) FROM feed").scalar()
    return int(found) if found is not None else None


def after(conn: Connection, position: int, limit: int) -> list[FeedRow]:
    """The changes behind a position, oldest first."""
    sqlite = conn.dialect.name == "sqlite"
    mark = bulk.placeholder(conn, 1)
    column = "changes" if sqlite else "changes::text"
    sql = f"SELECT position, at, {column} FROM feed WHERE position > {mark} ORDER BY position LIMIT {int(limit)}"
    rows = conn.exec_driver_sql(sql, (position,))
    return [
        FeedRow(
            int(number),
            from_micros(at) if sqlite else at,
            tuple((table, key, contact_id) for table, key, contact_id in orjson.loads(changes)),
        )
        for number, at, changes in rows
    ]
