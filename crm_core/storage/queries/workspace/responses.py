"""How soon those who began to wait today had a first answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, select

from crm_core.model.case import Signal
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.reports.base import nearest_rank
from crm_core.storage.tables import contact_case

SOON = timedelta(minutes=5)
"""Within this a client should be answered."""

_MOST = 20_000
_ANSWERS = frozenset({Signal.TALK.value, Signal.REPLY.value})


@dataclass(frozen=True, slots=True)
class Responses:
    """How soon clients who began to wait today (a missed call, a message without an answer) had a first answer, a
    conversation or a person's reply. `login` None: all together, or nobody's clients. `answered` had one, `waiting`
    wait yet; who was closed by hand counts as neither. `median_s` and `p90_s` of those answered, None where there are
    none. `soon` is the share that was answered within `SOON`, of all who were answered or have waited longer."""

    login: str | None
    answered: int
    waiting: int
    median_s: int | None
    p90_s: int | None
    soon: float | None


def responses(conn: Connection, asker: Asker, logins: frozenset[str] | None) -> tuple[Responses, tuple[Responses, ...]]:
    """Of all these people together and one by one, those who are slowest first. One statement."""
    whole: list[tuple[datetime, datetime | None]] = []
    parts: dict[str | None, list[tuple[datetime, datetime | None]]] = {}
    for manager, opened_at, closed_at, reason in conn.execute(today_statement(asker, logins)):
        if closed_at is not None and reason not in _ANSWERS:
            continue
        whole.append((opened_at, closed_at))
        parts.setdefault(manager, []).append((opened_at, closed_at))
    each = [_of(login, spans, asker.now) for login, spans in parts.items()]
    each.sort(key=lambda one: (one.login is None, -(one.median_s or 0), one.login or ""))
    return _of(None, whole, asker.now), tuple(each)


def today_statement(asker: Asker, logins: frozenset[str] | None) -> Select[Any]:
    """The cases that were opened today."""
    statement = (
        select(contact_case.c.manager, contact_case.c.opened_at, contact_case.c.closed_at, contact_case.c.reason)
        .where(contact_case.c.opened_at >= asker.midnight())
        .order_by(contact_case.c.opened_at.desc())
        .limit(_MOST)
    )
    return statement if logins is None else statement.where(contact_case.c.manager.in_(sorted(logins)))


def _of(login: str | None, spans: list[tuple[datetime, datetime | None]], now: datetime) -> Responses:
    took = sorted(int((closed - opened).total_seconds()) for opened, closed in spans if closed is not None)
    waiting = [now - opened for opened, closed in spans if closed is None]
    soon, late = sum(each <= SOON.total_seconds() for each in took), sum(each > SOON for each in waiting)
    told = len(took) + late
    return Responses(
        login=login,
        answered=len(took),
        waiting=len(waiting),
        median_s=nearest_rank(took, 50),
        p90_s=nearest_rank(took, 90),
        soon=soon / told if told else None,
    )
