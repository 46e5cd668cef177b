"""Deals, and cards of other types, as people keep them: opened, corrected, moved, ticked off, put away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm_core.errors import Conflict, InvalidInput, Outdated
from crm_core.model.definitions import Pipeline, Stage
from crm_core.model.records import DealRecord
from crm_core.model.rights import Right
from crm_core.model.selling import CompanyRecord
from crm_core.services import auditing
from crm_core.services.cards import stages, tunnels
from crm_core.services.cards.pipelines import (
    DEAL,
    actor,
    beginning,
    demand_access,
    named_pipeline,
    named_stage,
    pipelines,
    place_of,
)
from crm_core.services.cards.tunnels import Along
from crm_core.services.clients.contacts import UNSET, Unset, active_login, clean_tags
from crm_core.services.clients.tagging import one_of_each_group
from crm_core.services.custom import fields
from crm_core.services.desk import Desk
from crm_core.services.settling import settle

_LARGEST_AMOUNT = 10**15


@dataclass(frozen=True, slots=True)
class DealChange:
    """What a deal is to have; `amount` in minor units of `currency`. Unset fields stay, or take their usual value."""

    title: str | Unset = UNSET
    contact_id: int | Unset | None = UNSET
    company_id: int | Unset | None = UNSET
    amount: int | Unset = UNSET
    currency: str | Unset = UNSET
    manager: str | Unset | None = UNSET
    source: str | Unset | None = UNSET
    utm: Mapping[str, str] | Unset = UNSET
    due_at: datetime | Unset | None = UNSET
    tags: Sequence[str] | Unset = UNSET
    fields: Mapping[str, Any] | Unset = UNSET


@dataclass(frozen=True, slots=True)
class Placed:
    """A card, its pipeline and the stage it stands on."""

    deal: DealRecord
    pipeline: Pipeline
    stage: Stage


def create(
    desk: Desk, login: str, given: DealChange, pipeline: str | None, stage: str | None, *, of_type: str = DEAL
) -> Placed:
    """Open a card in a stage (the first one) of a pipeline (the first one of its type that its author works with); it
    is its author's where nobody is named.

    Raises InvalidInput, also where the stage asks for fields, NotFound for a contact that is not there.
    """
    desk.demand(Right.KEEP_SALES)
    found, place = start(desk, pipeline, stage, of_type)
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
        type=found.record.type,
    )
    deal = corrected(desk, deal, given)
    if not deal.title:
        raise InvalidInput("a deal has a title: give «title»")
    made = stages.put_on(desk, deal, found, place, by_person=True)
    if stage is None:
        desk.moves.by_person.discard(made.id)  # nobody chose the stage: its criteria may
    if not isinstance(given.due_at, Unset):
        made = made._replace(due_at=given.due_at)
        desk.work.put(made)
    created(desk, made, found, place)
    return placed(desk, made)


def created(desk: Desk, deal: DealRecord, pipeline: Pipeline, stage: Stage) -> None:
    """Tell other programs of a new card."""
    data = {"id": deal.id, "contact_id": deal.contact_id, "type": deal.type, "title": deal.title}
    desk.emit("deal.created", deal.id, {**data, "pipeline": pipeline.name, "stage": stage.name})


def change(desk: Desk, deal_id: int, given: DealChange, version: int | None = None) -> Placed:
    """Correct a deal; raises NotFound, InvalidInput, Outdated where it is no longer the `version` that was seen."""
    desk.demand(Right.KEEP_SALES)
    before = seen(desk, deal_id, version)
    deal = corrected(desk, before, given)
    if deal != before:
        stages.demand_kept(desk, before, deal)
        desk.work.put(deal._replace(updated_at=desk.now))
    return placed(desk, deal)


def move(desk: Desk, deal_id: int, stage: str, *, reason: str | None = None, version: int | None = None) -> Placed:
    """Move a deal to a stage of its pipeline, named or by its id; nothing happens where it stands there already.

    Won and lost stages close the deal, open ones open it again. `reason` says why it was lost. Raises NotFound,
    Outdated, InvalidInput where the stage asks for something, Conflict where there is no way back.
    """
    desk.demand(Right.KEEP_SALES)
    before = seen(desk, deal_id, version)
    return placed(desk, stages.enter(desk, before, stage, by_person=True, reason=reason))


def copy(
    desk: Desk, deal_id: int, pipeline: str | None, stage: str | None, along: Along, version: int | None = None
) -> Placed:
    """Copy a deal into a pipeline, its own where none is named; raises what `tunnels.copy` raises."""
    desk.demand(Right.KEEP_SALES)
    before = seen(desk, deal_id, version)
    goal = pipeline or place_of(desk, before.stage_id)[0]
    return placed(desk, tunnels.copy(desk, before, goal, stage, by_person=True, along=along))


def transfer(
    desk: Desk,
    deal_id: int,
    pipeline: str,
    stage: str | None,
    *,
    reason: str | None = None,
    version: int | None = None,
) -> Placed:
    """Move a deal over to another pipeline; raises what `tunnels.move_over` raises."""
    desk.demand(Right.KEEP_SALES)
    before = seen(desk, deal_id, version)
    return placed(desk, tunnels.move_over(desk, before, pipeline, stage, by_person=True, reason=reason))


def tick(desk: Desk, deal_id: int, item: int, login: str, *, done: bool) -> Placed:
    """Tick an item of the checklist; raises NotFound, InvalidInput."""
    desk.demand(Right.KEEP_SALES)
    return placed(desk, stages.ticked(desk, seen(desk, deal_id), item, login, done=done))


def put_away(desk: Desk, deal_id: int) -> None:
    """Delete a deal so that it can be brought back; raises NotFound, Forbidden."""
    deal = seen(desk, deal_id)
    desk.demand(Right.DELETE, deal)
    auditing.note(desk, f"deleted.{deal.type}", deal_id, contact_id=deal.contact_id)
    desk.work.put(deal._replace(deleted_at=desk.now, updated_at=desk.now))


def bring_back(desk: Desk, deal_id: int) -> Placed:
    """Bring back a deleted deal; raises NotFound, Forbidden."""
    desk.work.owned(DealRecord, deal_id)
    deal = desk.work.get(DealRecord, deal_id)
    demand_access(desk, place_of(desk, deal.stage_id)[0], deal)
    desk.demand(Right.DELETE, deal)
    if deal.deleted_at is not None:
        auditing.note(desk, f"restored.{deal.type}", deal_id, contact_id=deal.contact_id)
        deal = deal._replace(deleted_at=None, updated_at=desk.now)
        desk.work.put(deal)
    return placed(desk, deal)


def seen(desk: Desk, deal_id: int, version: int | None = None) -> DealRecord:
    """A deal, locked, as whoever acts saw it; raises NotFound, also where they don't work with its pipeline, Outdated
    where it is another version by now, which the error carries, Forbidden for whoever sees no sales."""
    desk.demand(Right.SEE_SALES)
    deal, _ = desk.work.card(deal_id)
    demand_access(desk, place_of(desk, deal.stage_id)[0], deal)
    if version is not None and version != deal.version:
        raise Outdated(
            "the deal was changed meanwhile: it is at version {now}, not {version}",
            placed(desk, deal),
            now=deal.version,
            version=version,
        )
    return deal


def placed(desk: Desk, deal: DealRecord) -> Placed:
    """A deal where it stands after all that follows from what was done."""
    settle(desk)
    now = desk.work.peek(DealRecord, deal.id) or deal
    return Placed(now, *place_of(desk, now.stage_id))


def start(desk: Desk, pipeline: str | None, stage: str | None, of_type: str = DEAL) -> tuple[Pipeline, Stage]:
    """Where a person opens a card: among the pipelines that they work with; raises InvalidInput, Conflict."""
    user = actor(desk)
    if pipeline is not None:
        found = named_pipeline(desk, pipeline, user=user, everybody=False)
    else:
        own = [each for each in pipelines(desk) if each.record.type == of_type and not each.record.archived]
        found = next((each for each in own if each.admits(user)), None) or _only_where_none(desk, own, of_type)
    if stage is not None:
        return found, named_stage(found, stage)
    if found.first is None:
        raise Conflict("pipeline «{found}» has no stages: add one", found=found.name)
    return found, found.first


def _only_where_none(desk: Desk, own: Sequence[Pipeline], of_type: str) -> Pipeline:
    """The usual pipeline, for an office that has none; raises InvalidInput where all are for others."""
    if own:
        raise InvalidInput("pipeline: there is none that you work with")
    return beginning(desk, None, of_type=of_type)[0]


def corrected(desk: Desk, deal: DealRecord, given: DealChange) -> DealRecord:
    """A deal as it is to be, not yet put; raises InvalidInput, NotFound, Conflict."""
    changes: dict[str, Any] = {
        name: value
        for name in ("title", "amount", "currency", "source", "due_at")
        if not isinstance(value := getattr(given, name), Unset)
    }
    if changes.get("amount", 0) < 0:
        raise InvalidInput("amount: a deal is worth nothing at least; money paid back is a payment below nothing")
    if changes.get("amount", 0) > _LARGEST_AMOUNT:
        raise InvalidInput("amount: at most {most} minor units", most=_LARGEST_AMOUNT)
    if not isinstance(given.contact_id, Unset):
        if given.contact_id is not None and given.contact_id != deal.contact_id:
            contact = desk.work.contact(given.contact_id)
            if contact.merged_into is not None:
                raise Conflict(
                    "contact {contact} was merged into {merged_into}",
                    contact=contact.id,
                    merged_into=contact.merged_into,
                )
        changes["contact_id"] = given.contact_id
    if not isinstance(given.company_id, Unset):
        if given.company_id is not None:
            desk.work.get(CompanyRecord, given.company_id)
        changes["company_id"] = given.company_id
    if not isinstance(given.manager, Unset):
        changes["manager"] = active_login(desk, given.manager)
    if not isinstance(given.utm, Unset):
        changes["utm"] = {name: value for name, value in given.utm.items() if value}
    if not isinstance(given.tags, Unset):
        changes["tags"] = one_of_each_group(desk, deal.type, deal.tags, clean_tags(given.tags))
    if not isinstance(given.fields, Unset):
        changes["fields"] = fields.given(desk, deal.type, deal.fields, given.fields)
    return deal._replace(**changes)
