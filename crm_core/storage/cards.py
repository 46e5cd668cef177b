"""Questions about cards, their stages and what hangs on them; see `crm_core.ports.UnitOfWork`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from crm_core.errors import ConcurrentChange, NotFound
from crm_core.model.records import AttachmentRecord, ContactRecord, DealRecord
from crm_core.model.selling import LinkRecord
from crm_core.storage import bulk
from crm_core.storage.held import Held
from crm_core.storage.tables import TABLE_OF
from crm_core.storage.types import to_micros

Record = TypeVar("Record", bound=tuple[Any, ...])

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
            raise NotFound("there is no deal {deal}", deal=deal_id)
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

    def locked(self, kind: type[Record], ident: int) -> Record:
        """A record by its id, locked; raises NotFound, ConcurrentChange where it was read before and is another one by
        now."""
        table = TABLE_OF[kind].name
        columns, mark = bulk.select_list(kind, "t", self.engine), bulk.placeholder(self.conn, 1)
        sql = f'SELECT {columns} FROM "{table}" AS t WHERE t.id = {mark}{self._lock}'
        for record in bulk.read(self.conn, kind, sql, (ident,)):
            self._remember(record)
            if self._original[kind][ident] != record:
                raise ConcurrentChange(f"{kind} {ident} was changed meanwhile")
        found: Record | None = self._current[kind].get(ident)
        if found is None:
            raise NotFound("there is no {kind} {ident}", kind=table, ident=ident)
        return found

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

    def next_cards(
        self,
        pipeline_id: int,
        stage_ids: Iterable[int],
        login: str,
        limit: int,
        passed: Iterable[int],
        *,
        wait: bool = False,
    ) -> list[DealRecord] | None:
        """The next cards of a dial list that nobody else has, locked with their contacts, somebody's own first, then
        those due longest; without those `passed`, and without clients who are being dialled or are to be rung by a
        robot. Clients with whom somebody works at this moment are left out, unless we `wait` for them. None where there
        are none; an empty list where others were faster."""
        mark = [bulk.placeholder(self.conn, position) for position in range(1, 8)]
        tail = "" if self.sqlite else f" FOR NO KEY UPDATE OF c{'' if wait else ' SKIP LOCKED'}"
        sql = (
            "SELECT d.id, d.contact_id FROM deal AS d JOIN contact AS c ON c.id = d.contact_id"
            f" WHERE d.pipeline_id = {mark[0]} AND d.stage_id {bulk.among(self.conn, 2)}"
            " AND d.closed_at IS NULL AND d.deleted_at IS NULL"
            f" AND (d.manager IS NULL OR d.manager = {mark[2]}) AND (d.due_at IS NULL OR d.due_at <= {mark[3]})"
            f" AND NOT d.id {bulk.among(self.conn, 5)}"
            " AND c.list_name IS NULL AND c.merged_into IS NULL AND c.deleted_at IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM dial AS a WHERE a.contact_id = c.id AND a.state <> 'ended')"
            " AND NOT EXISTS (SELECT 1 FROM callback AS b WHERE b.contact_id = c.id"
            " AND b.state IN ('waiting', 'dialling'))"
            f" ORDER BY CASE WHEN d.manager = {mark[5]} THEN 0 ELSE 1 END, d.due_at IS NULL, d.due_at, d.id"
            f" LIMIT {mark[6]}{tail}"
        )
        now: Any = to_micros(self.now) if self.sqlite else self.now
        stages, known = bulk.keys(self.conn, stage_ids), bulk.keys(self.conn, passed)
        parameters = (pipeline_id, stages, login, now, known, login, limit)
        rows = list(self.conn.exec_driver_sql(sql, parameters))
        if not rows:
            return None
        self._contacts_locked({row[1] for row in rows})
        ids = [row[0] for row in rows]
        self._load(DealRecord, [each for each in ids if each not in self._current[DealRecord]], "t.id", tail=self._lock)
        # What somebody else got before we held the client is theirs.
        found = (self._current[DealRecord][each] for each in ids)
        free = (each for each in found if each.manager in {None, login} and each.closed_at is None)
        return [each for each in free if each.pipeline_id == pipeline_id and each.deleted_at is None]

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
