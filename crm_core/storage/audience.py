"""Whom a filter means: clients themselves, or those whose records of a kind pass it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import InvalidInput
from crm_core.model.filters import Filter
from crm_core.storage import tables
from crm_core.storage.filtering import Asking, condition, living, table_of
from crm_core.storage.sight import seen_card


def clients(conn: Connection, kind: str, wanted: Filter, asking: Asking, *, above: int, limit: int) -> list[int]:
    """The ids of the next clients behind an id, by id. Raises InvalidInput for a filter that makes no sense."""
    owner, found = who(kind, wanted, asking)
    statement = found.where(owner > above).order_by(owner).limit(limit)
    return [row[0] for row in conn.execute(statement)]


def who(kind: str, wanted: Filter, asking: Asking) -> tuple[ColumnElement[Any], Select[Any]]:
    """Whose id is taken, and the statement."""
    table = table_of(kind, asking.catalogue)
    if table is tables.contact:
        owner: ColumnElement[Any] = table.c.id
        return owner, select(owner).where(living(kind), condition(kind, wanted, asking))
    column = table.c.get("contact_id")
    if column is None:
        raise InvalidInput("of: records of «{kind}» belong to no client", kind=kind)
    alive = select(tables.contact.c.id).where(living("contact"))
    seen = seen_card(asking.sight, table) if table is tables.deal and asking.sight is not None else None
    conditions = (living(kind), condition(kind, wanted, asking), *(() if seen is None else (seen,)))
    found = select(column).distinct().where(column.in_(alive), *conditions)
    return column, found
