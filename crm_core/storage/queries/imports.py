"""Imports: those that wait, one by one, and the lines that could not be taken in."""

from __future__ import annotations

from sqlalchemy import Connection, select

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right, demand
from crm_core.model.exchange import ImportProblemRecord, ImportRecord, ImportState
from crm_core.storage.queries.pages import Page, Slice, all_of, number_cursor, one_of, page_of
from crm_core.storage.tables import import_problem, import_run

_ACTIVE = (ImportState.READY, ImportState.RUNNING)


def one_import(conn: Connection, access: Access | None, import_id: int) -> ImportRecord:
    """An import as it stands; raises NotFound, Forbidden."""
    demand(access, Right.IMPORT)
    found = one_of(conn, ImportRecord, import_id)
    if found is None:
        raise NotFound("there is no import {import_id}", import_id=import_id)
    return found


def unfinished(conn: Connection, kind: str, sha256: str) -> ImportRecord | None:
    """The import of this very file that was begun and did not come to its end."""
    columns = import_run.c
    statement = select(import_run).where(columns.kind == kind, columns.sha256 == sha256, columns.state.in_(_ACTIVE))
    found = all_of(conn, ImportRecord, statement.order_by(columns.id.desc()).limit(1))
    return found[0] if found else None


def waiting(conn: Connection) -> list[ImportRecord]:
    """Every import that has not come to its end, the oldest first."""
    columns = import_run.c
    return all_of(conn, ImportRecord, select(import_run).where(columns.state.in_(_ACTIVE)).order_by(columns.id))


def list_imports(conn: Connection, access: Access, where: Slice) -> Page[ImportRecord]:
    """Imports, the newest first. Raises Forbidden."""
    access.demand(Right.IMPORT)
    columns = import_run.c
    statement = select(import_run).order_by(columns.id.desc()).limit(where.limit + 1)
    after = number_cursor(where.after)
    if after is not None:
        statement = statement.where(columns.id < after)
    return page_of(all_of(conn, ImportRecord, statement), where.limit, lambda each: str(each.id))


def list_problems(conn: Connection, access: Access, import_id: int, where: Slice) -> Page[ImportProblemRecord]:
    """What was wrong with lines of an import, in their order. Raises Forbidden."""
    access.demand(Right.IMPORT)
    after = number_cursor(where.after)
    found = _problems(conn, import_id, after or 0, where.limit + 1)
    return page_of(found, where.limit, lambda each: str(each.line))


def _problems(conn: Connection, import_id: int, line: int, limit: int) -> list[ImportProblemRecord]:
    columns = import_problem.c
    statement = select(import_problem).where(columns.import_id == import_id, columns.line > line)
    return all_of(conn, ImportProblemRecord, statement.order_by(columns.line).limit(limit))
