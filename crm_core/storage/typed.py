"""Questions about the values of custom fields; see `crm_core.ports.UnitOfWork`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from crm_core.model.definitions.values import FieldValueRecord
from crm_core.storage import bulk
from crm_core.storage.held import Held, Record
from crm_core.storage.tables import TABLE_OF


class Typed(Held):
    """The questions about what is kept by its value."""

    def unique_holders(self, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
        """With which records these values `(field id, unique key)` stand, as this transaction leaves them."""
        pairs = list(dict.fromkeys(wanted))
        if not pairs:
            return {}
        found: dict[tuple[int, str], int] = {}
        current, removed = self._current[FieldValueRecord], self._removed.get(FieldValueRecord, {})
        for key, field_id, value, subject_id in self.conn.exec_driver_sql(*self._asked(pairs)):
            # What was put or removed meanwhile under this key counts instead.
            if key not in current and key not in removed:
                found[field_id, value] = subject_id
        asked = set(pairs)
        for row in self._pending(FieldValueRecord):
            if row.unique_key is not None and (row.field_id, row.unique_key) in asked:
                found[row.field_id, row.unique_key] = row.subject_id
        return found

    def _asked(self, pairs: list[tuple[int, str]]) -> tuple[str, tuple[Any, ...]]:
        columns = "SELECT v.key, v.field_id, v.unique_key, v.subject_id FROM"
        if self.sqlite:
            sql = (
                f"{columns} json_each(?) AS k CROSS JOIN field_value AS v ON v.field_id = k.value ->> 0"
                " AND v.unique_key = k.value ->> 1 WHERE v.unique_key IS NOT NULL"
            )
            return sql, (orjson.dumps(pairs).decode(),)
        sql = (
            f"{columns} unnest($1::bigint[], $2::text[]) AS k (field_id, unique_key) JOIN field_value AS v"
            " ON v.field_id = k.field_id AND v.unique_key = k.unique_key WHERE v.unique_key IS NOT NULL"
        )
        return sql, ([field_id for field_id, _ in pairs], [value for _, value in pairs])

    def stretch(self, kind: type[Record], above: int, limit: int, type_name: str | None = None) -> list[Record]:
        """The next records of a kind behind an id, by id, locked; cards of one `type_name`."""
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2)]
        columns = bulk.select_list(kind, "t", self.engine)
        typed = f" AND t.type = {marks[1]}" if type_name is not None else ""
        lock = "" if self.sqlite else " FOR NO KEY UPDATE"
        sql = (
            f'SELECT {columns} FROM "{TABLE_OF[kind].name}" AS t WHERE t.id > {marks[0]}{typed}'
            f" ORDER BY t.id LIMIT {int(limit)}{lock}"
        )
        parameters: tuple[Any, ...] = (above, type_name) if type_name is not None else (above,)
        found: list[Record] = []
        for record in bulk.read(self.conn, kind, sql, parameters):
            self._remember(record)
            found.append(self._current[kind].get(record[0], record))
        return found

    def field_values(self, field_id: int, above: str, limit: int) -> list[FieldValueRecord]:
        """The next index rows of a field behind a key, by key."""
        marks = [bulk.placeholder(self.conn, position) for position in (1, 2, 3)]
        columns = bulk.select_list(FieldValueRecord, "t", self.engine)
        sql = (
            f"SELECT {columns} FROM field_value AS t WHERE t.key > {marks[0]} AND t.key < {marks[1]}"
            f" ORDER BY t.key LIMIT {marks[2]}"
        )
        first, beyond = max(above, f"{field_id}:"), f"{field_id};"  # `;` is the character after `:`
        found = bulk.read(self.conn, FieldValueRecord, sql, (first, beyond, limit))
        for record in found:
            self._remember(record)
        return found
