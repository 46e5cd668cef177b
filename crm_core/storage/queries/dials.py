"""Placed calls and callbacks as they are listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Table, literal, select, tuple_
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right
from crm_core.model.callback import CallbackState, DialState
from crm_core.model.records import CallbackRecord, DialRecord
from crm_core.storage.queries.pages import (
    Page,
    Slice,
    all_of,
    both,
    moment_cursor,
    one_of,
    page_of,
    parse_moment_cursor,
)
from crm_core.storage.tables import callback, dial
from crm_core.storage.types import UtcDateTime


@dataclass(frozen=True, slots=True)
class DialFilter:
    """Which placed calls are wanted."""

    state: DialState | None = None
    contact_id: int | None = None
    login: str | None = None


@dataclass(frozen=True, slots=True)
class CallbackFilter:
    """Which callbacks are wanted."""

    state: CallbackState | None = None
    contact_id: int | None = None
    manager: str | None = None


def list_dials(conn: Connection, access: Access, wanted: DialFilter, where: Slice) -> Page[DialRecord]:
    """Placed calls, the newest first. One statement. Raises Forbidden for whoever sees no calls."""
    access.demand(Right.SEE_CALLS)
    table = dial.c
    conditions = both(
        (
            _behind(dial, where.after),
            table.state == wanted.state if wanted.state is not None else None,
            table.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
            table.login == wanted.login if wanted.login is not None else None,
        )
    )
    statement = select(dial).where(*conditions).order_by(*_newest_first(dial)).limit(where.limit + 1)
    return page_of(all_of(conn, DialRecord, statement), where.limit, _place)


def one_dial(conn: Connection, access: Access, dial_id: int) -> DialRecord:
    """One placed call; raises NotFound, Forbidden."""
    access.demand(Right.SEE_CALLS)
    found = one_of(conn, DialRecord, dial_id)
    if found is None:
        raise NotFound("there is no placed call {dial}", dial=dial_id)
    return found


def list_callbacks(conn: Connection, access: Access, wanted: CallbackFilter, where: Slice) -> Page[CallbackRecord]:
    """Callbacks, the newest first. One statement. Raises Forbidden for whoever sees no calls."""
    access.demand(Right.SEE_CALLS)
    table = callback.c
    conditions = both(
        (
            _behind(callback, where.after),
            table.state == wanted.state if wanted.state is not None else None,
            table.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
            table.manager == wanted.manager if wanted.manager is not None else None,
        )
    )
    statement = select(callback).where(*conditions).order_by(*_newest_first(callback)).limit(where.limit + 1)
    return page_of(all_of(conn, CallbackRecord, statement), where.limit, _place)


def one_callback(conn: Connection, access: Access, callback_id: int) -> CallbackRecord:
    """One callback; raises NotFound, Forbidden."""
    access.demand(Right.SEE_CALLS)
    found = one_of(conn, CallbackRecord, callback_id)
    if found is None:
        raise NotFound("there is no callback {callback}", callback=callback_id)
    return found


def _newest_first(table: Table) -> tuple[UnaryExpression[Any], UnaryExpression[Any]]:
    # by the moment: ids come from blocks, one block a connection, and tell the order only roughly
    return table.c.created_at.desc(), table.c.id.desc()


def _behind(table: Table, after: str | None) -> ColumnElement[bool] | None:
    if after is None:
        return None
    at, (number,) = parse_moment_cursor(after, 1)
    place = tuple_(literal(at, UtcDateTime()), literal(number, BigInteger()))
    return tuple_(table.c.created_at, table.c.id) < place


def _place(record: DialRecord | CallbackRecord) -> str:
    return moment_cursor(record.created_at, record.id)
