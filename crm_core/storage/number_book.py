"""Numbers by their last digits, for telephone exchanges that must know by themselves who takes a call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from crm_core.storage import bulk
from crm_core.storage.numbers import SELECT, NumberRow

_LISTED = "SELECT key, list_name FROM listed_number"
_TAIL = 10


def ending_with(conn: Connection, ending: str) -> tuple[list[NumberRow], dict[str, str]]:
    """Every number with these last digits, and the bare ones of them on special lists (identity to list)."""
    cut = _cut(conn, len(ending))
    mark = bulk.placeholder(conn, 1)
    sql = f"{SELECT} WHERE i.key > 'tel:' AND i.key < 'tel;' AND {cut.format('i.key')} = {mark}"
    rows = [NumberRow(*row) for row in conn.exec_driver_sql(sql, (ending,))]
    sql = f"{_LISTED} WHERE key > 'tel:' AND key < 'tel;' AND {cut.format('key')} = {mark}"
    return rows, {row[0]: row[1] for row in conn.exec_driver_sql(sql, (ending,))}


def by_keys(conn: Connection, keys: Sequence[str]) -> tuple[list[NumberRow], dict[str, str]]:
    """The same of these identities."""
    rows = conn.exec_driver_sql(f"{SELECT} WHERE i.key {bulk.among(conn, 1, 'text')}", (bulk.keys(conn, keys),))
    found = [NumberRow(*row) for row in rows]
    listed = conn.exec_driver_sql(f"{_LISTED} WHERE key {bulk.among(conn, 1, 'text')}", (bulk.keys(conn, keys),))
    return found, {row[0]: row[1] for row in listed}


def countries(conn: Connection) -> set[str]:
    """What stands before the last ten digits of any number: `7` of `tel:+79161234567`."""
    found: set[str] = set()
    start, length = len("tel:+") + 1, len("tel:+") + _TAIL
    for table in ("identity", "listed_number"):
        sql = (
            f"SELECT DISTINCT substr(key, {start}, length(key) - {length}) FROM {table}"
            f" WHERE key > 'tel:+' AND key < 'tel:,' AND length(key) > {length}"
        )
        found.update(row[0] for row in conn.exec_driver_sql(sql))
    return found


def keys_of(tails: Iterable[str], before: Iterable[str]) -> list[str]:
    """Every identity that may end with these digits."""
    starts = ("", *before)
    return [f"tel:+{start}{tail}" for tail in tails for start in (starts if len(tail) == _TAIL else ("",))]


def tail(key: str) -> str:
    """The last ten digits of `tel:+7…`."""
    return key.removeprefix("tel:").removeprefix("+")[-_TAIL:]


def _cut(conn: Connection, length: int) -> str:
    return f"substr({{}}, -{length})" if conn.dialect.name == "sqlite" else f"right({{}}, {length})"
