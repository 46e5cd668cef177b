"""The one way a card comes to a stage: who may, what the stage asks for, what it brings along."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import EntryKind
from crm_core.model.definitions import Pipeline, Stage
from crm_core.model.records import DealRecord, StageKind
from crm_core.services.cards.pipelines import (
    demand_access,
    missing,
    named_stage,
    place_of,
    required_keys,
)
from crm_core.services.desk import Desk
from crm_core.services.wording import Phrase
from crm_core.wording import Joined

BY_ITSELF = "hub"


def enter(
    desk: Desk, deal: DealRecord, stage: Stage | str, *, by_person: bool, reason: str | None = None
) -> DealRecord:
    """Move a card to a stage of its pipeline (a stage, its name or its id as text); unchanged where it stands there.

    Of a person (`desk.work.author`) it is asked that they work with the pipeline, that the card moves forward where it
    must, that the fields of the stage and of all before it are filled, and why a card is lost; rules may do without.
    The card must have been read under its lock. Raises NotFound, InvalidInput, Conflict.
    """
    pipeline, now = place_of(desk, deal.stage_id)
    if by_person:
        demand_access(desk, pipeline, deal)
    target = named_stage(pipeline, stage) if isinstance(stage, str) else stage
    if target.record.pipeline_id != pipeline.id:
        raise InvalidInput("stage: «{target}» is a stage of another pipeline", target=target.name)
    if target.id == now.id:
        return deal
    if by_person:
        _demand_forward(desk, pipeline, now, target)
    moved = put_on(desk, deal, pipeline, target, by_person=by_person, reason=reason)
    tell(desk, moved, desk.say(Phrase.STAGE_MOVED, stage=target.name), by_person=by_person)
    return moved


def put_on(
    desk: Desk,
    deal: DealRecord,
    pipeline: Pipeline,
    target: Stage,
    *,
    by_person: bool,
    reason: str | None = None,
) -> DealRecord:
    """Let a card, new or old, stand on a stage of whatever pipeline: with its deadline, its checklist, closed or open.

    Nothing is said on the timeline. Raises InvalidInput, Conflict.
    """
    if target.record.archived:
        raise Conflict(desk.say(Phrase.STAGE_ARCHIVED, stage=target.name))
    if by_person:
        demand_fields(desk, deal, pipeline, target)
    lost = target.record.kind is StageKind.LOST
    why = _reason(desk, pipeline, target, reason, by_person=by_person) if lost else None
    before = desk.catalogue.place(deal.stage_id)
    moved = deal._replace(
        pipeline_id=pipeline.id,
        type=pipeline.record.type,
        stage_id=target.id,
        stage_since=desk.now,
        updated_at=desk.now,
        due_at=_due(desk, deal, target, before[1] if before is not None else None),
        closed_at=None if target.open else (deal.closed_at or desk.now),
        reason=why,
        checklist=_checklist(deal.checklist, target),
    )
    desk.work.put(moved)
    if by_person:
        desk.moves.by_person.add(deal.id)
    if deal.stage_id != target.id:
        data = {"id": deal.id, "contact_id": deal.contact_id, "type": moved.type, "pipeline": pipeline.name}
        stages = {"stage": target.name, "stage_id": target.id, "from_stage_id": deal.stage_id, "reason": why}
        desk.emit("deal.moved", deal.id, {**data, **stages})
    return moved


def tell(desk: Desk, deal: DealRecord, text: str, *, by_person: bool) -> None:
    """Say on the client's timeline where a card went."""
    if deal.contact_id is None:
        return
    text = Joined((text, deal.reason), ". ") if deal.reason else text
    author = desk.work.author or BY_ITSELF
    desk.note(deal.contact_id, text, kind=EntryKind.STAGE, author=author, by_person=by_person, deal_id=deal.id)


def demand_fields(desk: Desk, deal: DealRecord, pipeline: Pipeline, target: Stage) -> None:
    """Raise InvalidInput that names the fields without which this card can't enter a stage."""
    absent = missing(desk, deal, required_keys(pipeline, target))
    if absent:
        names = ", ".join(f"«{each}»" for each in absent)
        raise InvalidInput(desk.say(Phrase.STAGE_FIELDS, stage=target.name, fields=names))


