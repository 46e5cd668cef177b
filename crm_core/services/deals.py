"""Deals and the pipelines they move through, as people keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm_core.errors import Conflict, Duplicate, InvalidInput, NotFound
from crm_core.messages import EntryKind
from crm_core.model.records import DealRecord, PipelineRecord, StageKind, StageRecord
from crm_core.services.contacts import UNSET, Unset, active_login, clean_tags, merged_fields
from crm_core.services.desk import Desk
from crm_core.services.ladders import watch_deal
from crm_core.services.leads import first_stage
from crm_core.services.wording import Phrase


@dataclass(frozen=True, slots=True)
class DealChange:
    """What a deal is to have; `amount` in minor units of `currency`. Unset fields stay, or take their usual value."""

    title: str | Unset = UNSET
    contact_id: int | Unset | None = UNSET
    amount: int | Unset = UNSET
    currency: str | Unset = UNSET
    manager: str | Unset | None = UNSET
    source: str | Unset | None = UNSET
    due_at: datetime | Unset | None = UNSET
    tags: Sequence[str] | Unset = UNSET
    fields: Mapping[str, Any] | Unset = UNSET


@dataclass(frozen=True, slots=True)
class NewStage:
    """A stage to be added at the end of a pipeline, or at `position`."""

    name: str
    kind: StageKind = StageKind.OPEN
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A deal, its pipeline and the stage it stands on."""

    deal: DealRecord
    pipeline: PipelineRecord
    stage: StageRecord


def create(desk: Desk, login: str, given: DealChange, pipeline: str | None, stage: str | None) -> Placed:
    """Open a deal in a stage (the first one) of a pipeline (the first one); it is its author's where nobody is named.

    Raises InvalidInput, NotFound for a contact that is not there.
    """
    found, first = first_stage(desk, known_pipeline(desk, pipeline).name if pipeline is not None else None)
    place = _stage_of(desk, found.id, stage) if stage is not None else first
    deal = DealRecord(
        id=desk.work.next_id(),
        contact_id=None,
        pipeline_id=found.id,
        stage_id=place.id,
        title="",
        created_at=desk.now,
        updated_at=desk.now,
        stage_since=desk.now,
        manager=login,
        closed_at=desk.now if place.kind is not StageKind.OPEN else None,
    )
    deal = _changed(desk, deal, given)
    if not deal.title:
        raise InvalidInput("a deal has a title: give «title»")
    desk.work.put(deal)
    watch_deal(desk, deal)
    return Placed(deal, found, place)


def change(desk: Desk, deal_id: int, given: DealChange, version: int | None = None) -> Placed:
    """Correct a deal; raises NotFound, InvalidInput, Conflict where it is no longer the `version` that was seen."""
    before, _ = desk.work.owned(DealRecord, deal_id)
    _same_version(before, version)
    deal = _changed(desk, before, given)
    if deal != before:
        deal = deal._replace(updated_at=desk.now, version=before.version + 1)
        desk.work.put(deal)
        watch_deal(desk, deal)
    return _placed(desk, deal)


def move(
    desk: Desk, deal_id: int, login: str, stage: str, *, reason: str | None = None, version: int | None = None
) -> Placed:
    """Move a deal to a stage of its pipeline, named or by its id; nothing happens where it stands there already.

    Won and lost stages close the deal, open ones open it again. `reason` says why it was lost.
    """
    before, contact = desk.work.owned(DealRecord, deal_id)
    _same_version(before, version)
    target = _stage_of(desk, before.pipeline_id, stage)
    if target.id == before.stage_id:
        return _placed(desk, before)
    closed = target.kind is not StageKind.OPEN
    deal = before._replace(
        stage_id=target.id,
        stage_since=desk.now,
        updated_at=desk.now,
        closed_at=(before.closed_at or desk.now) if closed else None,
        reason=reason if target.kind is StageKind.LOST else None,
        version=before.version + 1,
    )
    desk.work.put(deal)
    watch_deal(desk, deal)
    if contact is not None:
        text = desk.say(Phrase.STAGE_MOVED, stage=target.name)
        text = f"{text}. {deal.reason}" if deal.reason else text
        desk.note(contact.id, text, kind=EntryKind.STAGE, author=login, by_person=True, deal_id=deal.id)
    data = {"id": deal.id, "contact_id": deal.contact_id, "stage": target.name, "from_stage_id": before.stage_id}
    desk.emit("deal.moved", deal.id, data)
    return _placed(desk, deal)


# ---------------------------------------------------------------- pipelines


def create_pipeline(desk: Desk, name: str, stages: Sequence[NewStage]) -> tuple[PipelineRecord, list[StageRecord]]:
    """Add a pipeline behind the others, with its stages; raises Duplicate, InvalidInput."""
    known = desk.work.everything(PipelineRecord)
    if any(each.name == name for each in known):
        raise Duplicate(f"there is a pipeline «{name}» already")
    if len({each.name for each in stages}) != len(stages):
        raise InvalidInput("stages: two have the same name")
    position = max((each.position for each in known), default=-1) + 1
    pipeline = PipelineRecord(desk.work.next_id(), name, position)
    desk.work.put(pipeline)
    made = [
        StageRecord(desk.work.next_id(), pipeline.id, each.name, number, each.kind)
        for number, each in enumerate(stages)
    ]
    for stage in made:
        desk.work.put(stage)
    return pipeline, made


