"""Questions about cards, their stages and what hangs on them; see `crm_core.ports.UnitOfWork`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from crm_core.errors import ConcurrentChange, NotFound
from crm_core.model.records import AttachmentRecord, ContactRecord, DealRecord
from crm_core.model.selling import LinkRecord
from crm_core.storage import bulk
from crm_core.storage.held import Held
from crm_core.storage.types import to_micros

_MOST_FILES = 200
_LINE = """
WITH RECURSIVE line (id, source_id, length) AS (
  SELECT d.id, d.source_id, 1 FROM deal AS d WHERE d.id = {first} AND d.created_at > {since}
  UNION ALL
  SELECT d.id, d.source_id, line.length + 1 FROM line JOIN deal AS d ON d.id = line.source_id
  WHERE d.created_at > {since_again} AND line.length < {most}
)
SELECT COUNT(*) FROM line
"""


class Cards(Held):
    """The questions about cards."""

    def card(self, deal_id: int) -> tuple[DealRecord, ContactRecord | None]:
        """A card and its contact, both locked, the contact first; raises NotFound, also for a deleted one."""
        found = self.cards([deal_id])
        if not found:
            raise NotFound(f"there is no deal {deal_id}")
        owner = found[0].contact_id
        return found[0], self._current[ContactRecord].get(owner) if owner is not None else None

    def cards(self, ids: Iterable[int]) -> list[DealRecord]:
        """Cards that are not deleted, locked with their contacts; by id."""
        wanted = list(dict.fromkeys(ids))
        known = self._current[DealRecord]
        if any(each not in known for each in wanted):
            self._lock_cards([each for each in wanted if each not in known])
        found = (known[each] for each in sorted(wanted) if each in known)
        return [each for each in found if each.deleted_at is None]

    def _lock_cards(self, ids: list[int]) -> None:
        """The contacts first, in the order of their ids, as everybody does; then the cards, some of which have none."""
        among, keys = bulk.among(self.conn, 1), bulk.keys(self.conn, ids)
        rows = self.conn.exec_driver_sql(f"SELECT id, contact_id FROM deal WHERE id {among}", (keys,))
        owners = {row[0]: row[1] for row in rows}
        self._contacts_locked({each for each in owners.values() if each is not None})
        self._load(DealRecord, list(owners), "t.id", tail=self._lock)
        for deal_id, owner in owners.items():
            if self._current[DealRecord][deal_id].contact_id != owner:
                raise ConcurrentChange(f"deal {deal_id} changed hands")

    def _contacts_locked(self, ids: Iterable[int]) -> None:
        known = self._current[ContactRecord]
        self._load(ContactRecord, sorted(each for each in ids if each not in known), "t.id", tail=self._lock)

    def hold_stages(self, ids: Iterable[int]) -> set[int]:
        """Which of these stages take cards; nobody takes them out of use until the end of this transaction."""
        if self.sqlite:
            return set(ids)  # one transaction writes at a time, and it knows of all before it
        sql = f"SELECT id FROM stage WHERE id {bulk.among(self.conn, 1)} AND NOT archived ORDER BY id FOR KEY SHARE"
        return {row[0] for row in self.conn.exec_driver_sql(sql, (bulk.keys(self.conn, ids),))}

    def close_stage(self, stage_id: int) -> None:
        """Wait until nobody is letting a card into a stage; nobody does from here on."""
        if not self.sqlite:
            self.conn.exec_driver_sql("SELECT id FROM stage WHERE id = $1 FOR UPDATE", (stage_id,))

    def stands_on(self, stage_id: int, limit: int) -> list[int]:
        """Some of the cards on a stage that are not deleted, by id."""
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2)]
        sql = (
            "SELECT d.id FROM stage AS s JOIN deal AS d ON d.pipeline_id = s.pipeline_id AND d.stage_id = s.id"
            f" WHERE s.id = {marks[0]} AND d.deleted_at IS NULL ORDER BY d.id LIMIT {marks[1]}"
        )
        return [row[0] for row in self.conn.exec_driver_sql(sql, (stage_id, limit))]

    def line_of(self, deal_id: int, since: datetime, most: int) -> int:
        """How many cards made since a moment stand in the line of copies that ends with this card, `most` at most."""
        names = ("first", "since", "since_again", "most")
        marks = {name: bulk.placeholder(self.conn, number) for number, name in enumerate(names, start=1)}
        at: Any = to_micros(since) if self.sqlite else since
        return int(self.conn.exec_driver_sql(_LINE.format(**marks), (deal_id, at, at, most)).scalar_one())

    def links_of(self, kinds: Iterable[str], record_id: int) -> list[LinkRecord]:
        """The links from and to a record, which goes by several kinds; by id."""
        columns = bulk.select_list(LinkRecord, "t", self.engine)
        marks = [bulk.placeholder(self.conn, position) for position in (2, 4)]
        among = [bulk.among(self.conn, position, "text") for position in (1, 3)]
        sql = (
            f"SELECT {columns} FROM link AS t WHERE t.from_kind {among[0]} AND t.from_id = {marks[0]}"
            f" UNION ALL SELECT {columns} FROM link AS t WHERE t.to_kind {among[1]} AND t.to_id = {marks[1]}"
        )
        names = bulk.keys(self.conn, dict.fromkeys(kinds))
        for record in bulk.read(self.conn, LinkRecord, sql, (names, record_id, names, record_id)):
            self._remember(record)
        found = (each for each in self._all(LinkRecord) if record_id in (each.from_id, each.to_id))
        return sorted(found, key=lambda each: each.id)

    def files_of_deal(self, contact_id: int, deal_id: int) -> list[AttachmentRecord]:
        """The files on a client's timeline that belong to a card and are here, oldest first."""
        columns = bulk.select_list(AttachmentRecord, "t", self.engine)
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2)]
        sql = (
            f"SELECT {columns} FROM timeline AS e JOIN attachment AS t ON t.entry_id = e.id"
            f" WHERE e.contact_id = {marks[0]} AND e.deal_id = {marks[1]} AND t.state = 'stored'"
            f" ORDER BY t.id LIMIT {_MOST_FILES}"
        )
        return bulk.read(self.conn, AttachmentRecord, sql, (contact_id, deal_id))
