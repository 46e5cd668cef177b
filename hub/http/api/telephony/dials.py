"""Click to call: a person's telephone rings first, then the client is dialled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from crm_core.errors import InvalidInput
from crm_core.model.callback import DialOutcome, DialPurpose, DialState
from crm_core.model.records import CaseRecord, ContactRecord, DealRecord, DialRecord, LeadRecord
from crm_core.model.user import User
from crm_core.services.calls import dials as services
from crm_core.services.desk import Desk
from crm_core.storage.queries import dials as queries
from crm_core.storage.queries.dials import DialFilter
from crm_core.storage.queries.pages import Reading
from crm_core.wording import Sentence
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Id, Login, NoBody, Paged, PageQuery, Query, QueryId, Short, Taken

_TAG = "calls"
_WHOM: Mapping[str, type[CaseRecord | DealRecord | LeadRecord]] = {
    "lead_id": LeadRecord,
    "case_id": CaseRecord,
    "deal_id": DealRecord,
}


class CallBody(Taken):
    """Whom to call: exactly one of `contact_id`, `number`, `lead_id`, `case_id` and `deal_id`; a number may stand
    beside a contact who has several.

    `user` whose telephone rings first, by default the caller's own; `line` the office's number that the client sees, by
    default the one by which they know the office. `confirm` calls also a client who is talking with the office or may
    not be rung at this hour.
    """

    contact_id: Id | None = None
    number: Short | None = None
    lead_id: Id | None = None
    case_id: Id | None = None
    deal_id: Id | None = None
    user: Login | None = None
    line: Short | None = None
    confirm: bool = False

    @model_validator(mode="after")
    def _one_client(self) -> CallBody:
        named = [name for name in ("contact_id", *_WHOM) if getattr(self, name) is not None]
        if len(named) > 1:
            raise ValueError(
                Sentence("name one client, not {count}: {named}", count=len(named), named=", ".join(named))
            )
        if not named and not self.number:
            raise ValueError(Sentence("name the client: contact_id, number, lead_id, case_id or deal_id"))
        return self


class DialQuery(PageQuery):
    """Which placed calls."""

    state: DialState | None = None
    contact_id: QueryId | None = None
    user: Login | None = None


class PlacedCall(Given):
    """A call that the hub places. `outcome` is null until it is over; `call_id` the call it became, null before."""

    id: int
    contact_id: int
    number: str
    pbx: str
    line: str
    user: str = Field(validation_alias="login")
    purpose: DialPurpose
    state: DialState
    outcome: DialOutcome | None
    detail: str
    call_id: int | None
    callback_id: int | None
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


class PlacedCalls(Paged[PlacedCall]):
    """A page of placed calls."""


def dial_json(record: DialRecord) -> PlacedCall:
    """A placed call on the wire."""
    return PlacedCall.model_validate(record._asdict())


def place(desk: Desk, caller: User, body: CallBody) -> DialRecord:
    """Queue the call that somebody asks for; raises what `services.place` does."""
    login = body.user or caller.login
    user = desk.work.staff.get(login)
    if user is None or not user.active:
        raise InvalidInput("there is no active user «{user}»: mend «user»", user=login)
    contact, number = _client(desk, body)
    return services.place(
        desk,
        contact,
        user,
        DialPurpose.CLICK,
        author=caller.login,
        number=number,
        line=body.line or None,
        confirmed=body.confirm,
    )


def _client(desk: Desk, body: CallBody) -> tuple[ContactRecord, str | None]:
    if body.contact_id is not None:
        contact: ContactRecord | None = desk.work.contact(body.contact_id)
    else:
        contact = None
        for name, kind in _WHOM.items():
            subject = getattr(body, name)
            if subject is not None:
                contact = services.client_of(desk, kind, subject)
    if contact is None:
        return services.client_of_number(desk, body.number or "")
    return contact, services.number_of(desk, contact, body.number) if body.number else None


def _placed(desk: Desk, call: Call[Any, CallBody]) -> PlacedCall:
    return dial_json(place(desk, call.user, call.body))


def _listed(conn: Reading, call: Call[DialQuery, NoBody]) -> PlacedCalls:
    query = call.query
    page = queries.list_dials(conn, call.access, DialFilter(query.state, query.contact_id, query.user), query.where)
    return PlacedCalls(items=[dial_json(record) for record in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> PlacedCall:
    return dial_json(queries.one_dial(conn, call.access, call.number()))


OPERATIONS: tuple[Operation, ...] = (
    act(
        "POST",
        "/calls",
        _placed,
        tag=_TAG,
        summary="Call a client: the person's telephone rings first, then the client is dialled",
        right=Right.PLACE_CALLS,
        body=CallBody,
        response=PlacedCall,
        status=202,
    ),
    read(
        "/dials",
        _listed,
        tag=_TAG,
        summary="Calls that the hub places, the newest first",
        right=Right.SEE_CALLS,
        query=DialQuery,
        response=PlacedCalls,
    ),
    read("/dials/{id}", _one, tag=_TAG, summary="One placed call", right=Right.SEE_CALLS, response=PlacedCall),
)
