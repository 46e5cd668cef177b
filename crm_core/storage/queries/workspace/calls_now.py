"""Calls that go on: who talks with whom since when, on which line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from crm_core.model.access import Access, Right
from crm_core.model.call import CallState
from crm_core.model.call_now import goes_on, ringing_legs, talk_now
from crm_core.model.records import CallRecord
from crm_core.storage.queries.pages import all_of
from crm_core.storage.queries.workspace.clients import Client
from crm_core.storage.tables import call


@dataclass(frozen=True, slots=True)
class CallNow:
    """A call that goes on. `since`: when it began to ring, or the conversation began; `talking` is who talks (a login,
    or an endpoint that is nobody's), `ringing` whom it rings, also while it is passed on."""

    call: CallRecord
    client: Client | None
    since: datetime
    talking: str | None
    ringing: tuple[str, ...]

    @property
    def people(self) -> frozenset[str]:
        """Who has to do with it."""
        talking = {self.talking} if self.talking is not None else set()
        manager = {self.client.manager} if self.client is not None and self.client.manager is not None else set()
        return frozenset(talking | set(self.ringing) | manager)


def calls_now(conn: Connection, access: Access, now: datetime, *, limit: int = 500) -> list[CallRecord]:
    """The calls that go on, the oldest first. One statement. Raises Forbidden for whoever sees no calls."""
    access.demand(Right.SEE_CALLS)
    found = all_of(conn, CallRecord, going_on_statement())
    fresh = (each for each in found if goes_on(each, now))
    return sorted(fresh, key=lambda each: (each.started_at, each.id))[:limit]


def going_on_statement() -> Select[Any]:
    """All that go on, along the index of those alone: bounded or sorted by time it would be read along another."""
    return select(call).where(call.c.finished_at.is_(None))


def call_now(record: CallRecord, client: Client | None) -> CallNow:
    """A call as it stands."""
    if record.state is CallState.RINGING:
        return CallNow(record, client, record.started_at, None, _ringing(record))
    last = talk_now(record)
    alone = last is None and bool(record.talks)  # the client, while the call is passed on
    talking = (last["user"] or last["endpoint"]) if last is not None else (record.answered_by or record.endpoint)
    since = datetime.fromisoformat(last["from"]) if last is not None else (record.answered_at or record.started_at)
    return CallNow(record, client, since, None if alone else talking, _ringing(record))


def _ringing(record: CallRecord) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each["user"] or each["endpoint"] for each in ringing_legs(record)))
