"""Pipelines and their stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from crm_core.errors import Conflict
from crm_core.model.records import PipelineRecord, StageKind, StageRecord
from crm_core.services import deals as services
from crm_core.services.deals import NewStage
from crm_core.services.desk import Desk
from crm_core.storage.queries import deals as queries
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.within import connection_of
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Named, NoBody, Paged, Position, Query, Taken

_TAG = "pipelines"


class StageBody(Taken):
    """A stage; `won` and `lost` close the deals that come to it."""

    name: Named
    kind: StageKind = StageKind.OPEN
    position: Position | None = None


class StageChange(Taken):
    """What is to be changed of a stage."""

    name: Named | None = None
    kind: StageKind | None = None
    position: Position | None = None


class PipelineBody(Taken):
    """A pipeline with its stages in order."""

    name: Named
    stages: Annotated[list[StageBody], Field(max_length=100)] = Field(default_factory=list)


class PipelineChange(Taken):
    """What is to be changed of a pipeline; an archived one takes no new deals."""

    name: Named | None = None
    position: Position | None = None
    archived: bool | None = None


class Stage(Given):
    """A stage of a pipeline."""

    id: int
    pipeline_id: int
    name: str
    position: int
    kind: StageKind


class Pipeline(Given):
    """A pipeline with its stages in order."""

    id: int
    name: str
    position: int
    archived: bool
    stages: list[Stage]


class Pipelines(Paged[Pipeline]):
    """All pipelines in order."""


def pipeline_json(record: PipelineRecord, stages: Sequence[StageRecord]) -> Pipeline:
    """A pipeline on the wire."""
    return Pipeline(
        id=record.id,
        name=record.name,
        position=record.position,
        archived=record.archived,
        stages=[stage_json(each) for each in stages],
    )


def stage_json(record: StageRecord) -> Stage:
    """A stage on the wire."""
    return Stage(
        id=record.id,
        pipeline_id=record.pipeline_id,
        name=record.name,
        position=record.position,
        kind=record.kind,
    )


def _listed(conn: Reading, _call: Call[Query, NoBody]) -> Pipelines:
    cards = queries.list_pipelines(conn)
    return Pipelines(items=[pipeline_json(card.pipeline, card.stages) for card in cards], next=None)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Pipeline:
    card = queries.pipeline_card(conn, call.number())
    return pipeline_json(card.pipeline, card.stages)


def _made(desk: Desk, call: Call[Any, PipelineBody]) -> Pipeline:
    stages = [NewStage(each.name, each.kind) for each in call.body.stages]
    return pipeline_json(*services.create_pipeline(desk, call.body.name, stages))


def _corrected(desk: Desk, call: Call[Any, PipelineChange]) -> Pipeline:
    body = call.body
    changed = services.change_pipeline(
        desk, call.number(), name=body.name, position=body.position, archived=body.archived
    )
    return pipeline_json(*changed)


def _stage_made(desk: Desk, call: Call[Any, StageBody]) -> Stage:
    body = call.body
    return stage_json(services.add_stage(desk, call.number(), NewStage(body.name, body.kind, body.position)))


def _stage_corrected(desk: Desk, call: Call[Any, StageChange]) -> Stage:
    body, ids = call.body, (call.number(), call.number("stage_id"))
    return stage_json(services.change_stage(desk, *ids, name=body.name, position=body.position, kind=body.kind))


def _stage_removed(desk: Desk, call: Call[Any, NoBody]) -> None:
    stage = services.own_stage(desk, call.number(), call.number("stage_id"))
    if queries.stage_in_use(connection_of(desk), stage.id):
        raise Conflict(f"deals stand on stage «{stage.name}»: move them first")
    desk.work.remove(StageRecord, stage.id)
    desk.work.changed("stage", stage.id)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/pipelines",
        _listed,
        tag=_TAG,
        summary="Pipelines with their stages",
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
        summary="Rename, reorder or archive a pipeline",
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
        response=Stage,
        status=201,
    ),
    act(
        "PATCH",
        "/pipelines/{id}/stages/{stage_id}",
        _stage_corrected,
        tag=_TAG,
        summary="Rename or reorder a stage",
        right=Right.KEEP_PIPELINES,
        body=StageChange,
        response=Stage,
    ),
    act(
        "DELETE",
        "/pipelines/{id}/stages/{stage_id}",
        _stage_removed,
        tag=_TAG,
        summary="Remove a stage on which no deal stands",
        right=Right.KEEP_PIPELINES,
        response=None,
    ),
)