def demand_kept(desk: Desk, before: DealRecord, after: DealRecord) -> None:
    """Raise InvalidInput where a correction takes away what the card's stage asks for."""
    pipeline, stage = place_of(desk, before.stage_id)
    keys = required_keys(pipeline, stage)
    had = set(missing(desk, before, keys))
    gone = [each for each in missing(desk, after, keys) if each not in had]
    if gone:
        names = ", ".join(f"«{each}»" for each in gone)
        raise InvalidInput(desk.say(Phrase.STAGE_KEEPS_FIELDS, stage=stage.name, fields=names))


def ticked(desk: Desk, deal: DealRecord, item: int, login: str, *, done: bool) -> DealRecord:
    """Tick an item of a card's checklist, or take the tick off; raises InvalidInput where there is no such item."""
    if all(each["id"] != item for each in deal.checklist):
        raise InvalidInput("item: the checklist has no item {item}", item=item)
    checklist = [_ticked(desk, each, login, done=done) if each["id"] == item else each for each in deal.checklist]
    if checklist == deal.checklist:
        return deal
    changed = deal._replace(checklist=checklist, updated_at=desk.now)
    desk.work.put(changed)
    return changed


# ---------------------------------------------------------------- inside


def _demand_forward(desk: Desk, pipeline: Pipeline, now: Stage, target: Stage) -> None:
    """Whoever is lost may come back, and anybody may be lost; else a card goes only forward where that is wanted."""
    kinds = (now.record.kind, target.record.kind)
    if StageKind.LOST in kinds or not (pipeline.settings.forward_only or now.settings.forward_only):
        return
    if pipeline.place(target.id) < pipeline.place(now.id):
        raise Conflict(desk.say(Phrase.STAGE_FORWARD, now=now.name, stage=target.name))


def _reason(desk: Desk, pipeline: Pipeline, target: Stage, reason: str | None, *, by_person: bool) -> str | None:
    """Why a card was lost, as the list of reasons has it."""
    given = " ".join((reason or "").split())
    return listed_reason(
        desk,
        given,
        pipeline.settings.loss_reasons,
        stage=target.name,
        strict=by_person,
    )


def listed_reason(desk: Desk, given: str, reasons: Sequence[str], *, stage: str, strict: bool = True) -> str | None:
    """A reason as it stands in the list, any where there is no list; raises InvalidInput unless not `strict`."""
    known = next((each for each in reasons if each.casefold() == given.casefold()), None)
    if known is not None:
        return known
    if strict and reasons:
        names = ", ".join(f"«{each}»" for each in reasons)
        raise InvalidInput(desk.say(Phrase.STAGE_REASONS, stage=stage, reasons=names))
    if strict and not given:
        raise InvalidInput(desk.say(Phrase.STAGE_REASON, stage=stage))
    return given or None


def _due(desk: Desk, deal: DealRecord, target: Stage, before: Stage | None) -> datetime | None:
    """Until when a card is to leave the stage. A stage without a deadline leaves the day that somebody set."""
    deadline = target.settings.deadline
    if deadline is not None:
        return desk.office.calendar(target.settings.hours).due(desk.now, deadline)
    was_the_stages = before is not None and before.id != target.id and before.settings.deadline is not None
    return None if was_the_stages else deal.due_at


def _checklist(known: list[dict[str, Any]], target: Stage) -> list[dict[str, Any]]:
    """What is ticked stays; what the stage asks for is added once."""
    there = {(each["stage_id"], each["text"]) for each in known}
    last = max((each["id"] for each in known), default=0)
    wanted = [text for text in target.settings.checklist if text and (target.id, text) not in there]
    fresh = [
        {"id": last + number, "stage_id": target.id, "text": text, "done_at": None, "done_by": None}
        for number, text in enumerate(wanted, start=1)
    ]
    return [*known, *fresh] if fresh else known


def _ticked(desk: Desk, item: dict[str, Any], login: str, *, done: bool) -> dict[str, Any]:
    if done == (item["done_at"] is not None):
        return item
    return {**item, "done_at": desk.now.isoformat() if done else None, "done_by": login if done else None}
