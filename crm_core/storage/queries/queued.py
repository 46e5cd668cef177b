"""What stands in the queue of things to be done outside: how many wait, how many were given up, since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, select

from crm_core.messages import ChannelKey
from crm_core.model.access import Access, Right
from crm_core.model.records import OutboxKind, OutboxState
from crm_core.storage.tables import outbox
from crm_core.storage.types import UtcDateTime

_SHOWN = (OutboxState.QUEUED, OutboxState.FAILED)


@dataclass(frozen=True, slots=True)
class Queued:
    """Rows of a kind in a state: how many, and when the oldest was put there."""

    kind: OutboxKind
    state: OutboxState
    count: int
    oldest: datetime


def outbox_by_state(conn: Connection, access: Access) -> list[Queued]:
    """What waits and what was given up, by kind; what was done is left out. One statement. Raises Forbidden for whoever
    sees no alarms."""
    access.demand(Right.SEE_ALARMS)
    columns = outbox.c
    oldest = func.min(columns.created_at, type_=UtcDateTime())
    statement = (
        select(columns.kind, columns.state, func.count(), oldest)
        .where(columns.state.in_(_SHOWN))
        .group_by(columns.kind, columns.state)
        .order_by(columns.kind, columns.state)
    )
    return [Queued(kind, state, int(count), at) for kind, state, count, at in conn.execute(statement)]


def waiting_for(conn: Connection, access: Access, accounts: Iterable[ChannelKey]) -> dict[ChannelKey, int]:
    """How many messages wait for each account; accounts without any are left out. One statement. Raises Forbidden for
    whoever sees no alarms."""
    access.demand(Right.SEE_ALARMS)
    keys = list(dict.fromkeys(accounts))
    if not keys:
        return {}
    lane = outbox.c.lane
    # A lane is `channel:account:conversation`; «;» follows «:».
    counts = [func.sum(case((and_(lane >= f"{key}:", lane < f"{key};"), 1), else_=0)) for key in keys]
    statement = select(*counts).where(outbox.c.state == OutboxState.QUEUED, outbox.c.kind == OutboxKind.MESSAGE)
    found = conn.execute(statement).one()
    return {key: int(count) for key, count in zip(keys, found, strict=True) if count}
