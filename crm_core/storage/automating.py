"""Questions of rules and chains; see `crm_core.ports.UnitOfWork`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from crm_core.model.automation import ChainRunRecord, ChainState
from crm_core.model.definitions import Catalogue
from crm_core.model.definitions.rules import PLAIN_KINDS
from crm_core.model.filters import Filter
from crm_core.model.records import DealRecord
from crm_core.storage import bulk, filtering
from crm_core.storage.held import Held
from crm_core.storage.types import to_micros

_EMPTY = Catalogue()


class Automating(Held):
    """The questions of rules and chains."""

    def open_cards(self, contact_ids: Iterable[int], stages: Sequence[int]) -> list[DealRecord]:
        """The cards of clients that stand on one of these stages, with what this transaction made; by id."""
        wanted = set(contact_ids)
        missing = [each for each in wanted if each not in self._loaded[DealRecord, "open"]]
        if missing and stages:
            columns = bulk.select_list(DealRecord, "t", self.engine)
            sql = (
                f"SELECT {columns} FROM deal AS t WHERE t.contact_id {bulk.among(self.conn, 1)}"
                f" AND t.stage_id {bulk.among(self.conn, 2)} AND t.deleted_at IS NULL"
            )
            found = (bulk.keys(self.conn, missing), bulk.keys(self.conn, stages))
            for record in bulk.read(self.conn, DealRecord, sql, found):
                self._remember(record)
            self._loaded[DealRecord, "open"].update(missing)
        on = set(stages)
        cards = (each for each in self._all(DealRecord) if each.contact_id in wanted and each.stage_id in on)
        return sorted((each for each in cards if each.deleted_at is None), key=lambda each: each.id)

    def runs_since(
        self, subjects: Iterable[tuple[str, int]], since: datetime
    ) -> dict[tuple[str, int], dict[tuple[str, str], int]]:
        """How often each rule ran on records since a moment, by its name and the outcome."""
        listed = list(dict.fromkeys(subjects))
        counted: dict[tuple[str, int], dict[tuple[str, str], int]] = {}
        if not listed:
            return counted
        mark = bulk.placeholder(self.conn, 2)
        sql = (
            "SELECT kind, subject_id, rule, outcome, COUNT(*) FROM rule_run"
            f" WHERE subject_id {bulk.among(self.conn, 1)} AND at > {mark}"
            " GROUP BY kind, subject_id, rule, outcome"
        )
        at: Any = to_micros(since) if self.sqlite else since
        wanted = set(listed)
        for kind, subject_id, rule, outcome, count in self.conn.exec_driver_sql(
            sql, (bulk.keys(self.conn, dict.fromkeys(each for _, each in listed)), at)
        ):
            if (kind, subject_id) in wanted:
                counted.setdefault((kind, subject_id), {})[rule, str(outcome)] = count
        return counted

    def running_chains(self, contact_ids: Iterable[int]) -> dict[int, list[ChainRunRecord]]:
        """The chains of messages that run for clients."""
        found = self._of_contacts(ChainRunRecord, contact_ids, "t.state = 'running'")
        return {owner: [each for each in listed if each.state is ChainState.RUNNING] for owner, listed in found.items()}

    def subjects_after(
        self,
        kind: str,
        above: int,
        limit: int,
        *,
        stages: Iterable[int] = (),
        wanted: Filter | None = None,
        catalogue: Catalogue = _EMPTY,
        zone: tzinfo = UTC,
        region: str = "RU",
    ) -> list[int]:
        """The ids of records of a kind that are not deleted, beyond an id, in their order: cards on one of `stages`, or
        those that a filter lets through (read in the office's zone and region). Nothing is locked."""
        if wanted is not None:
            asking = filtering.Asking(catalogue, self.now, zone, region)
            return filtering.matching(self.conn, kind, wanted, asking, above=above, limit=limit)
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2)]
        if kind in PLAIN_KINDS:
            also = " AND t.merged_into IS NULL" if kind == "contact" else ""
            sql = (
                f'SELECT t.id FROM "{kind}" AS t WHERE t.id > {marks[0]} AND t.deleted_at IS NULL{also}'
                f" ORDER BY t.id LIMIT {marks[1]}"
            )
            return [row[0] for row in self.conn.exec_driver_sql(sql, (above, limit))]
        sql = (
            f"SELECT t.id FROM deal AS t WHERE t.id > {marks[0]} AND t.stage_id {bulk.among(self.conn, 2)}"
            f" AND t.deleted_at IS NULL ORDER BY t.id LIMIT {bulk.placeholder(self.conn, 3)}"
        )
        listed = bulk.keys(self.conn, stages)
        return [row[0] for row in self.conn.exec_driver_sql(sql, (above, listed, limit))]
