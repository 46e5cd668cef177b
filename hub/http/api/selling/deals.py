"""Deals, and cards of other types: listed, opened, corrected, moved from stage to stage, copied between pipelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from crm_core.model.definitions.base import Slug
from crm_core.model.records import DealRecord, PipelineRecord, StageRecord
from crm_core.services.acts import deals as services
from crm_core.services.acts.deals import DealChange, Placed
from crm_core.services.cards.tunnels import Along
from crm_core.services.desk import Desk
from crm_core.storage.queries import deals as queries
from crm_core.storage.queries.deals import DealCard, DealFilter
from crm_core.storage.queries.pages import Reading
from hub.http.api.selling.trading import ExternalIds, external_of, held_external, keep_external
from hub.http.filtering import FilterQuery
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
    Query,
    QueryId,
    Short,
    Tags,
    Taken,
)
from hub.http.versions import or_as_it_is

_TAG = "deals"
# Cards of every type are known by their ids as deals.
KIND = "deal"


def _named(value: Any) -> Any:
    """A stage may be named or given by its id."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


StageName = Annotated[Named, BeforeValidator(_named)]
# Keys with commas between them: which custom fields are shown, all where it is not given.
Shown = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(,[a-z][a-z0-9_]*)*$", max_length=10_000)]


class DealQuery(FilterQuery):
    """Which deals; `pipeline` and `stage` by name, `open` leaves out won and lost ones; `type` shows cards of another
    type instead; `filter` is a filter as JSON. `fields` are the keys of the custom fields that are shown
    (`need,budget`), all where it is not given."""

    pipeline: Named | None = None
    stage: Named | None = None
    manager: Login | None = None
    contact_id: QueryId | None = None
    company_id: QueryId | None = None
    open: bool = False
    type: Slug = "deal"
    fields: Shown | None = None


class Marks(Taken):
    """Marks of a campaign."""

    source: Short = ""
    medium: Short = ""
    campaign: Short = ""
    content: Short = ""
    term: Short = ""


class DealBody(Taken):
    """What a deal is to have. `version`, where given, is the one that was seen: 409 where it changed meanwhile.
    `external` are its ids in other programs, by program."""

    title: Short = ""
    contact_id: Id | None = None
    company_id: Id | None = None
    amount: Money | None = None
    manager: Login | None = None
    source: Short | None = None
    utm: Marks | None = None
    due_at: Moment | None = None
    tags: Tags = Field(default_factory=list)
    fields: Fields = Field(default_factory=dict)
    version: Id | None = None
    external: ExternalIds = Field(default_factory=dict)


class NewDealBody(DealBody):
    """A deal; it begins in the first stage of the first pipeline where none are named. `type` makes a card of another
    type where no pipeline is named."""

    pipeline: Named | None = None
    stage: StageName | None = None
    type: Slug = "deal"


class MoveBody(Taken):
    """The stage, by name or id; `reason` says why a deal was lost."""

    stage: StageName
    reason: Short | None = None
    version: Id | None = None


class CopyBody(Taken):
    """Where the copy goes, into the deal's own pipeline where none is named; `items` copies its lines too."""

    pipeline: Named | None = None
    stage: StageName | None = None
    title: Short | None = None
    items: bool = False
    files: bool = True
    version: Id | None = None


class TransferBody(Taken):
    """The pipeline that the deal goes to, and the stage, the first one where none is named."""

    pipeline: Named
    stage: StageName | None = None
    reason: Short | None = None
    version: Id | None = None


class TickBody(Taken):
    """Whether an item of the checklist is done."""

    done: bool = True


class ChecklistItem(Given):
    """Something that a stage asks for, and who did it when."""

    id: int
    stage_id: int
    text: str
    done_at: datetime | None
    done_by: str | None


