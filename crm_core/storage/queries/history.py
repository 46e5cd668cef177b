"""The history of a record, and what is linked to it, as they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, and_, or_, select

from crm_core.model.access import Access, Right
from crm_core.model.history import KIND_OF, ChangeRecord
from crm_core.model.selling import LinkRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, moment_cursor, page_of, parse_moment_cursor
from crm_core.storage.tables import TABLE_OF, change, link

_CLIENTS = frozenset({"contact", "company"})


def _right_of(kind: str) -> Right:
    """What whoever reads a record of a kind asks for; the office's own types are cards, too."""
    return Right.SEE_CLIENTS if kind in _CLIENTS else Right.SEE_SALES


def history_of(conn: Connection, access: Access, kind: str, ident: int, where: Slice) -> Page[ChangeRecord]:
    """Who changed what of a record, the newest first. One statement. Raises Forbidden for whoever sees no records of
    its kind."""
    access.demand(_right_of(kind))
    conditions = [change.c.kind == kind, change.c.subject_id == ident]
    if where.after is not None:
        # Ids come in blocks, so that they do not tell the order.
        at, (last,) = parse_moment_cursor(where.after, 1)
        conditions.append(or_(change.c.at < at, and_(change.c.at == at, change.c.id < last)))
    order = (change.c.at.desc(), change.c.id.desc())
    statement = select(change).where(*conditions).order_by(*order).limit(where.limit + 1)
    found = all_of(conn, ChangeRecord, statement)
    return page_of(found, where.limit, lambda each: moment_cursor(each.at, each.id))


def links_of(conn: Connection, access: Access, kind: str, ident: int) -> list[LinkRecord]:
    """The links that begin or end at a record, oldest first. Raises Forbidden for whoever sees no records of its
    kind."""
    access.demand(_right_of(kind))
    here = or_(
        (link.c.from_kind == kind) & (link.c.from_id == ident),
        (link.c.to_kind == kind) & (link.c.to_id == ident),
    )
    return all_of(conn, LinkRecord, select(link).where(here).order_by(link.c.id))


def titles_of(conn: Connection, ends: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """What records are called, by kind and id; a statement a kind of table."""
    wanted: dict[str, list[int]] = {}
    for kind, ident in ends:
        wanted.setdefault(kind, []).append(ident)
    found: dict[tuple[str, int], str] = {}
    tables = {kind: TABLE_OF[record] for record, kind in KIND_OF.items()}
    for kind, ids in wanted.items():
        table = tables.get(kind, tables["deal"])
        column = table.c.name if "name" in table.c else table.c.title
        for ident, title in conn.execute(select(table.c.id, column).where(table.c.id.in_(ids))):
            found[kind, ident] = title
    return found
