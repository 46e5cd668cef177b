"""Numbers on special lists, and the tags in use."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from crm_core.model.access import Access, Right
from crm_core.model.records import ListedNumberRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, page_of
from crm_core.storage.tables import listed_number


@dataclass(frozen=True, slots=True)
class TagUse:
    """A tag, and how many contacts, leads and deals carry it."""

    name: str
    count: int


def list_numbers(conn: Connection, access: Access, list_name: str, where: Slice) -> Page[ListedNumberRecord]:
    """The bare numbers of a list, in their order. One statement. Raises Forbidden for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    statement = select(listed_number).where(listed_number.c.list_name == list_name)
    if where.after is not None:
        statement = statement.where(listed_number.c.key > where.after)
    rows = all_of(conn, ListedNumberRecord, statement.order_by(listed_number.c.key).limit(where.limit + 1))
    return page_of(rows, where.limit, lambda record: record.key)


def count_numbers(conn: Connection, access: Access) -> dict[str, int]:
    """How many bare numbers stand on each list. One statement. Raises Forbidden for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    statement = select(listed_number.c.list_name, func.count()).group_by(listed_number.c.list_name)
    return {name: int(count) for name, count in conn.execute(statement)}


def used_tags(conn: Connection, access: Access) -> tuple[TagUse, ...]:
    """Every tag in use, the most used first. One statement. Raises Forbidden for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    parts: list[str] = []
    for table in ("contact", "lead", "deal"):
        if conn.dialect.name == "sqlite":
            parts.append(f"SELECT j.value AS name FROM {table} AS t, json_each(t.tags) AS j")
        else:
            parts.append(f"SELECT jsonb_array_elements_text(t.tags) AS name FROM {table} AS t")
    union = " UNION ALL ".join(parts)
    sql = f"SELECT name, count(*) FROM ({union}) AS used GROUP BY name ORDER BY count(*) DESC, name"
    return tuple(TagUse(str(name), int(count)) for name, count in conn.exec_driver_sql(sql))
