"""How much people talked, for groups that are rung by it: read for the last days at the start, then call by call."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from crm_core.model.call import Direction
from crm_core.storage.tables import call


class TalkRow(NamedTuple):
    """A call that somebody took part in; `taken` says that they answered a client's call."""

    id: int
    login: str
    taken: bool
    answered_at: datetime
    finished_at: datetime | None


def last_talks(conn: Connection, since: datetime) -> dict[str, datetime]:
    """When each person's last conversation ended (or began, if it goes on), of calls begun since then."""
    over = func.max(func.coalesce(call.c.finished_at, call.c.answered_at), type_=call.c.finished_at.type)
    found = conn.execute(
        select(call.c.answered_by, over)
        .where(call.c.started_at >= since, call.c.answered_by.is_not(None), call.c.answered_at.is_not(None))
        .group_by(call.c.answered_by)
    )
    return {row[0]: row[1] for row in found}


def talks_since(conn: Connection, since: datetime) -> list[TalkRow]:
    """The calls begun since then that somebody took part in."""
    return _rows(conn, call.c.started_at >= since)


def talks_of(conn: Connection, call_ids: Iterable[int]) -> list[TalkRow]:
    """Those of these calls that somebody took part in."""
    return _rows(conn, call.c.id.in_(list(call_ids)))


def _rows(conn: Connection, wanted: ColumnElement[bool]) -> list[TalkRow]:
    columns = (call.c.id, call.c.answered_by, call.c.direction, call.c.answered_at, call.c.finished_at)
    found = conn.execute(
        select(*columns).where(wanted, call.c.answered_by.is_not(None), call.c.answered_at.is_not(None))
    )
    return [
        TalkRow(row.id, row.answered_by, row.direction is Direction.IN, row.answered_at, row.finished_at)
        for row in found
    ]
