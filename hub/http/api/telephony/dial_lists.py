"""Dial lists: the next client to ring, what came of it, clients put on the list."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from crm_core.errors import InvalidInput, NotFound
from crm_core.model.definitions import Catalogue, Section
from crm_core.model.definitions.segments import SegmentBody
from crm_core.model.filters import Filter, bounded
from crm_core.services.acts import dial_lists as services
from crm_core.services.cards.pipelines import actor, pipeline_of
from crm_core.services.desk import Desk
from crm_core.wording import Sentence
from hub.http.api.selling.deals import Deal, StageName, placed_json, with_current
from hub.http.operations import Call, Operation, act
from hub.http.rights import Right
from hub.http.types import Given, Id, Long, Moment, Named, NoBody, Short, Taken

_TAG = "pipelines"


class NextCall(Given):
    """The card that is yours now, and the number at which its client is rung; both null where the list is done for
    now."""

    deal: Deal | None
    contact_id: int | None
    name: str
    number: str | None


class CallResultBody(Taken):
    """What came of a call: the stage that the card moves to, or when its client is to be rung again."""

    stage: StageName | None = None
    reason: Short | None = None
    again_at: Moment | None = None
    note: Long = ""
    version: Id | None = None


class FillBody(Taken):
    """Whom to put on the list: a saved segment, a filter of contacts, or these contacts; `limit` at most, in one go.
    `after` goes on behind the last of the time before."""

    segment: Named | None = None
    filter: Filter | None = None
    contact_ids: Annotated[list[Id], Field(max_length=5000)] | None = None
    after: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=5000)] = 1000

    @model_validator(mode="after")
    def _one_way(self) -> FillBody:
        if sum(each is not None for each in (self.segment, self.filter, self.contact_ids)) != 1:
            raise ValueError(Sentence("one of segment, filter and contact_ids"))
        return self


class Filled(Given):
    """How many came onto the list; `next` is the `after` of the next go, null where everybody was looked at."""

    added: int
    next: int | None


def _next(desk: Desk, call: Call[Any, NoBody]) -> NextCall:
    found = services.next_call(desk, call.number(), call.user.login)
    if found is None:
        return NextCall(deal=None, contact_id=None, name="", number=None)
    return NextCall(
        deal=placed_json(desk, found.card), contact_id=found.contact.id, name=found.contact.name, number=found.number
    )


def _result(desk: Desk, call: Call[Any, CallResultBody]) -> Deal:
    body = call.body
    return with_current(
        desk,
        lambda: services.result(
            desk,
            call.number(),
            stage=body.stage,
            reason=body.reason,
            again_at=body.again_at,
            note=body.note,
            version=body.version,
        ),
    )


def _filled(desk: Desk, call: Call[Any, FillBody]) -> Filled:
    body = call.body
    pipeline = pipeline_of(desk, call.number())
    if not pipeline.admits(actor(desk)):
        raise NotFound("there is no pipeline {pipeline}", pipeline=pipeline.id)
    if body.contact_ids is not None:
        return Filled(added=services.fill(desk, pipeline.id, body.contact_ids), next=None)
    wanted = _wanted(desk.catalogue, body)
    zone, region = desk.office.time_zone, desk.office.region
    ids = desk.work.audience(
        wanted.of, wanted.filter, desk.catalogue, above=body.after, limit=body.limit, zone=zone, region=region
    )
    added = services.fill(desk, pipeline.id, ids)
    return Filled(added=added, next=ids[-1] if len(ids) == body.limit else None)


def _wanted(catalogue: Catalogue, body: FillBody) -> SegmentBody:
    if body.filter is not None:
        return SegmentBody(filter=bounded(body.filter))
    found = catalogue.body(Section.SEGMENT, body.segment or "", SegmentBody)
    if found is None:
        raise InvalidInput("segment: there is no segment «{segment}»", segment=body.segment)
    return found


OPERATIONS: tuple[Operation, ...] = (
    act(
        "POST",
        "/pipelines/{id}/next-call",
        _next,
        tag=_TAG,
        summary="The next client of a dial list for you: nobody else gets the same one",
        right=Right.PLACE_CALLS,
        response=NextCall,
    ),
    act(
        "POST",
        "/deals/{id}/call-result",
        _result,
        tag=_TAG,
        summary="What came of a call from a dial list",
        right=Right.KEEP_SALES,
        body=CallResultBody,
        response=Deal,
    ),
    act(
        "POST",
        "/pipelines/{id}/fill",
        _filled,
        tag=_TAG,
        summary="Open a card for every client of a segment who has none open in this pipeline",
        right=Right.BROADCAST,
        body=FillBody,
        response=Filled,
    ),
)
