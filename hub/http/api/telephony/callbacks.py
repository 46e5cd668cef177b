"""Clients whom a robot rings back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import model_validator

from crm_core.model.callback import CallbackReason, CallbackState
from crm_core.model.records import CallbackRecord
from crm_core.services.acts import ringing_back
from crm_core.services.desk import Desk
from crm_core.services.watching import callbacks as services
from crm_core.storage.queries import dials as queries
from crm_core.storage.queries.dials import CallbackFilter
from crm_core.storage.queries.pages import Reading
from crm_core.wording import Sentence
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Id, Login, Moment, Named, NoBody, Paged, PageQuery, Query, QueryId, Short, Taken
from hub.http.versions import as_it_is
from hub.tongues import aloud

_TAG = "calls"


class CallbackBody(Taken):
    """Whom to ring back, and when (by default at once). `manager`: whom the robot rings first, if not the client's."""

    contact_id: Id | None = None
    number: Short | None = None
    at: Moment | None = None
    manager: Login | None = None

    @model_validator(mode="after")
    def _one_client(self) -> CallbackBody:
        if self.contact_id is None and not self.number:
            raise ValueError(Sentence("name the client: contact_id or number"))
        return self


class CancelBody(Taken):
    """Why the client is not to be rung back."""

    reason: Named


class CallbackQuery(PageQuery):
    """Which callbacks."""

    state: CallbackState | None = None
    contact_id: QueryId | None = None
    manager: Login | None = None


class Callback(Given):
    """A client who is to be rung back. `due_at` when it is tried or looked at next; `detail` what it waits for, or why
    it ended."""

    id: int
    contact_id: int
    number: str
    reason: CallbackReason
    state: CallbackState
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None
    author: str
    manager: str | None
    line: str
    attempts: int
    detail: str


class Callbacks(Paged[Callback]):
    """A page of callbacks."""


def callback_json(record: CallbackRecord) -> Callback:
    """A callback on the wire."""
    return Callback(**{name: aloud(getattr(record, name)) for name in Callback.model_fields})


def _ordered(desk: Desk, call: Call[Any, CallbackBody]) -> Callback:
    body = call.body
    record = ringing_back.order(
        desk, call.user.login, contact_id=body.contact_id, number=body.number, at=body.at, manager=body.manager
    )
    return callback_json(as_it_is(desk, record))


def _cancelled(desk: Desk, call: Call[Any, CancelBody]) -> Callback:
    cancelled = services.cancel(desk, call.number(), call.user.login, call.body.reason)
    return callback_json(as_it_is(desk, cancelled))


def _listed(conn: Reading, call: Call[CallbackQuery, NoBody]) -> Callbacks:
    query = call.query
    wanted = CallbackFilter(query.state, query.contact_id, query.manager)
    page = queries.list_callbacks(conn, call.access, wanted, query.where)
    return Callbacks(items=[callback_json(record) for record in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Callback:
    return callback_json(queries.one_callback(conn, call.access, call.number()))


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/callbacks",
        _listed,
        tag=_TAG,
        summary="Clients who are or were to be rung back by a robot, the newest first",
        right=Right.SEE_CALLS,
        query=CallbackQuery,
        response=Callbacks,
    ),
    act(
        "POST",
        "/callbacks",
        _ordered,
        tag=_TAG,
        summary="Have a robot ring a client back",
        right=Right.PLACE_CALLS,
        body=CallbackBody,
        response=Callback,
        status=202,
    ),
    read("/callbacks/{id}", _one, tag=_TAG, summary="One callback", right=Right.SEE_CALLS, response=Callback),
    act(
        "POST",
        "/callbacks/{id}/cancel",
        _cancelled,
        tag=_TAG,
        summary="Have a client not rung back any more, and say why",
        right=Right.PLACE_CALLS,
        body=CancelBody,
        response=Callback,
    ),
)
