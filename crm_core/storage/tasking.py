"""Questions about tasks; see `crm_core.ports.UnitOfWork`."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from crm_core.errors import ConcurrentChange, NotFound
from crm_core.model.records import ContactRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.storage import bulk
from crm_core.storage.held import Held

_OF = frozenset({"deal_id", "lead_id", "contact_id", "assignee"})


class Tasking(Held):
    """The questions about tasks, and about clients whose status is another one by their sales."""

    def status_changes(self, above: int, limit: int) -> dict[int, str]:
        """The next clients behind an id whose worked-out status is not the one they have, and that status."""
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2)]
        sql = (
            "SELECT s.contact_id, s.status FROM client_score AS s JOIN contact AS c ON c.id = s.contact_id"
            f" WHERE s.contact_id > {marks[0]} AND c.status IS DISTINCT FROM s.status AND c.merged_into IS NULL"
            f" AND c.deleted_at IS NULL ORDER BY s.contact_id LIMIT {marks[1]}"
        )
        return {row[0]: row[1] for row in self.conn.exec_driver_sql(sql, (above, limit))}

    def task(self, task_id: int) -> tuple[TaskRecord, ContactRecord | None]:
        """A task and its client, both locked, the client first; raises NotFound, also for a deleted one."""
        found = self.tasks([task_id])
        if not found:
            raise NotFound("there is no task {task}", task=task_id)
        owner = found[0].contact_id
        return found[0], self._current[ContactRecord].get(owner) if owner is not None else None

    def tasks(self, ids: Iterable[int]) -> list[TaskRecord]:
        """Tasks that are not deleted, locked with their clients; by id."""
        wanted, known = list(dict.fromkeys(ids)), self._current[TaskRecord]
        missing = [each for each in wanted if each not in known]
        if missing:
            sql = f"SELECT id, contact_id FROM task WHERE id {bulk.among(self.conn, 1)}"
            rows = self.conn.exec_driver_sql(sql, (bulk.keys(self.conn, missing),))
            self._lock_tasks({row[0]: row[1] for row in rows})
        found = (known[each] for each in sorted(wanted) if each in known)
        return [each for each in found if each.deleted_at is None]

    def open_tasks(self, column: str, keys: Iterable[Any]) -> list[TaskRecord]:
        """The open tasks of deals, leads, contacts or people, by `deal_id`, `lead_id`, `contact_id`, `assignee`; locked
        with their clients; by id."""
        if column not in _OF:
            raise ValueError(f"tasks are not looked for by {column}")
        wanted = list(dict.fromkeys(keys))
        if not wanted:
            return []
        array = "text" if isinstance(wanted[0], str) else "bigint"
        sql = f"SELECT id FROM task WHERE {column} {bulk.among(self.conn, 1, array)} AND state = 'open'"
        ids = [row[0] for row in self.conn.exec_driver_sql(sql, (bulk.keys(self.conn, wanted),))]
        self.tasks(ids)
        here, among = TaskRecord._fields.index(column), set(wanted)
        found = (each for each in self._all(TaskRecord) if each[here] in among)
        return sorted(
            (each for each in found if each.state is TaskState.OPEN and each.deleted_at is None), key=itemgetter(0)
        )

    def _lock_tasks(self, owners: dict[int, int | None]) -> None:
        """The clients first, in the order of their ids, as everybody does; then the tasks, some of which have none."""
        contacts = self._current[ContactRecord]
        clients = sorted({each for each in owners.values() if each is not None and each not in contacts})
        self._load(ContactRecord, clients, "t.id", tail=self._lock)
        self._load(TaskRecord, list(owners), "t.id", tail=self._lock)
        for task_id, owner in owners.items():
            found = self._current[TaskRecord].get(task_id)
            if found is not None and found.contact_id != owner:
                raise ConcurrentChange(f"task {task_id} changed hands")
