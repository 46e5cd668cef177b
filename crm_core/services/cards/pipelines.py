"""Pipelines as cards meet them: which there are, who works with them, where a card stands, where it begins."""

from __future__ import annotations

from collections.abc import Sequence

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.model.access import People, Reach
from crm_core.model.definitions import Catalogue, Pipeline, PipelineSettings, Stage, StageSettings
from crm_core.model.definitions.base import Section
from crm_core.model.definitions.fields import FieldBody
from crm_core.model.records import DealRecord, PipelineRecord, StageKind, StageRecord
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.services.wording import Phrase
from crm_core.wording import Sentence

DEAL = "deal"
OWN_COLUMNS = frozenset({"amount", "contact_id", "company_id", "manager", "source", "due_at", "title", "grade", "paid"})


def pipelines(desk: Desk) -> tuple[Pipeline, ...]:
    """All pipelines in order, the archived too, as they are after what this transaction made of them."""
    known = desk.catalogue.pipelines
    if not _made_here(desk):
        return known
    records = {each.id: each.record for each in known}
    stages = {stage.id: stage.record for each in known for stage in each.stages}
    for (before, after), _ in desk.work.all_changes((PipelineRecord, StageRecord)):
        match after:
            case PipelineRecord():
                records[after.id] = after
            case StageRecord():
                stages[after.id] = after
            case _:
                stages.pop(before.id, None)
                records.pop(before.id, None)
    return Catalogue.of(desk.catalogue.revision, {}, (), records.values(), stages.values()).pipelines


def pipeline_of(desk: Desk, pipeline_id: int) -> Pipeline:
    """A pipeline by its id; raises NotFound."""
    found = desk.catalogue.pipeline(pipeline_id)
    if found is None or _made_here(desk):
        found = next((each for each in pipelines(desk) if each.id == pipeline_id), None)
    if found is None:
        raise NotFound("there is no pipeline {pipeline}", pipeline=pipeline_id)
    return found


def place_of(desk: Desk, stage_id: int) -> tuple[Pipeline, Stage]:
    """A stage with its pipeline; raises NotFound."""
    found = desk.catalogue.place(stage_id)
    if found is None or _made_here(desk):
        both = ((each, stage) for each in pipelines(desk) for stage in each.stages if stage.id == stage_id)
        found = next(both, None)
    if found is None:
        raise NotFound("there is no stage {stage}", stage=stage_id)
    return found


def named_pipeline(desk: Desk, name: str, *, user: User | None = None, everybody: bool = True) -> Pipeline:
    """The pipeline in use of that name; of those that `user` works with unless `everybody`. Raises InvalidInput."""
    for each in pipelines(desk):
        if each.name == name and not each.record.archived and (everybody or each.admits(user)):
            return each
    raise InvalidInput("pipeline: there is no pipeline «{pipeline}»", pipeline=name)


def named_stage(pipeline: Pipeline, wanted: str) -> Stage:
    """A stage that takes cards, by its name or its id; raises InvalidInput that names all."""
    found = pipeline.stage(wanted)
    if found is None:
        found = next((each for each in pipeline.in_use if str(each.id) == wanted), None)
    if found is None:
        names = ", ".join(f"«{each.name}»" for each in pipeline.in_use)
        raise InvalidInput(
            "stage: the pipeline has no stage «{wanted}», only {names}", wanted=wanted, names=names or Sentence("none")
        )
    return found


def beginning(desk: Desk, name: str | None, *, of_type: str = DEAL) -> tuple[Pipeline, Stage]:
    """The pipeline of that name (the first of the type where none is named) and its first stage; the usual pipeline of
    deals is made where there is none. Raises Conflict where a pipeline has no stages."""
    in_use = [each for each in pipelines(desk) if not each.record.archived]
    found = next((each for each in in_use if each.name == name or (name is None and each.record.type == of_type)), None)
    if found is None:
        if of_type != DEAL:
            raise Conflict("there is no pipeline of type «{of_type}»: add one", of_type=of_type)
        found = _usual(desk, name)
    if found.first is None:
        raise Conflict("pipeline «{found}» has no stages: add one", found=found.name)
    return found, found.first