def change_pipeline(
    desk: Desk, pipeline_id: int, *, name: str | None, position: int | None, archived: bool | None
) -> tuple[PipelineRecord, list[StageRecord]]:
    """Rename, reorder or archive a pipeline; raises NotFound, Duplicate."""
    known = desk.work.everything(PipelineRecord)
    before = desk.work.get(PipelineRecord, pipeline_id)
    if name is not None and any(each.name == name and each.id != pipeline_id for each in known):
        raise Duplicate(f"there is a pipeline «{name}» already")
    pipeline = before._replace(
        name=name if name is not None else before.name,
        position=position if position is not None else before.position,
        archived=archived if archived is not None else before.archived,
    )
    desk.work.put(pipeline)
    return pipeline, stages_of(desk, pipeline_id)


def add_stage(desk: Desk, pipeline_id: int, new: NewStage) -> StageRecord:
    """Add a stage; raises NotFound, Duplicate."""
    desk.work.get(PipelineRecord, pipeline_id)
    known = stages_of(desk, pipeline_id)
    _free_name(known, new.name)
    position = new.position if new.position is not None else max((each.position for each in known), default=-1) + 1
    stage = StageRecord(desk.work.next_id(), pipeline_id, new.name, position, new.kind)
    desk.work.put(stage)
    return stage


def change_stage(
    desk: Desk, pipeline_id: int, stage_id: int, *, name: str | None, position: int | None, kind: StageKind | None
) -> StageRecord:
    """Rename or reorder a stage, or change what it means for deals that come to it; raises NotFound, Duplicate."""
    before = own_stage(desk, pipeline_id, stage_id)
    if name is not None:
        _free_name([each for each in stages_of(desk, pipeline_id) if each.id != stage_id], name)
    stage = before._replace(
        name=name if name is not None else before.name,
        position=position if position is not None else before.position,
        kind=kind if kind is not None else before.kind,
    )
    desk.work.put(stage)
    return stage


def own_stage(desk: Desk, pipeline_id: int, stage_id: int) -> StageRecord:
    """A stage of this pipeline; raises NotFound."""
    stage = desk.work.get(StageRecord, stage_id)
    if stage.pipeline_id != pipeline_id:
        raise NotFound(f"pipeline {pipeline_id} has no stage {stage_id}")
    return stage


def stages_of(desk: Desk, pipeline_id: int) -> list[StageRecord]:
    """The stages of a pipeline in order."""
    found = desk.work.related(StageRecord, "pipeline_id", [pipeline_id])
    return sorted(found, key=lambda each: (each.position, each.id))


def known_pipeline(desk: Desk, name: str) -> PipelineRecord:
    """The pipeline of that name; raises InvalidInput."""
    for each in desk.work.everything(PipelineRecord):
        if each.name == name and not each.archived:
            return each
    raise InvalidInput(f"pipeline: there is no pipeline «{name}»")


# ---------------------------------------------------------------- inside


def _changed(desk: Desk, deal: DealRecord, given: DealChange) -> DealRecord:
    changes: dict[str, Any] = {
        name: value
        for name in ("title", "amount", "currency", "source", "due_at")
        if not isinstance(value := getattr(given, name), Unset)
    }
    if not isinstance(given.contact_id, Unset):
        if given.contact_id is not None:
            contact = desk.work.contact(given.contact_id)
            if contact.merged_into is not None:
                raise Conflict(f"contact {contact.id} was merged into {contact.merged_into}")
        changes["contact_id"] = given.contact_id
    if not isinstance(given.manager, Unset):
        changes["manager"] = active_login(desk, given.manager)
    if not isinstance(given.tags, Unset):
        changes["tags"] = clean_tags(given.tags)
    if not isinstance(given.fields, Unset):
        changes["fields"] = merged_fields(deal.fields, given.fields)
    return deal._replace(**changes)


def _placed(desk: Desk, deal: DealRecord) -> Placed:
    return Placed(deal, desk.work.get(PipelineRecord, deal.pipeline_id), desk.work.get(StageRecord, deal.stage_id))


def _stage_of(desk: Desk, pipeline_id: int, wanted: str) -> StageRecord:
    stages = stages_of(desk, pipeline_id)
    for each in stages:
        if each.name == wanted:
            return each
    for each in stages:
        if str(each.id) == wanted:
            return each
    names = ", ".join(f"«{each.name}»" for each in stages)
    raise InvalidInput(f"stage: the pipeline has no stage «{wanted}», only {names or 'none'}")


def _same_version(deal: DealRecord, version: int | None) -> None:
    if version is not None and version != deal.version:
        raise Conflict(f"the deal was changed meanwhile: it is at version {deal.version}, not {version}")


def _free_name(stages: Sequence[StageRecord], name: str) -> None:
    if any(each.name == name for each in stages):
        raise Duplicate(f"the pipeline has a stage «{name}» already")
