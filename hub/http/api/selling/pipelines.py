"""Pipelines and their stages."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, ValidationError

from crm_core.errors import InvalidInput
from crm_core.model import definitions
from crm_core.model.definitions import PipelineSettings, StageSettings
from crm_core.model.definitions.base import Slug
from crm_core.model.faults import first_of
from crm_core.model.records import PipelineRecord, StageKind
from crm_core.services.acts import pipeline_keeping as services
from crm_core.services.acts.pipeline_keeping import NewStage
from crm_core.services.cards import pipelines as reading
from crm_core.services.desk import Desk
from crm_core.storage.queries import deals as queries
from crm_core.storage.queries.pages import Reading
from hub.http.acting import json_response, to_json
from hub.http.operations import Call, Operation, act, own, read
from hub.http.rights import Right
from hub.http.types import Given, Id, Named, NoBody, Paged, Position, Query, QueryId
from hub.office.stages import remove_stage

_TAG = "pipelines"


class StageBody(StageSettings):
    """A stage; `won` and `lost` close the deals that come to it."""

    name: Named
    kind: StageKind = StageKind.OPEN
    position: Position | None = None


class StageChange(StageSettings):
    """What is to be changed of a stage; what is not named stays."""

    name: Named | None = None
    kind: StageKind | None = None
    position: Position | None = None


class PipelineBody(PipelineSettings):
    """A pipeline with its stages in order; `type` is `deal` or a type of records of the office's own."""

    name: Named
    type: Slug = "deal"
    stages: Annotated[list[StageBody], Field(max_length=100)] = Field(default_factory=list)


class PipelineChange(PipelineSettings):
    """What is to be changed of a pipeline; what is not named stays, an archived one takes no new deals. `order` names
    the ids of all its stages in their new order."""

    name: Named | None = None
    position: Position | None = None
    archived: bool | None = None
    order: Annotated[list[Id], Field(max_length=200)] | None = None


class Stage(StageSettings):
    """A stage of a pipeline. `required` are the fields without which no card enters this stage or a later one;
    `enter_when` lets cards of earlier stages in by themselves; an archived one takes no cards any more."""

    id: int
    pipeline_id: int
    name: str
    position: int
    kind: StageKind
    archived: bool


class PipelineSummary(PipelineSettings):
    """A pipeline."""

    id: int
    name: str
    type: str
    position: int
    archived: bool


class Pipeline(PipelineSummary):
    """A pipeline with its stages in order, those in use. `warnings` say what is allowed, but unwise."""

    stages: list[Stage]
    warnings: list[str]


class Pipelines(Paged[Pipeline]):
    """All pipelines in order."""


class StageAdded(Stage):
    """A stage, and what is unwise about its pipeline now."""

    warnings: list[str]


class RemovalQuery(Query):
    """`move_to`: the id of the stage, of the same pipeline, to which the cards of this one go."""

    move_to: QueryId | None = None


class StageRemoved(Given):
    """How many cards moved to the other stage."""

    moved: int


def summary_json(found: definitions.Pipeline) -> PipelineSummary:
    """A pipeline on the wire, without its stages."""
    columns = {name: getattr(found.record, name) for name in ("id", "name", "type", "position", "archived")}
    return PipelineSummary(**found.settings.model_dump(), **columns)


def pipeline_json(found: definitions.Pipeline) -> Pipeline:
    """A pipeline on the wire."""
    return Pipeline(
        **summary_json(found).model_dump(),
        stages=[stage_json(each) for each in found.in_use],
        warnings=services.warnings(found),
    )


def stage_json(found: definitions.Stage) -> Stage:
    """A stage on the wire."""
    record = found.record
    return Stage(
        **found.settings.model_dump(),
        id=record.id,
        pipeline_id=record.pipeline_id,
        name=record.name,
        position=record.position,
        kind=record.kind,
        archived=record.archived,
    )


def _listed(conn: Reading, call: Call[Query, NoBody]) -> Pipelines:
    return Pipelines(items=[pipeline_json(each) for each in queries.list_pipelines(conn, call.access)], next=None)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Pipeline:
    return pipeline_json(queries.pipeline_card(conn, call.access, call.number()))


