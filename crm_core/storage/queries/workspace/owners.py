"""Whose work changed: who is to look after what was written just now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, String, cast, literal, null, select, union_all

from crm_core.storage.tables import contact_case, deal, lead, task


class Owner(NamedTuple):
    """Who looks after a row of a table that was made `since`: a person, else whoever takes it, of a group where one is
    named. `also` has something to do with it: a deal's manager with its tasks."""

    table: str
    id: int
    since: datetime
    login: str | None
    group: str | None
    also: str | None


_NAMES = ("id", "since", "login", "group_name", "also")


def _owned(table: str) -> Select[Any]:
    nobody = cast(null(), String)
    columns: tuple[ColumnElement[Any], ...]
    match table:
        case "contact_case":
            columns = (contact_case.c.id, contact_case.c.opened_at, contact_case.c.manager, nobody, nobody)
        case "lead":
            columns = (lead.c.id, lead.c.created_at, lead.c.manager, lead.c.group_name, nobody)
        case "task":
            manager = select(deal.c.manager).where(deal.c.id == task.c.deal_id).correlate(task).scalar_subquery()
            columns = (task.c.id, task.c.created_at, task.c.assignee, nobody, manager)
        case _:
            columns = (deal.c.id, deal.c.created_at, deal.c.manager, nobody, nobody)
    named = (each.label(name) for each, name in zip(columns, _NAMES, strict=True))
    return select(literal(table).label("name"), *named)


OWNED = ("contact_case", "lead", "task", "deal")
"""The tables whose rows are somebody's work."""


def owners_of(conn: Connection, ids: Mapping[str, Collection[int]]) -> list[Owner]:
    """The owners of these rows, by table; rows that are gone are left out. One statement."""
    parts = []
    for table in OWNED:
        if ids.get(table):
            statement = _owned(table)
            parts.append(statement.where(statement.selected_columns.id.in_(ids[table])))
    if not parts:
        return []
    return [Owner(*row) for row in conn.execute(union_all(*parts))]
