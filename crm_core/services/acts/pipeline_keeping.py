"""Keeping pipelines and their stages: added, changed, put in another order, put away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_core.errors import Conflict, Duplicate, InvalidInput, NotFound
from crm_core.model.auditing import Act
from crm_core.model.definitions import Pipeline, PipelineSettings, Stage, StageSettings
from crm_core.model.definitions.pipelines import ADVISED_STAGES, readable
from crm_core.model.records import PipelineRecord, StageKind, StageRecord
from crm_core.model.rights import Right
from crm_core.services import auditing
from crm_core.services.acts.renaming import pipeline_renamed, stage_renamed
from crm_core.services.cards.pipelines import DEAL, pipeline_of, pipelines, place_of
from crm_core.services.cards.stages import put_on, tell
from crm_core.services.configuration.naming import check_pipeline, check_stage
from crm_core.services.defining import as_json
from crm_core.services.desk import Desk
from crm_core.services.wording import Phrase

_MOST_PIPELINES = 500
_MOST_STAGES = 100
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class NewStage:
    """A stage to be added at the end of a pipeline, or at `position`."""

    name: str
    kind: StageKind = StageKind.OPEN
    position: int | None = None
    settings: StageSettings = field(default_factory=StageSettings)


@dataclass(frozen=True, slots=True)
class PipelineChange:
    """What is to be changed of a pipeline; None leaves it. `stages` are the ids of its stages in their new order."""

    name: str | None = None
    position: int | None = None
    archived: bool | None = None
    settings: PipelineSettings | None = None
    stages: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class StageChange:
    """What is to be changed of a stage; None leaves it."""

    name: str | None = None
    position: int | None = None
    kind: StageKind | None = None
    settings: StageSettings | None = None
    archived: bool | None = None


def create_pipeline(
    desk: Desk,
    name: str,
    stages: Sequence[NewStage],
    settings: PipelineSettings | None = None,
    of_type: str = DEAL,
) -> Pipeline:
    """Add a pipeline behind the others, with its stages; raises Duplicate, InvalidInput, Conflict."""
    desk.demand(Right.KEEP_PIPELINES)
    known = pipelines(desk)
    if any(each.name == name for each in known):
        raise Duplicate("there is a pipeline «{pipeline}» already", pipeline=name)
    if len(known) >= _MOST_PIPELINES:
        raise Conflict("there are {most} pipelines: archive some first", most=_MOST_PIPELINES)
    if len({each.name for each in stages}) != len(stages):
        raise InvalidInput("stages: two have the same name")
    position = max((each.record.position for each in known), default=-1) + 1
    body = _checked_pipeline(desk, of_type, settings or PipelineSettings())
    _demand_reach(desk, {}, body)
    pipeline = PipelineRecord(desk.work.next_id(), name, position, type=of_type, settings=as_json(body))
    desk.work.put(pipeline)
    _noted(desk, pipeline)
    for number, each in enumerate(stages):
        where = each.position if each.position is not None else number
        _put_stage(desk, pipeline.id, each, where)
    return pipeline_of(desk, pipeline.id)


def change_pipeline(desk: Desk, pipeline_id: int, given: PipelineChange) -> Pipeline:
    """Change a pipeline, put its stages in another order, or archive it: it takes no new cards then, and those in it
    stay. Raises NotFound, Duplicate, InvalidInput."""
    desk.demand(Right.KEEP_PIPELINES)
    known = pipelines(desk)
    before = desk.work.get(PipelineRecord, pipeline_id)
    if given.name is not None and any(each.name == given.name and each.id != pipeline_id for each in known):
        raise Duplicate("there is a pipeline «{pipeline}» already", pipeline=given.name)
    settings = (
        as_json(_checked_pipeline(desk, before.type, given.settings)) if given.settings is not None else before.settings
    )
    if given.settings is not None:
        _demand_reach(desk, before.settings, given.settings)
    pipeline = before._replace(
        name=given.name if given.name is not None else before.name,
        position=given.position if given.position is not None else before.position,
        archived=given.archived if given.archived is not None else before.archived,
        settings=settings,
    )
    if pipeline != before:
        desk.work.put(pipeline)
        _noted(desk, pipeline)
    if pipeline.name != before.name:
        pipeline_renamed(desk, before.type, before.name, pipeline.name)
    if given.stages is not None:
        _reorder(desk, pipeline_id, given.stages)
    return pipeline_of(desk, pipeline_id)


def _demand_reach(desk: Desk, before: Any, after: PipelineSettings) -> None:
    """Who sees whose cards is an administrator's to say: nobody else gives themselves more, also not where what was
    said before can't be read."""
    known, wrong = readable(before)
    if wrong is not None or known.reach != after.reach:
        desk.demand(Right.KEEP_STAFF)


