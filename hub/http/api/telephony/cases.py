"""Clients who wait for an answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_core.model.case import CaseKind, CaseState
from crm_core.model.records import CaseRecord, DeadlineKind, DeadlineRecord
from crm_core.services.desk import Desk
from crm_core.services.watching import cases as services
from crm_core.storage.queries import cases as queries
from crm_core.storage.queries.cases import CaseCard, CaseFilter
from crm_core.storage.queries.pages import Reading
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Login, Moment, Named, NoBody, Paged, PageQuery, Query, QueryId, Taken
from hub.http.versions import as_it_is

_TAG = "cases"


class CaseQuery(PageQuery):
    """Which cases."""

    state: CaseState | None = None
    kind: CaseKind | None = None
    manager: Login | None = None
    contact_id: QueryId | None = None


class CloseBody(Taken):
    """Why nothing is owed any more."""

    reason: Named


class PromiseBody(Taken):
    """When the client will be answered."""

    at: Moment


class GiveBody(Taken):
    """Who is to look after the client."""

    to: Login


class Case(Given):
    """A client who waits. `count` misses and messages; `rung` the last one told, null before the first; `due_at` when
    the next rung is told, or the promise runs out; `taken_at` since when `manager` looks after it by their own word."""

    id: int
    contact_id: int
    kind: CaseKind
    state: CaseState
    count: int
    rung: int | None
    opened_at: datetime
    due_at: datetime | None
    promised_at: datetime | None
    closed_at: datetime | None
    reason: str | None
    manager: str | None
    taken_at: datetime | None
    channel: str
    account: str


class Cases(Paged[Case]):
    """A page of cases."""


def case_json(record: CaseRecord, due_at: datetime | None) -> Case:
    """A case on the wire."""
    same = set(Case.model_fields) - {"count", "due_at"}
    return Case(**{name: getattr(record, name) for name in same}, count=record.facts, due_at=due_at)


def _of(card: CaseCard) -> Case:
    return case_json(card.case, card.due_at)


def _listed(conn: Reading, call: Call[CaseQuery, NoBody]) -> Cases:
    query = call.query
    wanted = CaseFilter(query.state, query.kind, query.manager, query.contact_id)
    page = queries.list_cases(conn, call.access, wanted, query.where)
    return Cases(items=[_of(card) for card in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Case:
    return _of(queries.case_card(conn, call.access, call.number()))


def _closed(desk: Desk, call: Call[Any, CloseBody]) -> Case:
    return _now(desk, services.close_by_hand(desk, call.number(), call.user.login, call.body.reason))


def _promised(desk: Desk, call: Call[Any, PromiseBody]) -> Case:
    return _now(desk, services.promise(desk, call.number(), call.user.login, call.body.at))


def _taken(desk: Desk, call: Call[Any, NoBody]) -> Case:
    return _now(desk, services.take_case(desk, call.number(), call.user.login))


def _given(desk: Desk, call: Call[Any, GiveBody]) -> Case:
    return _now(desk, services.give_case(desk, call.number(), call.user.login, call.body.to))


def _now(desk: Desk, done: CaseRecord) -> Case:
    record = as_it_is(desk, done)
    keys = [f"{kind.value}:{record.id}" for kind in (DeadlineKind.CASE_RUNG, DeadlineKind.CASE_PROMISE)]
    waiting = desk.work.related(DeadlineRecord, "key", keys) if record.state is CaseState.OPEN else []
    return case_json(record, min((each.due_at for each in waiting), default=None))


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/cases",
        _listed,
        tag=_TAG,
        summary="Clients who wait, the longest waiting first",
        right=Right.SEE_CASES,
        query=CaseQuery,
        response=Cases,
    ),
    read("/cases/{id}", _one, tag=_TAG, summary="One case", right=Right.SEE_CASES, response=Case),
    act(
        "POST",
        "/cases/{id}/close",
        _closed,
        tag=_TAG,
        summary="Say that nothing is owed any more, and why",
        right=Right.SETTLE_CASES,
        body=CloseBody,
        response=Case,
    ),
    act(
        "POST",
        "/cases/{id}/promise",
        _promised,
        tag=_TAG,
        summary="Promise an answer: the ladder waits until then",
        right=Right.SETTLE_CASES,
        body=PromiseBody,
        response=Case,
    ),
    act(
        "POST",
        "/cases/{id}/take",
        _taken,
        tag=_TAG,
        summary="Look after the client from now on; the ladder goes on until you have spoken",
        right=Right.SETTLE_CASES,
        response=Case,
    ),
    act(
        "POST",
        "/cases/{id}/give",
        _given,
        tag=_TAG,
        summary="Have somebody look after the client, who is told; of people whose work you oversee",
        right=Right.SETTLE_CASES,
        body=GiveBody,
        response=Case,
    ),
)
