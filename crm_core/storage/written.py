"""Questions about messages and threads of mail; see `crm_core.ports.UnitOfWork`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crm_core.model.call import Direction
from crm_core.model.conversation import ThreadRecord, ThreadRefRecord
from crm_core.model.records import EntryRecord
from crm_core.model.timeline import Delivery
from crm_core.storage import bulk
from crm_core.storage.held import Held

_UNREAD = "t.direction = 'out' AND t.delivery IN ('queued', 'sent', 'delivered', 'failed')"
_MOST_TOPICS = 500
# Whatever grew out of what these threads grew out of, the newest of it.
_FAMILY = """
WITH RECURSIVE up (id, parent_id) AS (
  SELECT s.id, s.parent_id FROM thread AS s WHERE s.id {among}
  UNION SELECT p.id, p.parent_id FROM thread AS p JOIN up ON p.id = up.parent_id
), down (id) AS (
  SELECT id FROM up WHERE parent_id IS NULL
  UNION SELECT c.id FROM thread AS c JOIN down ON c.parent_id = down.id
), family (id) AS (
  SELECT id FROM up UNION SELECT id FROM (SELECT id FROM down ORDER BY id DESC LIMIT {most}) AS newest
)
SELECT {columns} FROM thread AS t WHERE t.id IN (SELECT id FROM family){tail}
"""


class Written(Held):
    """The questions about the written word."""

    def entries_by_ref(self, refs: Iterable[str]) -> dict[str, EntryRecord]:
        """Messages by their provider reference."""
        wanted = set(refs)
        # Who deletes or edits may be unknown, so that no contact's lock guards the entry.
        self._load(EntryRecord, wanted, "t.ref", array="text", tail=self._lock)
        return {each.ref: each for each in self._all(EntryRecord) if each.ref is not None and each.ref in wanted}

    def last_entry(self, contact_id: int, channel: str, account: str | None) -> EntryRecord | None:
        """The client's newest inbound entry in a channel, with a conversation to answer into."""
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2, 3)]
        columns = bulk.select_list(EntryRecord, "t", self.engine)
        also = f" AND t.account = {marks[2]}" if account is not None else ""
        sql = (
            f"SELECT {columns} FROM timeline AS t WHERE t.contact_id = {marks[0]} AND t.channel = {marks[1]}{also}"
            " AND t.direction = 'in' AND t.conversation <> '' AND t.kind <> 'system'"
            " ORDER BY t.occurred_at DESC, t.sequence DESC, t.id DESC LIMIT 1"
        )
        parameters = (contact_id, channel) if account is None else (contact_id, channel, account)
        found = bulk.read(self.conn, EntryRecord, sql, parameters)
        return found[0] if found else None

    def message_owners(self, refs: Iterable[str], numbers: Iterable[int]) -> set[int]:
        """The contacts on whose timelines messages stand, by reference and by number; nothing is locked."""
        refs, numbers = list(refs), list(numbers)
        if not refs and not numbers:
            return set()
        sql = (
            f"SELECT t.contact_id FROM timeline AS t WHERE t.ref {bulk.among(self.conn, 1, 'text')}"
            f" UNION SELECT t.contact_id FROM timeline AS t WHERE t.number {bulk.among(self.conn, 2)}"
            " AND t.number IS NOT NULL"
            " UNION SELECT t.contact_id FROM message_ref AS r JOIN timeline AS t ON t.id = r.entry_id"
            f" WHERE r.key {bulk.among(self.conn, 3, 'text')}"
        )
        parameters = (bulk.keys(self.conn, refs), bulk.keys(self.conn, numbers), bulk.keys(self.conn, refs))
        return {row[0] for row in self.conn.exec_driver_sql(sql, parameters)}

    def entries_by_number(self, numbers: Iterable[int]) -> list[EntryRecord]:
        """Outgoing messages by our number of them, of all accounts."""
        wanted = set(numbers)
        self._load(EntryRecord, wanted, "t.number", "t.number IS NOT NULL", tail=self._lock)
        return [each for each in self._all(EntryRecord) if each.number in wanted and each.direction is Direction.OUT]

    def unread(self, contact_ids: Iterable[int]) -> list[EntryRecord]:
        """The messages to contacts that they are not known to have read."""
        found = self._of_contacts(EntryRecord, contact_ids, _UNREAD)
        return [
            each
            for listed in found.values()
            for each in listed
            if each.direction is Direction.OUT and each.delivery not in {None, Delivery.READ}
        ]

    def thread_owners(self, keys: Iterable[str], ids: Iterable[int]) -> set[int]:
        """The clients with whom the threads began that mails are of, by the mails' keys, and threads by id; nothing is
        locked."""
        sql = (
            "SELECT t.contact_id FROM thread_ref AS r JOIN thread AS t ON t.id = r.thread_id"
            f" WHERE r.key {bulk.among(self.conn, 1, 'text')}"
            f" UNION SELECT t.contact_id FROM thread AS t WHERE t.id {bulk.among(self.conn, 2)}"
        )
        parameters = (bulk.keys(self.conn, list(keys)), bulk.keys(self.conn, list(ids)))
        return {row[0] for row in self.conn.exec_driver_sql(sql, parameters)}

    def threads(self, keys: Sequence[str], ids: Sequence[int]) -> tuple[dict[str, int], list[ThreadRecord]]:
        """The threads that mails are of, by the mails' keys; and those, threads by id, and all their relatives,
        locked."""
        self._load(ThreadRefRecord, keys, "t.key", array="text")
        held = self._current[ThreadRefRecord]
        of_key = {key: held[key].thread_id for key in keys if key in held}
        wanted = sorted({*of_key.values(), *ids})
        if not wanted:
            return of_key, []
        sql = _FAMILY.format(
            among=bulk.among(self.conn, 1),
            most=_MOST_TOPICS,
            columns=bulk.select_list(ThreadRecord, "t", self.engine),
            tail=self._lock,
        )
        found = bulk.read(self.conn, ThreadRecord, sql, (bulk.keys(self.conn, wanted),))
        for record in found:
            self._remember(record)
        return of_key, [self._current[ThreadRecord].get(each.id, each) for each in found]

    def last_of_threads(self, thread_ids: Iterable[int], limit: int) -> list[EntryRecord]:
        """The newest mails of threads, oldest first."""
        columns = bulk.select_list(EntryRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM timeline AS t WHERE t.thread_id {bulk.among(self.conn, 1)}"
            " AND t.thread_id IS NOT NULL"
            f" ORDER BY t.occurred_at DESC, t.sequence DESC, t.id DESC LIMIT {bulk.placeholder(self.conn, 2)}"
        )
        parameters: tuple[Any, ...] = (bulk.keys(self.conn, thread_ids), limit)
        return bulk.read(self.conn, EntryRecord, sql, parameters)[::-1]