class Deal(Given):
    """A sale in progress, won or lost; or a card of another `type`. `source_id` is the one that it is a copy of;
    `external` its ids in other programs."""

    id: int
    type: str
    contact_id: int | None
    company_id: int | None
    lead_id: int | None
    source_id: int | None
    title: str
    pipeline_id: int
    pipeline: str
    stage_id: int
    stage: str
    stage_kind: str
    stage_since: datetime
    amount: Money
    paid: Money
    pay_by: datetime | None
    manager: str | None
    source: str | None
    utm: dict[str, str]
    grade: str | None
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    reason: str | None
    checklist: list[ChecklistItem]
    fields: dict[str, Any]
    tags: list[str]
    version: int
    external: dict[str, str]


class Deals(Paged[Deal]):
    """A page of deals."""


class Stay(Given):
    """A stretch of time on a stage; `until` is null where the card still stands there, `seconds` run until now."""

    stage_id: int
    stage: str
    since: datetime
    until: datetime | None
    seconds: int
    author: str


class Stays(Given):
    """Where a card stood, oldest first."""

    items: list[Stay]


def deal_json(
    record: DealRecord,
    pipeline: PipelineRecord,
    stage: StageRecord,
    known: dict[str, str],
    fields: Shown | None = None,
) -> Deal:
    """A deal on the wire, with these of its custom fields; by what ids other programs know it."""
    apart = {"pipeline", "stage", "stage_kind", "amount", "paid", "checklist", "external"}
    if fields is not None:
        record = record._replace(fields={key: record.fields[key] for key in fields.split(",") if key in record.fields})
    return Deal(
        **{name: getattr(record, name) for name in set(Deal.model_fields) - apart},
        pipeline=pipeline.name,
        stage=stage.name,
        stage_kind=stage.kind.value,
        amount=Money(amount=record.amount, currency=record.currency),
        paid=Money(amount=record.paid, currency=record.currency),
        checklist=[ChecklistItem(**each) for each in record.checklist],
        external=known,
    )


def _of_card(card: DealCard, known: Mapping[int, dict[str, str]], fields: Shown | None = None) -> Deal:
    return deal_json(card.deal, card.pipeline, card.stage, known.get(card.deal.id, {}), fields)


def placed_json(desk: Desk, card: Placed) -> Deal:
    """A deal on the wire, with its place."""
    known = held_external(desk, KIND, card.deal.id)
    return deal_json(card.deal, card.pipeline.record, card.stage.record, known)


def with_current(desk: Desk, act: Callable[[], Placed]) -> Deal:
    """What an act made of a deal; where somebody was faster, the error shows the deal as it is now."""
    return or_as_it_is(lambda: placed_json(desk, act()), Placed, lambda card: placed_json(desk, card))


def listed(conn: Reading, call: Call[DealQuery, NoBody]) -> Deals:
    """A page of cards."""
    query = call.query
    wanted = DealFilter(
        query.pipeline, query.stage, query.manager, query.contact_id, query.company_id, query.open, query.type
    )
    more = query.more(conn, call.hub.store, query.type, call.access.sight)
    page = queries.list_deals(conn, call.access, wanted, query.where, more)
    known = external_of(conn, KIND, [card.deal.id for card in page.items])
    return Deals(items=[_of_card(card, known, query.fields) for card in page.items], next=page.next)


def one(conn: Reading, call: Call[Query, NoBody]) -> Deal:
    """One card."""
    card = queries.deal_card(conn, call.access, call.number())
    return _of_card(card, external_of(conn, KIND, [card.deal.id]))


def _stays(conn: Reading, call: Call[Query, NoBody]) -> Stays:
    card = queries.deal_card(conn, call.access, call.number())
    now = call.hub.store.clock.now()
    items = [
        Stay(
            stage_id=each.stage_id,
            stage=each.stage,
            since=each.since,
            until=each.until,
            seconds=int(((each.until or now) - each.since).total_seconds()),
            author=each.author,
        )
        for each in queries.stage_spans(conn, card.deal)
    ]
    return Stays(items=items)


def made(desk: Desk, call: Call[Any, NewDealBody]) -> Deal:
    """A new card."""
    body = call.body
    made = services.create(desk, call.user.login, _change(body), body.pipeline, body.stage, of_type=body.type)
    keep_external(desk, KIND, made.deal.id, body)
    return placed_json(desk, made)


