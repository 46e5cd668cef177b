"""The clients of a segment: who themselves, or whose records of a kind, pass a filter."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, func, select

from crm_core.model.access import Access, Right
from crm_core.model.filters import Filter
from crm_core.model.records import ContactRecord
from crm_core.storage import tables
from crm_core.storage.audience import clients, who
from crm_core.storage.filtering import Asking, condition
from crm_core.storage.queries.pages import Page, Slice, all_of, number_cursor, page_of


def count(conn: Connection, access: Access, kind: str, wanted: Filter, asking: Asking) -> int:
    """How many clients there are. Raises Forbidden for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    _, found = who(kind, wanted, asking)
    return int(conn.execute(select(func.count()).select_from(found.subquery())).scalar_one())


def within(kind: str, wanted: Filter, asking: Asking) -> ColumnElement[bool]:
    """That a contact is one of them. Raises InvalidInput for a filter that makes no sense."""
    if kind == "contact":
        return condition(kind, wanted, asking)
    _, found = who(kind, wanted, asking)
    return tables.contact.c.id.in_(found)


def page(
    conn: Connection, access: Access, kind: str, wanted: Filter, asking: Asking, where: Slice
) -> Page[ContactRecord]:
    """A page of the clients themselves, by id. Raises Forbidden for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    after = number_cursor(where.after) or 0
    ids = clients(conn, kind, wanted, asking, above=after, limit=where.limit + 1)
    statement = select(tables.contact).where(tables.contact.c.id.in_(ids)).order_by(tables.contact.c.id)
    return page_of(all_of(conn, ContactRecord, statement), where.limit, lambda record: str(record.id))
