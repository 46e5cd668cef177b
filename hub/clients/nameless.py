"""Of which clients channels may ask the name: whoever the record knows by an id alone."""

from __future__ import annotations

from collections.abc import Sequence

from crm_core.model.identity import Identity, IdentityKind
from crm_core.storage.queries.nameless import nameless
from crm_core.storage.store import Store


class RecordedNameless:
    """See `crm_core.ports.Nameless`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def nameless(self, kind: IdentityKind, limit: int) -> Sequence[Identity]:
        """The newest first; raises StorageUnavailable."""
        return await self._store.read(lambda conn: nameless(conn, kind, limit))
