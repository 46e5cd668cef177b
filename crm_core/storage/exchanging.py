"""Questions about what is brought in and handed over; see `crm_core.ports.UnitOfWork`."""

from __future__ import annotations

from crm_core.errors import NotFound
from crm_core.model.exchange import ImportRecord
from crm_core.storage.held import Held


class Exchanging(Held):
    """The questions about imports."""

    def import_run(self, import_id: int) -> ImportRecord:
        """An import, locked until the end of the transaction; raises NotFound."""
        known: ImportRecord | None = self._current[ImportRecord].get(import_id)
        if known is None:
            self._load(ImportRecord, [import_id], "t.id", tail=self._lock)
            known = self._current[ImportRecord].get(import_id)
        if known is None:
            raise NotFound(f"there is no import {import_id}")
        return known
