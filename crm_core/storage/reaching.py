"""Questions about messages to many, and numbers of series; see `crm_core.ports.UnitOfWork`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from crm_core.errors import NotFound
from crm_core.model.definitions import Catalogue
from crm_core.model.filters import Filter
from crm_core.model.outreach import BroadcastRecord, RecipientRecord
from crm_core.storage import bulk
from crm_core.storage.audience import clients
from crm_core.storage.filtering import Asking
from crm_core.storage.held import Held


class Reaching(Held):
    """The questions of broadcasts and documents."""

    def broadcast(self, broadcast_id: int) -> BroadcastRecord:
        """A broadcast, locked; raises NotFound."""
        self._load(BroadcastRecord, [broadcast_id], "t.id", tail=self._lock)
        found: BroadcastRecord | None = self._current[BroadcastRecord].get(broadcast_id)
        if found is None:
            raise NotFound("there is no broadcast {broadcast}", broadcast=broadcast_id)
        return found

    def recipients_waiting(self, broadcast_id: int, limit: int) -> list[RecipientRecord]:
        """The next recipients to whom nothing was queued yet, by contact; the broadcast is to be locked first."""
        columns = bulk.select_list(RecipientRecord, "t", self.engine)
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2)]
        sql = (
            f"SELECT {columns} FROM broadcast_recipient AS t WHERE t.broadcast_id = {marks[0]}"
            f" AND t.state = 'waiting' ORDER BY t.contact_id LIMIT {marks[1]}"
        )
        return self._recipients(sql, broadcast_id, limit)

    def recipients_failed(self, broadcast_id: int, contact_ids: Sequence[int] | None) -> list[RecipientRecord]:
        """The recipients, or those of them who are named, whose message did not get through, by contact; the broadcast
        is to be locked first."""
        columns = bulk.select_list(RecipientRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM broadcast_recipient AS t JOIN timeline AS e ON e.id = t.entry_id"
            f" WHERE t.broadcast_id = {bulk.placeholder(self.conn, 1)} AND t.state = 'queued' AND e.delivery = 'failed'"
        )
        if contact_ids is None:
            return self._recipients(f"{sql} ORDER BY t.contact_id", broadcast_id)
        sql += f" AND t.contact_id {bulk.among(self.conn, 2)} ORDER BY t.contact_id"
        return self._recipients(sql, broadcast_id, bulk.keys(self.conn, contact_ids))

    def _recipients(self, sql: str, *given: Any) -> list[RecipientRecord]:
        found = bulk.read(self.conn, RecipientRecord, sql, given)
        for record in found:
            self._remember(record)
        return found

    def audience(
        self,
        kind: str,
        wanted: Filter,
        catalogue: Catalogue,
        *,
        above: int,
        limit: int,
        zone: str,
        region: str,
    ) -> list[int]:
        """The next clients, by id, who themselves or whose records of a kind pass a filter; nothing is locked."""
        asking = Asking(catalogue, self.now, ZoneInfo(zone), region)
        return clients(self.conn, kind, wanted, asking, above=above, limit=limit)

    def withdraw(self, dedupe: str) -> bool:
        """Take back what was queued and nobody has begun with; False where it is too late. The row is locked from here
        on, so that either a worker has it or we."""
        sql = (
            f"DELETE FROM outbox WHERE dedupe = {bulk.placeholder(self.conn, 1)} AND state = 'queued'"
            " AND claimed_by IS NULL AND attempts = 0"
        )
        return self.conn.exec_driver_sql(sql, (dedupe,)).rowcount == 1

    def next_number(self, series: str) -> int:
        """The next number of a series, from 1: no other transaction gets one before this one has ended, so that none
        is left out."""
        mark = bulk.placeholder(self.conn, 1)
        sql = (
            f"INSERT INTO counter (name, value) VALUES ({mark}, 1)"
            " ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value"
        )
        return int(self.conn.exec_driver_sql(sql, (series,)).scalar_one())
