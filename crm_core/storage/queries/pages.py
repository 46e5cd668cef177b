"""Pages of records behind a cursor: the place of the last row, so that rows added meanwhile shift nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import Connection, Select, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import InvalidInput
from crm_core.storage.tables import TABLE_OF
from crm_core.storage.types import from_micros, to_micros

Item = TypeVar("Item")
Other = TypeVar("Other")
Record = TypeVar("Record", bound=tuple[Any, ...])

Reading: TypeAlias = Connection
"""What a query reads from, for those who only pass it on."""

LARGEST_ID = 2**63 - 1
_SECONDS_OF_ALL_TIME = 253402300799  # the end of year 9999


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items, and the cursor behind which the next page begins; None where there is none yet."""

    items: tuple[Item, ...]
    next: str | None

    def map(self, convert: Callable[[Item], Other]) -> Page[Other]:
        """The same page of other items."""
        return Page(tuple(convert(item) for item in self.items), self.next)


@dataclass(frozen=True, slots=True)
class Slice:
    """Which page is wanted: behind which cursor (None: the first), how many items."""

    after: str | None = None
    limit: int = 100


def all_of(
    conn: Connection, kind: type[Record], statement: Select[Any], given: Mapping[str, Any] | None = None
) -> list[Record]:
    """The records that a `select(table_of(kind))` yields; further columns are left out. `given`: the values of its
    named parameters."""
    width = len(TABLE_OF[kind].columns)
    return [kind(*row[:width]) for row in conn.execute(statement, given)]


def one_of(conn: Connection, kind: type[Record], key: Any) -> Record | None:
    """The record with this key (its first column)."""
    table = TABLE_OF[kind]
    found = all_of(conn, kind, select(table).where(next(iter(table.columns)) == key))
    return found[0] if found else None


def page_of(rows: Sequence[Item], limit: int, cursor: Callable[[Item], str]) -> Page[Item]:
    """A page of the rows that a query with `limit + 1` found."""
    if len(rows) <= limit:
        return Page(tuple(rows), None)
    kept = rows[:limit]
    return Page(tuple(kept), cursor(kept[-1]))


def number_cursor(after: str | None) -> int | None:
    """A cursor that is a number; raises InvalidInput."""
    if after is None:
        return None
    if not after.isascii() or not after.isdigit() or int(after[:20]) > LARGEST_ID:
        raise InvalidInput("«after» is not a cursor: take it from «next» of the page before")
    return int(after)


def moment_cursor(at: datetime, *numbers: int) -> str:
    """A cursor made of a moment and numbers."""
    plain = ".".join(str(each) for each in (to_micros(at), *numbers))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def parse_moment_cursor(after: str, numbers: int) -> tuple[datetime, tuple[int, ...]]:
    """What `moment_cursor` was made of; raises InvalidInput."""
    try:
        padded = after.encode("ascii") + b"=" * (-len(after) % 4)
        micros, *rest = (int(part[:20]) for part in base64.urlsafe_b64decode(padded).decode("ascii").split("."))
    except (ValueError, UnicodeError, binascii.Error):
        micros, rest = 0, []
    too_large = abs(micros) > _SECONDS_OF_ALL_TIME * 1_000_000 or any(abs(each) > LARGEST_ID for each in rest)
    if len(rest) != numbers or too_large:
        raise InvalidInput("«after» is not a cursor: take it from «next» of the page before")
    return from_micros(micros), tuple(rest)


def grouped(records: Iterable[Record], column: str) -> dict[Any, list[Record]]:
    """Records by a column, in their order."""
    found: dict[Any, list[Record]] = {}
    for record in records:
        found.setdefault(getattr(record, column), []).append(record)
    return found


def both(conditions: Iterable[ColumnElement[bool] | None]) -> list[ColumnElement[bool]]:
    """The conditions that are there."""
    return [condition for condition in conditions if condition is not None]