def _noted(desk: Desk, pipeline: PipelineRecord) -> None:
    auditing.note(desk, Act.CONFIGURED, pipeline.id, detail=f"pipeline «{pipeline.name}»")


def add_stage(desk: Desk, pipeline_id: int, new: NewStage) -> Stage:
    """Add a stage; one of that name that was put away comes back. Raises NotFound, Duplicate, InvalidInput."""
    desk.demand(Right.KEEP_PIPELINES)
    pipeline = pipeline_of(desk, pipeline_id)
    known = next((each for each in pipeline.stages if each.name == new.name), None)
    if known is not None and not known.record.archived:
        raise Duplicate("the pipeline has a stage «{new}» already", new=new.name)
    if len(pipeline.in_use) >= _MOST_STAGES:
        raise Conflict("the pipeline has {most} stages: remove some first", most=_MOST_STAGES)
    last = max((each.record.position for each in pipeline.in_use), default=-1) + 1
    position = new.position if new.position is not None else last
    made = _put_stage(desk, pipeline_id, new, position, known.id if known is not None else None)
    return _stage(desk, pipeline_id, made.id)


def change_stage(desk: Desk, pipeline_id: int, stage_id: int, given: StageChange) -> Stage:
    """Rename, reorder or set up a stage, or change what it means for the cards on it; what is configured by its name
    goes along. Raises NotFound, Duplicate, InvalidInput, Conflict."""
    desk.demand(Right.KEEP_PIPELINES)
    before = own_stage(desk, pipeline_id, stage_id)
    others = [each for each in pipeline_of(desk, pipeline_id).stages if each.id != stage_id]
    if given.name is not None and any(each.name == given.name for each in others):
        raise Duplicate("the pipeline has a stage «{given}» already", given=given.name)
    settings = (
        as_json(_checked_stage(desk, given.settings, pipeline_of(desk, pipeline_id).record.type))
        if given.settings is not None
        else before.settings
    )
    after = before._replace(
        name=given.name if given.name is not None else before.name,
        position=given.position if given.position is not None else before.position,
        kind=given.kind if given.kind is not None else before.kind,
        archived=given.archived if given.archived is not None else before.archived,
        settings=settings,
    )
    if after != before:
        desk.work.put(after)
    if after.kind is not before.kind:
        _stand_otherwise(desk, before, after.kind)
    if after.name != before.name:
        stage_renamed(desk, pipeline_of(desk, pipeline_id), before.name, after.name)
    return _stage(desk, pipeline_id, stage_id)


def own_stage(desk: Desk, pipeline_id: int, stage_id: int) -> StageRecord:
    """A stage of this pipeline; raises NotFound."""
    stage = desk.work.get(StageRecord, stage_id)
    if stage.pipeline_id != pipeline_id:
        raise NotFound("pipeline {pipeline} has no stage {stage}", pipeline=pipeline_id, stage=stage_id)
    return stage


def close_stage(desk: Desk, pipeline_id: int, stage_id: int, move_to: int | None, standing: int) -> None:
    """Take a stage out of use: no card enters it from here on. `standing` cards are on it, to go to `move_to`.

    Raises NotFound, InvalidInput, Conflict that says how many cards stand there.
    """
    desk.demand(Right.KEEP_PIPELINES)
    stage = own_stage(desk, pipeline_id, stage_id)
    if standing and move_to is None:
        raise Conflict(desk.say(Phrase.STAGE_IN_USE, stage=stage.name, count=standing))
    if move_to is not None:
        goal = own_stage(desk, pipeline_id, move_to)
        if goal.archived or goal.id == stage_id:
            raise InvalidInput("move_to: «{goal}» takes no cards", goal=goal.name)
    if not stage.archived:
        desk.work.put(stage._replace(archived=True))


