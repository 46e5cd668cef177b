"""Who is behind telephone numbers, for decisions on calls: read whole at the start, then contact by contact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from crm_core.storage import bulk

_PAGE = 20_000
# The manager of an open lead takes the calls of a client who has no own manager yet.
SELECT = (
    "SELECT i.key, i.contact_id, COALESCE(c.manager, l.manager), c.list_name"
    " FROM identity AS i JOIN contact AS c ON c.id = i.contact_id"
    " LEFT JOIN lead AS l ON l.contact_id = c.id AND l.status IN ('new', 'taken')"
)


class NumberRow(NamedTuple):
    """A number `tel:+7…` and what decides on its calls."""

    key: str
    contact_id: int
    manager: str | None
    list_name: str | None


def all_numbers(conn: Connection) -> Iterator[list[NumberRow]]:
    """Every number, page by page."""
    last = "tel:"
    mark = bulk.placeholder(conn, 1)
    sql = f"{SELECT} WHERE i.key > {mark} AND i.key < 'tel;' ORDER BY i.key LIMIT {_PAGE}"
    while True:
        page = [NumberRow(*row) for row in conn.exec_driver_sql(sql, (last,))]
        if page:
            yield page
        if len(page) < _PAGE:
            return
        last = page[-1].key


def numbers_of(conn: Connection, contact_ids: Iterable[int]) -> list[NumberRow]:
    """The numbers of some contacts."""
    sql = f"{SELECT} WHERE i.contact_id {bulk.among(conn, 1)} AND i.key >= 'tel:' AND i.key < 'tel;'"
    return [NumberRow(*row) for row in conn.exec_driver_sql(sql, (bulk.keys(conn, contact_ids),))]


def listed(conn: Connection) -> dict[str, str]:
    """Every bare number on a special list: identity to list."""
    return {row[0]: row[1] for row in conn.exec_driver_sql("SELECT key, list_name FROM listed_number")}