def corrected(desk: Desk, call: Call[Any, DealBody]) -> Deal:
    """A card with what was changed."""

    def change() -> Placed:
        changed = services.change(desk, call.number(), _change(call.body), call.body.version)
        keep_external(desk, KIND, changed.deal.id, call.body)
        return changed

    return with_current(desk, change)


def moved(desk: Desk, call: Call[Any, MoveBody]) -> Deal:
    """A card on another stage."""
    body = call.body
    return with_current(
        desk, lambda: services.move(desk, call.number(), body.stage, reason=body.reason, version=body.version)
    )


def _copied(desk: Desk, call: Call[Any, CopyBody]) -> Deal:
    body = call.body
    along = Along(items=body.items, files=body.files, title=body.title)
    return with_current(
        desk, lambda: services.copy(desk, call.number(), body.pipeline, body.stage, along, version=body.version)
    )


def _transferred(desk: Desk, call: Call[Any, TransferBody]) -> Deal:
    body = call.body
    return with_current(
        desk,
        lambda: services.transfer(
            desk, call.number(), body.pipeline, body.stage, reason=body.reason, version=body.version
        ),
    )


def _ticked(desk: Desk, call: Call[Any, TickBody]) -> Deal:
    ids = call.number(), call.number("item_id")
    return placed_json(desk, services.tick(desk, *ids, call.user.login, done=call.body.done))


def put_away(desk: Desk, call: Call[Any, NoBody]) -> None:
    """A card is deleted."""
    services.put_away(desk, call.number())


def _brought_back(desk: Desk, call: Call[Any, NoBody]) -> Deal:
    return placed_json(desk, services.bring_back(desk, call.number()))


def _change(body: DealBody) -> DealChange:
    plain = set(DealBody.model_fields) - {"amount", "version", "utm", "external"}
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set & plain}
    if body.amount is not None:
        given["amount"], given["currency"] = body.amount.amount, body.amount.currency
    if body.utm is not None:
        given["utm"] = body.utm.model_dump()
    return DealChange(**given)


def _acting(
    path: str,
    handler: Callable[..., Deal],
    body: type[Any],
    summary: str,
    status: int = 200,
    right: Right = Right.KEEP_SALES,
) -> Operation:
    return act(
        "POST",
        path,
        handler,
        tag=_TAG,
        summary=summary,
        right=right,
        body=body,
        response=Deal,
        status=status,
    )


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/deals",
        listed,
        tag=_TAG,
        summary="Deals of the pipelines that you work with, the newest first",
        right=Right.SEE_SALES,
        query=DealQuery,
        response=Deals,
    ),
    _acting("/deals", made, NewDealBody, "Open a deal", 201),
    read("/deals/{id}", one, tag=_TAG, summary="One deal", right=Right.SEE_SALES, response=Deal),
    act(
        "PATCH",
        "/deals/{id}",
        corrected,
        tag=_TAG,
        summary="Correct a deal: what is not named stays",
        right=Right.KEEP_SALES,
        body=DealBody,
        response=Deal,
    ),
    act(
        "DELETE",
        "/deals/{id}",
        put_away,
        tag=_TAG,
        summary="Delete a deal; it can be brought back",
        right=Right.DELETE,
        response=None,
    ),
    _acting("/deals/{id}/restore", _brought_back, NoBody, "Bring a deleted deal back", right=Right.DELETE),
    _acting("/deals/{id}/move", moved, MoveBody, "Move a deal to another stage of its pipeline"),
    _acting("/deals/{id}/copy", _copied, CopyBody, "Copy a deal, also into another pipeline", 201),
    _acting("/deals/{id}/transfer", _transferred, TransferBody, "Move a deal over to another pipeline"),
    _acting("/deals/{id}/checklist/{item_id}", _ticked, TickBody, "Tick an item of a deal's checklist"),
    read(
        "/deals/{id}/stages",
        _stays,
        tag=_TAG,
        summary="On which stages a deal stood, and how long",
        right=Right.SEE_SALES,
        response=Stays,
    ),
)
