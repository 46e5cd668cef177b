"""Questions about what is brought in and handed over; see `crm_core.ports.UnitOfWork`."""

from __future__ import annotations

from collections.abc import Iterable

from crm_core.errors import NotFound
from crm_core.model.exchange import ImportRecord
from crm_core.model.records import CallbackRecord, CaseRecord, DealRecord, LeadRecord
from crm_core.model.task import TaskRecord
from crm_core.storage import bulk
from crm_core.storage.held import Held
from crm_core.storage.tables import TABLE_OF

# What of a person's goes on; of other kinds everything is theirs.
_GOES_ON: dict[type, str] = {
    LeadRecord: "status IN ('new', 'taken')",
    DealRecord: "closed_at IS NULL",
    TaskRecord: "state = 'open'",
    CaseRecord: "state = 'open'",
    CallbackRecord: "state IN ('waiting', 'dialling')",
}


class Exchanging(Held):
    """The questions about imports and about what is somebody's."""

    def import_run(self, import_id: int) -> ImportRecord:
        """An import, locked until the end of the transaction; raises NotFound."""
        known: ImportRecord | None = self._current[ImportRecord].get(import_id)
        if known is None:
            self._load(ImportRecord, [import_id], "t.id", tail=self._lock)
            known = self._current[ImportRecord].get(import_id)
        if known is None:
            raise NotFound("there is no import {import_id}", import_id=import_id)
        return known

    def of_person(self, kind: type, login: str, limit: int) -> list[int]:
        """Some of the records that somebody looks after and that go on, by id; nothing is locked."""
        column = "assignee" if kind is TaskRecord else "manager"
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2)]
        also = f" AND {_GOES_ON[kind]}" if kind in _GOES_ON else ""
        sql = f'SELECT id FROM "{TABLE_OF[kind].name}" WHERE {column} = {marks[0]}{also} ORDER BY id LIMIT {marks[1]}'
        return [row[0] for row in self.conn.exec_driver_sql(sql, (login, limit))]

    def owners_of(self, kind: type, ids: Iterable[int]) -> list[int]:
        """The contacts of records, by id; nothing is locked."""
        sql = (
            f'SELECT DISTINCT contact_id FROM "{TABLE_OF[kind].name}"'
            f" WHERE id {bulk.among(self.conn, 1)} AND contact_id IS NOT NULL ORDER BY contact_id"
        )
        return [row[0] for row in self.conn.exec_driver_sql(sql, (bulk.keys(self.conn, ids),))]
