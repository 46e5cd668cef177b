"""The records that one transaction holds: what was read, as it was and as it is now, found by key and by contact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from crm_core.model.definitions import Catalogue
from crm_core.model.history import KIND_OF, Change
from crm_core.model.records import (
    ContactRecord,
)
from crm_core.model.user import Staff
from crm_core.storage import bulk
from crm_core.storage.ids import IdSource
from crm_core.storage.revisions import Caches
from crm_core.storage.tables import TABLE_OF

Record = TypeVar("Record", bound=tuple[Any, ...])

# Where a record names its contact.
OWNER_COLUMN: dict[type, int | None] = {
    kind: list(table.columns.keys()).index("contact_id") if "contact_id" in table.columns else None
    for kind, table in TABLE_OF.items()
}


class Held:
    """Records are immutable; `put` replaces the current version. Each is read once."""

    def __init__(self, conn: Connection, now: datetime, ids: IdSource, caches: Caches) -> None:
        self.conn = conn
        self.now = now
        self.position: int | None = None
        self._ids = ids
        self.author = ""
        self._caches = caches
        self._staff: Staff | None = None
        self._catalogue: Catalogue | None = None
        self._looked_at: dict[type, dict[Any, Any]] = defaultdict(dict)
        self._authors: dict[tuple[type, Any], str] = {}
        # Of tracked records what each who acted left behind, in the order in which they did.
        self._by_author: defaultdict[type, dict[Any, list[tuple[str, Any]]]] = defaultdict(dict)
        self._current: defaultdict[type, dict[Any, Any]] = defaultdict(dict)
        self._original: defaultdict[type, dict[Any, Any]] = defaultdict(dict)
        self._dirty: dict[type, dict[Any, None]] = defaultdict(dict)
        self._removed: dict[type, dict[Any, None]] = defaultdict(dict)
        self._by_contact: defaultdict[type, dict[int, dict[Any, None]]] = defaultdict(dict)
        self._loaded: defaultdict[tuple[type, str], set[Any]] = defaultdict(set)
        self._topics: list[list[Any]] = []
        self._attended: dict[int, set[tuple[str, str, str]]] = {}

    # ------------------------------------------------------------ changing

    def next_id(self) -> int:
        """A fresh id."""
        return self._ids.next(self.conn)

    def put(self, record: tuple[Any, ...]) -> None:
        """Add a new record or replace the current version of a read one."""
        kind, key = type(record), record[0]
        self._current[kind][key] = record
        self._dirty[kind][key] = None
        self._index(kind, record)
        if self.author:
            self._authors[kind, key] = self.author
        if kind in KIND_OF:
            said = self._by_author[kind].setdefault(key, [])
            if said and said[-1][0] == self.author:
                said[-1] = (self.author, record)
            else:
                said.append((self.author, record))
        if kind in self._removed:
            self._removed[kind].pop(key, None)

    def remove(self, kind: type, key: Any) -> None:
        """Delete a record."""
        self._current[kind].pop(key, None)
        self._dirty[kind].pop(key, None)
        self._removed[kind][key] = None

    def changed(self, topic: str, subject_id: int, contact_id: int | None = None) -> None:
        """Tell the feed of a change that is in none of the records."""
        self._topics.append([topic, subject_id, contact_id])

    def take_changes(self, kinds: Iterable[type]) -> list[Change]:
        """What was put or removed of these kinds since the last look, as (before, after)."""
        found: list[Change] = []
        for kind in kinds:
            dirty, current, original = self._dirty.get(kind, ()), self._current[kind], self._original[kind]
            looked_at = self._looked_at[kind]
            for key in dirty:
                after = current[key]
                before = looked_at[key] if key in looked_at else original.get(key)
                if before != after:
                    found.append(Change(before, after))
                    looked_at[key] = after
            for key in self._removed.get(kind, ()):
                before = looked_at[key] if key in looked_at else original.get(key)
                if before is not None:
                    found.append(Change(before, None))
                    looked_at[key] = None
        return found

    def all_changes(self, kinds: Iterable[type]) -> list[tuple[Change, str]]:
        """What this transaction changes of these kinds altogether, each with who put it last."""
        found: list[tuple[Change, str]] = []
        for kind in kinds:
            current, original = self._current[kind], self._original[kind]
            for key in self._dirty.get(kind, ()):
                before, after = original.get(key), current[key]
                if before != after:
                    found.append((Change(before, after), self._authors.get((kind, key), self.author)))
            gone = (key for key in self._removed.get(kind, ()) if key in original)
            found.extend((Change(original[key], None), self._authors.get((kind, key), self.author)) for key in gone)
        return found

    def changes_by_author(self) -> list[tuple[Change, str]]:
        """What this transaction changes of tracked records, of each who acted apart; whoever made a new one leaves it
        as it was made."""
        found: list[tuple[Change, str]] = []
        for kind, put in self._by_author.items():
            current, original = self._current[kind], self._original[kind]
            for key, said in put.items():
                if key not in current:
                    continue
                made = key not in original
                before = said[0][1] if made else original[key]
                for author, after in said[1:] if made else said:
                    found.append((Change(before, after), author))
                    before = after
        return found

    # ------------------------------------------------------------ inside

    @property
    def engine(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.conn.dialect.name

    @property
    def _lock(self) -> str:
        """Rows locked in the order of their ids, so that two transactions can't wait for each other."""
        return "" if self.sqlite else " ORDER BY t.id FOR NO KEY UPDATE"

    @property
    def sqlite(self) -> bool:
        """Whether this is the embedded engine."""
        return self.conn.dialect.name == "sqlite"

    def _load(
        self,
        kind: type[Record],
        keys: Iterable[Any],
        column: str,
        condition: str = "",
        *,
        array: str = "bigint",
        tail: str = "",
    ) -> None:
        wanted = list(dict.fromkeys(keys))
        if not wanted:
            return
        columns = bulk.select_list(kind, "t", self.engine)
        among = bulk.among(self.conn, 1, array)
        also = f" AND {condition}" if condition else ""
        sql = f'SELECT {columns} FROM "{TABLE_OF[kind].name}" AS t WHERE {column} {among}{also}{tail}'
        for record in bulk.read(self.conn, kind, sql, (bulk.keys(self.conn, wanted),)):
            self._remember(record)

    def _remember(self, record: tuple[Any, ...]) -> None:
        kind, key = type(record), record[0]
        self._original[kind].setdefault(key, record)
        if key not in self._removed[kind] and key not in self._current[kind]:
            self._current[kind][key] = record
            self._index(kind, record)

    def _of_contacts(
        self, kind: type[Record], contact_ids: Iterable[int], condition: str = ""
    ) -> dict[int, list[Record]]:
        """The records of contacts, read once a contact and condition; a contact made here has only what was put."""
        wanted = list(dict.fromkeys(contact_ids))
        contacts, stored = self._current[ContactRecord], self._original[ContactRecord]
        elsewhere = [each for each in wanted if each in stored or each not in contacts]
        if elsewhere:
            complete, known = self._loaded[kind, ""], self._loaded[kind, condition]
            missing = [each for each in elsewhere if each not in known and each not in complete]
            self._load(kind, missing, "t.contact_id", condition)
            known.update(missing)
        index, current = self._by_contact[kind], self._current[kind]
        found: dict[int, list[Record]] = {}
        for owner in wanted:
            owned = index.get(owner, ())
            records = [current[key] for key in owned if key in current] if owned else []
            found[owner] = [record for record in records if record.contact_id == owner] if records else []
        return found

    def _index(self, kind: type, record: tuple[Any, ...]) -> None:
        column = OWNER_COLUMN[kind]
        if column is not None and (owner := record[column]) is not None:
            owned = self._by_contact[kind]
            if owner in owned:
                owned[owner][record[0]] = None
            else:
                owned[owner] = {record[0]: None}

    def _all(self, kind: type[Record]) -> list[Record]:
        return list(self._current[kind].values())

    def _pending(self, kind: type[Record]) -> list[Record]:
        return [self._current[kind][key] for key in self._dirty.get(kind, ())]

    def _those(self, kind: type[Record], keys: Iterable[Any]) -> dict[Any, Record]:
        found = ((key, self._current[kind].get(key)) for key in keys)
        return {key: record for key, record in found if record is not None}
