"""Placed calls and callbacks as they are listed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from crm_core.errors import NotFound
from crm_core.model.callback import CallbackState, DialState
from crm_core.model.records import CallbackRecord, DialRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, both, number_cursor, one_of, page_of
from crm_core.storage.tables import callback, dial


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


def list_dials(conn: Connection, wanted: DialFilter, where: Slice) -> Page[DialRecord]:
    """Placed calls, the newest first. One statement."""
    before, table = number_cursor(where.after), dial.c
    conditions = both(
        (
            table.id < before if before is not None else None,
            table.state == wanted.state if wanted.state is not None else None,
            table.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
            table.login == wanted.login if wanted.login is not None else None,
        )
    )
    statement = select(dial).where(*conditions).order_by(table.id.desc()).limit(where.limit + 1)
    return page_of(all_of(conn, DialRecord, statement), where.limit, lambda record: str(record.id))


def one_dial(conn: Connection, dial_id: int) -> DialRecord:
    """One placed call; raises NotFound."""
    found = one_of(conn, DialRecord, dial_id)
    if found is None:
        raise NotFound(f"there is no placed call {dial_id}")
    return found


def list_callbacks(conn: Connection, wanted: CallbackFilter, where: Slice) -> Page[CallbackRecord]:
    """Callbacks, the newest first. One statement."""
    before, table = number_cursor(where.after), callback.c
    conditions = both(
        (
            table.id < before if before is not None else None,
            table.state == wanted.state if wanted.state is not None else None,
            table.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
            table.manager == wanted.manager if wanted.manager is not None else None,
        )
    )
    statement = select(callback).where(*conditions).order_by(table.id.desc()).limit(where.limit + 1)
    return page_of(all_of(conn, CallbackRecord, statement), where.limit, lambda record: str(record.id))


def one_callback(conn: Connection, callback_id: int) -> CallbackRecord:
    """One callback; raises NotFound."""
    found = one_of(conn, CallbackRecord, callback_id)
    if found is None:
        raise NotFound(f"there is no callback {callback_id}")
    return found
