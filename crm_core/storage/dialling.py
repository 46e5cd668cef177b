"""What the dialler works off: callbacks that are due, with what decides on them, and placed calls to be handed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, exists, select

from crm_core.model.callback import CallbackState, DialState
from crm_core.model.records import CallbackRecord
from crm_core.storage.tables import call, callback, contact, dial

LONGEST_CALL = timedelta(hours=6)


class DueCallback(NamedTuple):
    """A callback that is due, and what is known of its client."""

    callback: CallbackRecord
    manager: str | None
    city: str | None
    listed: bool
    talking: bool


def due_callbacks(conn: Connection, now: datetime, limit: int) -> list[DueCallback]:
    """Callbacks that are due, the longest due first. One statement."""
    talking = exists().where(
        call.c.contact_id == callback.c.contact_id,
        call.c.started_at > now - LONGEST_CALL,
        call.c.finished_at.is_(None),
    )
    statement = (
        select(callback, contact.c.manager, contact.c.city, contact.c.list_name, talking.label("talking"))
        .join(contact, contact.c.id == callback.c.contact_id)
        .where(callback.c.state == CallbackState.WAITING, callback.c.due_at <= now)
        .order_by(callback.c.due_at, callback.c.id)
        .limit(limit)
    )
    width = len(CallbackRecord._fields)
    return [
        DueCallback(CallbackRecord(*row[:width]), row[width], row[width + 1], row[width + 2] is not None, bool(row[-1]))
        for row in conn.execute(statement)
    ]


def next_callback(conn: Connection, after: datetime) -> datetime | None:
    """When the next callback comes that is not due yet."""
    statement = (
        select(callback.c.due_at)
        .where(callback.c.state == CallbackState.WAITING, callback.c.due_at > after)
        .order_by(callback.c.due_at)
        .limit(1)
    )
    return conn.execute(statement).scalar_one_or_none()


def queued_dials(conn: Connection, pbxs: Sequence[str], now: datetime, limit: int) -> list[int]:
    """The calls to be handed over to these PBXs, oldest first; those that came too late are left to their deadline."""
    statement = (
        select(dial.c.id)
        .where(dial.c.state == DialState.QUEUED, dial.c.pbx.in_(pbxs), dial.c.expires_at > now)
        .order_by(dial.c.id)
        .limit(limit)
    )
    return list(conn.execute(statement).scalars())
