"""Deals: listed, opened, corrected, moved from stage to stage."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from crm_core.model.records import DealRecord, PipelineRecord, StageRecord
from crm_core.services import deals as services
from crm_core.services.deals import DealChange, Placed
from crm_core.services.desk import Desk
from crm_core.storage.queries import deals as queries
from crm_core.storage.queries.deals import DealCard, DealFilter
from crm_core.storage.queries.pages import Reading
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import (
    Fields,
    Given,
    Id,
    Login,
    Moment,
    Money,
    Named,
    NoBody,
    Paged,
    PageQuery,
    Query,
    QueryId,
    Short,
    Tags,
    Taken,
)

_TAG = "deals"


def _named(value: Any) -> Any:
    """A stage may be named or given by its id."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


StageName = Annotated[Named, BeforeValidator(_named)]


class DealQuery(PageQuery):
    """Which deals; `pipeline` and `stage` by name, `open` leaves out won and lost ones."""

    pipeline: Named | None = None
    stage: Named | None = None
    manager: Login | None = None
    contact_id: QueryId | None = None
    open: bool = False


class DealBody(Taken):
    """What a deal is to have. `version`, where given, is the one that was seen: 409 where it changed meanwhile."""

    title: Short = ""
    contact_id: Id | None = None
    amount: Money | None = None
    manager: Login | None = None
    source: Short | None = None
    due_at: Moment | None = None
    tags: Tags = Field(default_factory=list)
    fields: Fields = Field(default_factory=dict)
    version: Id | None = None


class NewDealBody(DealBody):
    """A deal; it begins in the first stage of the first pipeline where none are named."""

    pipeline: Named | None = None
    stage: StageName | None = None


class MoveBody(Taken):
    """The stage, by name or id; `reason` says why a deal was lost."""

    stage: StageName
    reason: Short | None = None
    version: Id | None = None


class Deal(Given):
    """A sale in progress, won or lost."""

    id: int
    contact_id: int | None
    title: str
    pipeline_id: int
    pipeline: str
    stage_id: int
    stage: str
    stage_kind: str
    stage_since: datetime
    amount: Money
    manager: str | None
    source: str | None
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    reason: str | None
    fields: dict[str, Any]
    tags: list[str]
    version: int


class Deals(Paged[Deal]):
    """A page of deals."""


def deal_json(record: DealRecord, pipeline: PipelineRecord, stage: StageRecord) -> Deal:
    """A deal on the wire."""
    apart = {"pipeline", "stage", "stage_kind", "amount"}
    return Deal(
        **{name: getattr(record, name) for name in set(Deal.model_fields) - apart},
        pipeline=pipeline.name,
        stage=stage.name,
        stage_kind=stage.kind.value,
        amount=Money(amount=record.amount, currency=record.currency),
    )


def _of(card: DealCard | Placed) -> Deal:
    return deal_json(card.deal, card.pipeline, card.stage)


def _listed(conn: Reading, call: Call[DealQuery, NoBody]) -> Deals:
    query = call.query
    wanted = DealFilter(query.pipeline, query.stage, query.manager, query.contact_id, query.open)
    page = queries.list_deals(conn, wanted, query.where)
    return Deals(items=[_of(card) for card in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Deal:
    return _of(queries.deal_card(conn, call.number()))


def _made(desk: Desk, call: Call[Any, NewDealBody]) -> Deal:
    body = call.body
    return _of(services.create(desk, call.user.login, _change(body), body.pipeline, body.stage))


def _corrected(desk: Desk, call: Call[Any, DealBody]) -> Deal:
    return _of(services.change(desk, call.number(), _change(call.body), call.body.version))


def _moved(desk: Desk, call: Call[Any, MoveBody]) -> Deal:
    body = call.body
    placed = services.move(desk, call.number(), call.user.login, body.stage, reason=body.reason, version=body.version)
    return _of(placed)


def _change(body: DealBody) -> DealChange:
    plain = set(DealBody.model_fields) - {"amount", "version"}
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set & plain}
    if body.amount is not None:
        given["amount"], given["currency"] = body.amount.amount, body.amount.currency
    return DealChange(**given)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/deals",
        _listed,
        tag=_TAG,
        summary="Deals, the newest first",
        right=Right.SEE_SALES,
        query=DealQuery,
        response=Deals,
    ),
    act(
        "POST",
        "/deals",
        _made,
        tag=_TAG,
        summary="Open a deal",
        right=Right.KEEP_SALES,
        body=NewDealBody,
        response=Deal,
        status=201,
    ),
    read("/deals/{id}", _one, tag=_TAG, summary="One deal", right=Right.SEE_SALES, response=Deal),
    act(
        "PATCH",
        "/deals/{id}",
        _corrected,
        tag=_TAG,
        summary="Correct a deal: what is not named stays",
        right=Right.KEEP_SALES,
        body=DealBody,
        response=Deal,
    ),
    act(
        "POST",
        "/deals/{id}/move",
        _moved,
        tag=_TAG,
        summary="Move a deal to another stage of its pipeline",
        right=Right.KEEP_SALES,
        body=MoveBody,
        response=Deal,
    ),
)
