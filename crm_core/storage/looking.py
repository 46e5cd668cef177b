"""A unit of work that only looks: nothing is locked and nothing can be written; records can be shown as they were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_core.model.records import CallRecord, EntryRecord
from crm_core.storage import bulk
from crm_core.storage.ids import IdSource
from crm_core.storage.revisions import Caches
from crm_core.storage.types import to_micros
from crm_core.storage.work import SqlWork

_SIGNALS = "'talk', 'reply'"


class Looking(SqlWork):
    """For dry runs: what services would do can be asked of it, but not kept."""

    def __init__(self, conn: Connection, now: datetime, caches: Caches) -> None:
        super().__init__(conn, now, IdSource(), caches)
        self._next = 0

    @property
    def _lock(self) -> str:
        return ""

    def next_id(self) -> int:
        """A number that is no record's."""
        self._next -= 1
        return self._next

    def flush(self) -> None:
        """Raise: nothing is ever written."""
        raise AssertionError("a look writes nothing")

    def pretend(self, *records: tuple[Any, ...]) -> None:
        """Show records as they were (or would be) to whoever asks from now on."""
        for record in records:
            self._current[type(record)][record[0]] = record
            self._original[type(record)].setdefault(record[0], record)

    def told_since(
        self, contact_ids: Sequence[int], since: datetime
    ) -> tuple[dict[int, list[EntryRecord]], dict[int, list[CallRecord]]]:
        """What was told on the timelines of clients since a moment, entries and calls, in the order in which it was."""
        at: Any = to_micros(since) if self.sqlite else since
        keys, mark = bulk.keys(self.conn, contact_ids), bulk.placeholder(self.conn, 2)
        among = bulk.among(self.conn, 1)
        columns = bulk.select_list(EntryRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM timeline AS t WHERE t.contact_id {among} AND t.occurred_at >= {mark}"
            " AND t.kind IN ('message', 'email', 'form', 'call') ORDER BY t.occurred_at, t.id"
        )
        entries: dict[int, list[EntryRecord]] = {}
        for entry in bulk.read(self.conn, EntryRecord, sql, (keys, at)):
            entries.setdefault(entry.contact_id, []).append(entry)
        columns = bulk.select_list(CallRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM call AS t WHERE t.contact_id {among} AND t.started_at >= {mark}"
            " ORDER BY t.started_at, t.id"
        )
        calls: dict[int, list[CallRecord]] = {}
        for call in bulk.read(self.conn, CallRecord, sql, (keys, at)):
            calls.setdefault(call.contact_id or 0, []).append(call)
        return entries, calls

    def reached_at(self, contact_ids: Iterable[int]) -> dict[int, list[datetime]]:
        """When people of the office spoke with clients or answered them, oldest first."""
        columns = bulk.select_list(EntryRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM timeline AS t WHERE t.contact_id {bulk.among(self.conn, 1)}"
            f" AND t.signal IN ({_SIGNALS}) ORDER BY t.occurred_at, t.id"
        )
        found: dict[int, list[datetime]] = {}
        for entry in bulk.read(self.conn, EntryRecord, sql, (bulk.keys(self.conn, contact_ids),)):
            found.setdefault(entry.contact_id, []).append(entry.signal_at or entry.occurred_at)
        return found
