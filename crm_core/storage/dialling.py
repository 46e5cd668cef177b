"""What the dialler works off: callbacks that are due, with what decides on them, and placed calls to be handed over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, and_, exists, func, select

from crm_core.model.callback import CallbackState, DialState
from crm_core.model.case import CaseState
from crm_core.model.records import CallbackRecord, LeadStatus
from crm_core.storage.tables import call, callback, contact, contact_case, dial, lead

LONGEST_CALL = timedelta(hours=6)
_OPEN_LEADS = (LeadStatus.NEW, LeadStatus.TAKEN)


class DueCallback(NamedTuple):
    """A callback that is due, and what is known of its client: `manager` looks after them, `group` is the lead's."""

    callback: CallbackRecord
    manager: str | None
    group: str | None
    city: str | None
    listed: bool
    talking: bool


class Unwanted(NamedTuple):
    """A placed call whose callback has ended."""

    dial_id: int
    pbx: str
    linkedid: str


def due_callbacks(conn: Connection, now: datetime, limit: int) -> list[DueCallback]:
    """Callbacks that are due, the longest due first. One statement."""
    talking = exists().where(
        call.c.contact_id == callback.c.contact_id,
        call.c.started_at > now - LONGEST_CALL,
        call.c.finished_at.is_(None),
    )
    manager = func.coalesce(contact.c.manager, contact_case.c.manager, lead.c.manager)
    known = (manager, lead.c.group_name, contact.c.city, contact.c.list_name, talking.label("talking"))
    statement = (
        select(callback, *known)
        .join(contact, contact.c.id == callback.c.contact_id)
        .outerjoin(
            contact_case, and_(contact_case.c.contact_id == contact.c.id, contact_case.c.state == CaseState.OPEN)
        )
        .outerjoin(lead, and_(lead.c.contact_id == contact.c.id, lead.c.status.in_(_OPEN_LEADS)))
        .where(callback.c.state == CallbackState.WAITING, callback.c.due_at <= now)
        .order_by(callback.c.due_at, callback.c.id)
        .limit(limit)
    )
    width = len(CallbackRecord._fields)
    found: list[DueCallback] = []
    for row in conn.execute(statement):
        manager_now, group, city, listed, talks = row[width:]
        record = CallbackRecord(*row[:width])
        found.append(DueCallback(record, manager_now, group, city, listed is not None, bool(talks)))
    return found


def unwanted_dials(conn: Connection, pbxs: Sequence[str]) -> list[Unwanted]:
    """Calls under way for callbacks that have ended: the client was reached, or is not to be rung any more."""
    statement = (
        select(dial.c.id, dial.c.pbx, dial.c.linkedid)
        .join(callback, callback.c.id == dial.c.callback_id)
        .where(
            dial.c.state == DialState.SENT,
            dial.c.pbx.in_(pbxs),
            callback.c.state.not_in((CallbackState.WAITING, CallbackState.DIALLING)),
        )
    )
    return [Unwanted(*row) for row in conn.execute(statement)]


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