def _usual(desk: Desk, name: str | None) -> Pipeline:
    known = pipelines(desk)
    wanted = name or desk.titled(Phrase.PIPELINE_DEFAULT)
    archived = next((each.record for each in known if each.name == wanted), None)
    if archived is not None:
        wanted = f"{wanted} {len(known) + 1}"  # names are unique, and what was put away stays so
    position = max((each.record.position for each in known), default=-1) + 1
    record = PipelineRecord(desk.work.next_id(), wanted, position)
    desk.work.put(record)
    usual = (
        (Phrase.STAGE_DEFAULT_NEW, StageKind.OPEN),
        (Phrase.STAGE_DEFAULT_WON, StageKind.WON),
        (Phrase.STAGE_DEFAULT_LOST, StageKind.LOST),
    )
    stages = [
        StageRecord(desk.work.next_id(), record.id, desk.titled(phrase), number, kind)
        for number, (phrase, kind) in enumerate(usual)
    ]
    for stage in stages:
        desk.work.put(stage)
    return Pipeline(record, PipelineSettings(), tuple(Stage(each, StageSettings()) for each in stages))


# ---------------------------------------------------------------- who and what a stage asks for


def actor(desk: Desk) -> User | None:
    """The person who acts in this transaction, if one does."""
    return desk.work.staff.get(desk.work.author)


def sees(desk: Desk, user: User | None, pipeline: Pipeline, deal: DealRecord) -> bool:
    """Whether somebody sees a card of this pipeline, as it is after what this transaction made of both."""
    reach = pipeline.reach(user)
    if user is None or reach in {Reach.NONE, Reach.ALL}:
        return reach is not Reach.NONE
    return People.of(user, desk.work.staff).within(reach, deal.manager)


def demand_access(desk: Desk, pipeline: Pipeline, deal: DealRecord) -> None:
    """Raise NotFound where the person who acts does not see a card."""
    if not sees(desk, actor(desk), pipeline, deal):
        raise NotFound("there is no deal {deal}", deal=deal.id)


def required_keys(pipeline: Pipeline, target: Stage) -> tuple[str, ...]:
    """The fields without which no card enters a stage: its own and those of all before it; of a lost one its own
    alone, for whoever is lost is asked for nothing more."""
    if target.record.kind is StageKind.LOST:
        return tuple(target.settings.required)
    upto = pipeline.stages[: pipeline.place(target.id) + 1]
    wanted = (
        key
        for each in upto
        if each.id == target.id or (not each.record.archived and each.record.kind is not StageKind.LOST)
        for key in each.settings.required
    )
    return tuple(dict.fromkeys(wanted))


def missing(desk: Desk, deal: DealRecord, keys: Sequence[str]) -> list[str]:
    """Those of these fields that a card has not, by their titles."""
    return [title_of(desk, deal.type, each) for each in missing_keys(desk, deal, keys)]


def missing_keys(desk: Desk, deal: DealRecord, keys: Sequence[str]) -> list[str]:
    """Those of these fields that a card has not."""
    return [each for each in keys if not _filled(desk, deal, each)]


def title_of(desk: Desk, kind: str, key: str) -> str:
    """What people call a field."""
    body = desk.catalogue.body(Section.FIELD, f"{kind}.{key}", FieldBody)
    return body.title if body is not None else key


def _filled(desk: Desk, deal: DealRecord, key: str) -> bool:
    if key in OWN_COLUMNS and desk.catalogue.body(Section.FIELD, f"{deal.type}.{key}", FieldBody) is None:
        return bool(getattr(deal, key))
    value = deal.fields.get(key)
    return value is not None and value not in ("", [], {})


def _made_here(desk: Desk) -> bool:
    return bool(desk.work.all_changes((PipelineRecord, StageRecord)))
