"""The clients of a segment: who themselves, or whose records of a kind, pass a filter."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, distinct, func, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import InvalidInput
from crm_core.model.filters import Filter
from crm_core.model.records import ContactRecord
from crm_core.storage import tables
from crm_core.storage.filtering import Asking, condition, living, table_of
from crm_core.storage.queries.pages import Page, Slice, all_of, number_cursor, page_of


def clients(conn: Connection, kind: str, wanted: Filter, asking: Asking, *, above: int, limit: int) -> list[int]:
    """The ids of the next clients behind an id, by id. Raises InvalidInput for a filter that makes no sense."""
    owner, found = _found(kind, wanted, asking)
    statement = found.where(owner > above).order_by(owner).limit(limit)
    return [row[0] for row in conn.execute(statement)]


def count(conn: Connection, kind: str, wanted: Filter, asking: Asking) -> int:
    """How many clients there are."""
    _, found = _found(kind, wanted, asking)
    return int(conn.execute(select(func.count()).select_from(found.subquery())).scalar_one())


def page(conn: Connection, kind: str, wanted: Filter, asking: Asking, where: Slice) -> Page[ContactRecord]:
    """A page of the clients themselves, by id."""
    after = number_cursor(where.after) or 0
    ids = clients(conn, kind, wanted, asking, above=after, limit=where.limit + 1)
    statement = select(tables.contact).where(tables.contact.c.id.in_(ids)).order_by(tables.contact.c.id)
    return page_of(all_of(conn, ContactRecord, statement), where.limit, lambda record: str(record.id))


def _found(kind: str, wanted: Filter, asking: Asking) -> tuple[ColumnElement[Any], Select[Any]]:
    """Whose id is taken, and the statement."""
    table = table_of(kind, asking.catalogue)
    if table is tables.contact:
        owner: ColumnElement[Any] = table.c.id
        return owner, select(owner).where(living(kind), condition(kind, wanted, asking))
    column = table.c.get("contact_id")
    if column is None:
        raise InvalidInput(f"of: records of «{kind}» belong to no client")
    alive = select(tables.contact.c.id).where(living("contact"))
    return column, select(distinct(column)).where(
        column.is_not(None), column.in_(alive), living(kind), condition(kind, wanted, asking)
    )