def _made(desk: Desk, call: Call[Any, PipelineBody]) -> Pipeline:
    body = call.body
    stages = [NewStage(each.name, each.kind, each.position, _stage_settings({}, each)) for each in body.stages]
    return pipeline_json(services.create_pipeline(desk, body.name, stages, _settings({}, body), body.type))


def _corrected(desk: Desk, call: Call[Any, PipelineChange]) -> Pipeline:
    body = call.body
    before = desk.work.get(PipelineRecord, call.number())
    named = body.model_fields_set & set(PipelineSettings.model_fields)
    given = services.PipelineChange(
        body.name, body.position, body.archived, _settings(before.settings, body) if named else None, body.order
    )
    return pipeline_json(services.change_pipeline(desk, call.number(), given))


def _stage_made(desk: Desk, call: Call[Any, StageBody]) -> StageAdded:
    body = call.body
    new = NewStage(body.name, body.kind, body.position, _stage_settings({}, body))
    made = stage_json(services.add_stage(desk, call.number(), new))
    return StageAdded(**made.model_dump(), warnings=services.warnings(reading.pipeline_of(desk, call.number())))


def _stage_corrected(desk: Desk, call: Call[Any, StageChange]) -> Stage:
    body, ids = call.body, (call.number(), call.number("stage_id"))
    before = services.own_stage(desk, *ids)
    named = body.model_fields_set & set(StageSettings.model_fields)
    settings = _stage_settings(before.settings, body) if named else None
    given = services.StageChange(body.name, body.position, body.kind, settings)
    return stage_json(services.change_stage(desk, *ids, given))


async def _stage_removed(request: web.Request, call: Call[RemovalQuery, NoBody]) -> web.StreamResponse:
    moved = await remove_stage(
        call.hub.store, call.number(), call.number("stage_id"), call.query.move_to, call.user, request.remote or ""
    )
    return json_response(to_json(StageRemoved(moved=moved)), 200)


def _settings(known: Any, given: PipelineSettings) -> PipelineSettings:
    settings: PipelineSettings = _merged(PipelineSettings, known, given)
    return settings


def _stage_settings(known: Any, given: StageSettings) -> StageSettings:
    settings: StageSettings = _merged(StageSettings, known, given)
    return settings


def _merged(form: Any, known: Any, given: Any) -> Any:
    """The settings as they are known, with what is given of them."""
    fresh = given.model_dump(mode="json", include=given.model_fields_set & set(form.model_fields))
    try:
        return form.model_validate({**known, **fresh})
    except ValidationError as err:
        where, why = first_of(err)
        raise InvalidInput("{where}: {why}", where=where, why=why) from err


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/pipelines",
        _listed,
        tag=_TAG,
        summary="The pipelines that you work with, and their stages",
        right=Right.SEE_SALES,
        response=Pipelines,
    ),
    act(
        "POST",
        "/pipelines",
        _made,
        tag=_TAG,
        summary="Add a pipeline",
        right=Right.KEEP_PIPELINES,
        body=PipelineBody,
        response=Pipeline,
        status=201,
    ),
    read("/pipelines/{id}", _one, tag=_TAG, summary="One pipeline", right=Right.SEE_SALES, response=Pipeline),
    act(
        "PATCH",
        "/pipelines/{id}",
        _corrected,
        tag=_TAG,
        summary="Set up a pipeline, reorder its stages, or archive it",
        right=Right.KEEP_PIPELINES,
        body=PipelineChange,
        response=Pipeline,
    ),
    act(
        "POST",
        "/pipelines/{id}/stages",
        _stage_made,
        tag=_TAG,
        summary="Add a stage",
        right=Right.KEEP_PIPELINES,
        body=StageBody,
        response=StageAdded,
        status=201,
    ),
    act(
        "PATCH",
        "/pipelines/{id}/stages/{stage_id}",
        _stage_corrected,
        tag=_TAG,
        summary="Set up, rename or reorder a stage",
        right=Right.KEEP_PIPELINES,
        body=StageChange,
        response=Stage,
    ),
    own(
        "DELETE",
        "/pipelines/{id}/stages/{stage_id}",
        _stage_removed,
        tag=_TAG,
        summary="Take a stage out of use: 409 where cards stand on it, unless they are to move to another",
        right=Right.KEEP_PIPELINES,
        query=RemovalQuery,
        response=StageRemoved,
    ),
)
