"""A `ForeignRows` in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


class MemoryRows:
    """Rows of one table; moments are `datetime`, naive ones compared as if they were UTC."""

    name = "cdr of a test"

    def __init__(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> None:
        self.rows: Sequence[Mapping[str, Any]] = rows
        self._columns = frozenset(columns if columns is not None else rows[0])
        self.asked: list[tuple[datetime, datetime]] = []

    async def columns(self) -> frozenset[str]:
        """The columns of the first row, unless told otherwise."""
        return self._columns

    async def between(
        self, columns: Sequence[str], by: str, since: datetime, until: datetime
    ) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """All of them in one piece."""
        self.asked.append((since, until))
        found = [row for row in self.rows if since <= _utc(row[by]) < until]
        if found:
            yield [{name: row[name] for name in columns} for row in sorted(found, key=lambda row: _utc(row[by]))]


def _utc(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
