"""Dial lists: pipelines whose cards are numbers to be rung one after another, by whoever is free.

A card that somebody got is theirs until it was moved, or put off and given back: no two people ring one client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.model.callback import permitted_at
from crm_core.model.definitions import Pipeline, Stage
from crm_core.model.listed import listed_by
from crm_core.model.records import ContactRecord, DealRecord, IdentityRecord
from crm_core.model.rights import Reach, Right
from crm_core.services.acts import deals
from crm_core.services.acts.deals import Placed
from crm_core.services.cards import stages
from crm_core.services.cards.pipelines import actor, pipeline_of
from crm_core.services.desk import Desk
from crm_core.services.recognising.cleaning import clean_name
from crm_core.services.watching import callbacks
from crm_core.services.wording import Phrase

_LOOKED_AT = 20  # candidates at once
_MOST_LOOKS = 50
_FURTHEST = timedelta(days=365)
_LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True)
class NextCall:
    """The card whose client is to be rung now, and at which number (E.164)."""

    card: Placed
    contact: ContactRecord
    number: str


def next_call(desk: Desk, pipeline_id: int, login: str) -> NextCall | None:
    """The next card for somebody: the one they have already, else the one that is due longest; None where the list is
    done for now.

    Passed over are clients without a telephone or on a special list, whom somebody rings or a robot is to ring, and
    those who may not be rung at this hour: these are put off until they may. Raises NotFound, Conflict.
    """
    desk.demand(Right.PLACE_CALLS)
    pipeline = _list(desk, pipeline_id)
    open_stages = [each.id for each in pipeline.in_use if each.open]
    passed: set[int] = set()
    for _ in range(_MOST_LOOKS):
        found = desk.work.next_cards(pipeline.id, open_stages, login, _LOOKED_AT, passed)
        if found is None:
            # Others may hold the last ones only to pass them over.
            found = desk.work.next_cards(pipeline.id, open_stages, login, _LOOKED_AT, passed, wait=True)
        if found is None:
            return None
        passed.update(card.id for card in found)
        chosen = _first_fit(desk, found, login)
        if chosen is not None:
            card, contact, number = chosen
            if card.manager != login:
                card = card._replace(manager=login, updated_at=desk.now)
                desk.work.put(card)
            return NextCall(deals.placed(desk, card), contact, number)
    return None


def result(
    desk: Desk,
    deal_id: int,
    *,
    stage: str | None = None,
    reason: str | None = None,
    again_at: datetime | None = None,
    note: str = "",
    version: int | None = None,
) -> Placed:
    """What came of a call: the card moves to a stage, or its client is to be rung again at a moment, by whoever is free
    then; `note` goes to the timeline. Raises NotFound, Outdated, InvalidInput."""
    desk.demand(Right.KEEP_SALES)
    card = deals.seen(desk, deal_id, version)
    _list(desk, card.pipeline_id)
    if stage is None and again_at is None:
        raise InvalidInput("say what came of it: «stage», or «again_at» to ring again")
    if again_at is not None and not desk.now <= again_at <= desk.now + _FURTHEST:
        raise InvalidInput("again_at: a moment within a year from now")
    if note.strip() and card.contact_id is not None:
        author = desk.work.author or stages.BY_ITSELF
        desk.note(card.contact_id, note.strip(), author=author, by_person=True, deal_id=card.id)
    if stage is not None:
        card = stages.enter(desk, card, stage, by_person=True, reason=reason)
    if again_at is not None and card.closed_at is None:
        card = card._replace(due_at=again_at, manager=None, updated_at=desk.now)
        desk.work.put(card)
    return deals.placed(desk, card)


def fill(desk: Desk, pipeline_id: int, contact_ids: Sequence[int]) -> int:
    """Put clients on a dial list, or on any pipeline: an open card for each who has none there; how many came.

    Left out are those merged into others, deleted, or on a special list. Three statements, however many they are.
    Raises NotFound, also where whoever acts sees nothing of the pipeline, Conflict.
    """
    desk.demand(Right.BROADCAST)
    pipeline = pipeline_of(desk, pipeline_id)
    if desk.access is not None and pipeline.reach(actor(desk)) is Reach.NONE:
        raise NotFound("there is no pipeline {pipeline}", pipeline=pipeline_id)
    first = pipeline.first
    if first is None or pipeline.record.archived:
        raise Conflict(desk.say(Phrase.PIPELINE_ARCHIVED, pipeline=pipeline.name))
    clients = desk.work.contacts(contact_ids)
    there = {
        card.contact_id
        for card in desk.work.related(DealRecord, "contact_id", clients)
        if card.pipeline_id == pipeline.id and card.closed_at is None and card.deleted_at is None
    }
    wanted = [each for each in clients.values() if each.id not in there and _to_be_rung(each)]
    for client in wanted:
        _put(desk, pipeline, first, client)
    return len(wanted)


def _put(desk: Desk, pipeline: Pipeline, first: Stage, client: ContactRecord) -> None:
    card = DealRecord(
        id=desk.work.next_id(),
        contact_id=client.id,
        pipeline_id=pipeline.id,
        stage_id=first.id,
        title=(clean_name(client.name) or pipeline.name)[:_LONGEST_TITLE],
        created_at=desk.now,
        updated_at=desk.now,
        stage_since=desk.now,
        manager=None if pipeline.settings.dial_list else client.manager,
        type=pipeline.record.type,
        company_id=client.company_id,
    )
    stages.put_on(desk, card, pipeline, first, by_person=False)


def _to_be_rung(client: ContactRecord) -> bool:
    return client.merged_into is None and client.deleted_at is None and client.list_name is None


def _list(desk: Desk, pipeline_id: int) -> Pipeline:
    pipeline = pipeline_of(desk, pipeline_id)
    if not pipeline.settings.dial_list:
        raise Conflict("pipeline «{pipeline}» is no dial list: set dial_list", pipeline=pipeline.name)
    if not pipeline.admits(actor(desk)):
        raise NotFound("there is no pipeline {pipeline}", pipeline=pipeline_id)
    return pipeline


def _first_fit(desk: Desk, cards: Sequence[DealRecord], login: str) -> tuple[DealRecord, ContactRecord, str] | None:
    """The first of these cards whose client may be rung now; those who may be later are put off until then."""
    owners = [each.contact_id for each in cards if each.contact_id is not None]
    held = desk.work.identities(owners)
    keys = {key for several in held.values() for each in several for key in listed_by(each.key)}
    listed = desk.work.listed_numbers(keys) if keys and desk.office.lists else {}
    clients = desk.work.contacts(owners)
    for card in cards:
        client = clients.get(card.contact_id or 0)
        if client is None or not _to_be_rung(client) or card.manager not in {None, login}:
            continue
        number = _number(held.get(client.id, []))
        if number is None or any(key in listed for each in held[client.id] for key in listed_by(each.key)):
            continue
        permitted = permitted_at(desk.office.robot, callbacks.zone_of(desk, client, number), desk.now)
        if permitted > desk.now:
            desk.work.put(card._replace(due_at=permitted, manager=None, updated_at=desk.now))
            continue
        return card, client, number
    return None


def _number(held: Sequence[IdentityRecord]) -> str | None:
    return next((each.key.partition(":")[2] for each in held if each.key.startswith("tel:+")), None)