def empty_stage(desk: Desk, stage_id: int, goal_id: int) -> int | None:
    """Move some of the cards of a stage that is out of use to another one; how many, None where there are none left."""
    ids = desk.work.stands_on(stage_id, _AT_ONCE)
    if not ids:
        return None
    pipeline, goal = place_of(desk, goal_id)
    cards = [each for each in desk.work.cards(ids) if each.stage_id == stage_id]
    for card in cards:
        moved = put_on(desk, card, pipeline, goal, by_person=False)
        tell(desk, moved, desk.say(Phrase.STAGE_MOVED, stage=goal.name), by_person=True)
    return len(cards)


def warnings(pipeline: Pipeline) -> list[str]:
    """What is allowed, but unwise, in words."""
    found = []
    count = len(pipeline.in_use)
    if count > ADVISED_STAGES:
        found.append(f"{count} stages: more than {ADVISED_STAGES} are hard to oversee")
    if pipeline.in_use and not any(each.record.kind is StageKind.WON for each in pipeline.in_use):
        found.append("no stage is «won»: no card of this pipeline can be won")
    if pipeline.in_use and not any(each.record.kind is StageKind.LOST for each in pipeline.in_use):
        found.append("no stage is «lost»: no card of this pipeline can be lost")
    return found


# ---------------------------------------------------------------- inside


def _put_stage(desk: Desk, pipeline_id: int, new: NewStage, position: int, stage_id: int | None = None) -> StageRecord:
    settings = as_json(_checked_stage(desk, new.settings, pipeline_of(desk, pipeline_id).record.type))
    if stage_id is not None:
        record = desk.work.get(StageRecord, stage_id)
        record = record._replace(position=position, kind=new.kind, settings=settings, archived=False)
    else:
        record = StageRecord(desk.work.next_id(), pipeline_id, new.name, position, new.kind, settings)
    desk.work.put(record)
    return record


def _stage(desk: Desk, pipeline_id: int, stage_id: int) -> Stage:
    return next(each for each in pipeline_of(desk, pipeline_id).stages if each.id == stage_id)


def _reorder(desk: Desk, pipeline_id: int, order: Sequence[int]) -> None:
    known = {each.id for each in pipeline_of(desk, pipeline_id).in_use}
    if set(order) != known or len(order) != len(known):
        raise InvalidInput("stages: name every stage of the pipeline once, in the new order")
    for position, stage_id in enumerate(order):
        before = desk.work.get(StageRecord, stage_id)
        if before.position != position:
            desk.work.put(before._replace(position=position))


def _checked_pipeline(desk: Desk, of_type: str, settings: PipelineSettings) -> PipelineSettings:
    check_pipeline(desk, of_type, settings)
    _once(settings.loss_reasons, "loss_reasons")
    return settings


def _checked_stage(desk: Desk, settings: StageSettings, of_type: str) -> StageSettings:
    check_stage(desk, settings, of_type)
    _once(settings.checklist, "checklist")
    return settings


def _stand_otherwise(desk: Desk, stage: StageRecord, kind: StageKind) -> None:
    """Cards on a stage that means something else from now on are closed, or open again; raises Conflict where there are
    too many for one act."""
    ids = desk.work.stands_on(stage.id, _AT_ONCE + 1)
    if len(ids) > _AT_ONCE:
        raise Conflict(
            "kind: more than {most} cards stand on «{stage}»: add another stage and move them there",
            most=_AT_ONCE,
            stage=stage.name,
        )
    for card in desk.work.cards(ids):
        closed = None if kind is StageKind.OPEN else card.closed_at or desk.now
        if card.stage_id == stage.id and closed != card.closed_at:
            desk.work.put(card._replace(closed_at=closed, updated_at=desk.now))


def _once(values: Sequence[str], where: str) -> None:
    folded = [each.casefold() for each in values]
    if len(set(folded)) != len(folded):
        raise InvalidInput("{where}: something stands there twice", where=where)
