"""Deals and pipelines as they are listed, to those who work with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right, demand
from crm_core.model.definitions import Catalogue, Pipeline
from crm_core.model.records import DealRecord, PipelineRecord, StageRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, both, one_of
from crm_core.storage.queries.sorting import EVERYTHING, More, listed
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import change, deal, pipeline, stage

DEAL = "deal"


@dataclass(frozen=True, slots=True)
class DealFilter:
    """Which deals are wanted; `open_only` leaves out won and lost ones, `type` None takes cards of every type."""

    pipeline: str | None = None
    stage: str | None = None
    manager: str | None = None
    contact_id: int | None = None
    company_id: int | None = None
    open_only: bool = False
    type: str | None = DEAL


@dataclass(frozen=True, slots=True)
class DealCard:
    """A deal, its pipeline and the stage it stands on."""

    deal: DealRecord
    pipeline: PipelineRecord
    stage: StageRecord


@dataclass(frozen=True, slots=True)
class StageSpan:
    """A stretch of time that a card spent on a stage; `until` is None where it still stands there. `author` brought it
    there."""

    stage_id: int
    stage: str
    since: datetime
    until: datetime | None
    author: str


def list_deals(
    conn: Connection, access: Access, wanted: DealFilter, where: Slice, more: More = EVERYTHING
) -> Page[DealCard]:
    """Deals that somebody sees, the newest first or as `more` sorts them. Three statements, one where a filter brings
    the catalogue along; two more where they are sorted. Raises Forbidden for whoever sees no sales."""
    access.demand(Right.SEE_SALES)
    known = more.asking.catalogue if more.asking is not None else None
    conditions = both(
        (
            deal.c.deleted_at.is_(None),
            deal.c.type == wanted.type if wanted.type is not None else None,
            deal.c.manager == wanted.manager if wanted.manager is not None else None,
            deal.c.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
            deal.c.company_id == wanted.company_id if wanted.company_id is not None else None,
            deal.c.closed_at.is_(None) if wanted.open_only else None,
            seen_card(access.sight),
            more.condition,
        )
    )
    if wanted.pipeline is not None:
        named = select(pipeline.c.id).where(pipeline.c.name == wanted.pipeline)
        conditions.append(deal.c.pipeline_id.in_(named))
    if wanted.stage is not None:
        conditions.append(deal.c.stage_id.in_(select(stage.c.id).where(stage.c.name == wanted.stage)))
    page = listed(conn, wanted.type or DEAL, DealRecord, conditions, where, more)
    cards = {card.deal.id: card for card in cards_of(conn, page.items, known)}
    return page.map(lambda record: cards[record.id])


def deal_card(conn: Connection, access: Access, deal_id: int) -> DealCard:
    """One deal; raises NotFound, also where it is deleted or not seen by whoever asks; Forbidden."""
    access.demand(Right.SEE_SALES)
    found = one_of(conn, DealRecord, deal_id)
    if found is None or found.deleted_at is not None or not access.sight.sees(found):
        raise NotFound("there is no deal {deal}", deal=deal_id)
    return cards_of(conn, [found])[0]


def list_pipelines(conn: Connection, access: Access) -> list[Pipeline]:
    """The pipelines that somebody works with in order, the archived too. Two statements. Raises Forbidden."""
    access.demand(Right.SEE_SALES)
    return [each for each in all_pipelines(conn) if each.admits(access.user)]


def all_pipelines(conn: Connection) -> tuple[Pipeline, ...]:
    """All pipelines in order, the archived too. Two statements."""
    pipelines = all_of(conn, PipelineRecord, select(pipeline))
    return Catalogue.of(0, {}, (), pipelines, all_of(conn, StageRecord, select(stage))).pipelines


def pipeline_card(conn: Connection, access: Access, pipeline_id: int) -> Pipeline:
    """One pipeline; raises NotFound, also where somebody does not work with it; Forbidden."""
    access.demand(Right.SEE_SALES)
    records = all_of(conn, PipelineRecord, select(pipeline).where(pipeline.c.id == pipeline_id))
    stages = all_of(conn, StageRecord, select(stage).where(stage.c.pipeline_id == pipeline_id))
    found = Catalogue.of(0, {}, (), records, stages).pipelines
    if not found or not found[0].admits(access.user):
        raise NotFound("there is no pipeline {pipeline}", pipeline=pipeline_id)
    return found[0]


def standing_on(conn: Connection, access: Access | None, stage_id: int) -> int:
    """How many cards stand on a stage, also those that whoever keeps the pipeline does not see. Raises Forbidden."""
    demand(access, Right.KEEP_PIPELINES)
    where = (deal.c.stage_id == stage_id, deal.c.deleted_at.is_(None))
    inner = select(stage.c.pipeline_id).where(stage.c.id == stage_id).scalar_subquery()
    statement = select(func.count()).select_from(deal).where(deal.c.pipeline_id == inner, *where)
    return int(conn.execute(statement).scalar_one())


def stage_spans(conn: Connection, card: DealRecord) -> list[StageSpan]:
    """Where a card stood, from when to when, oldest first. Two statements."""
    rows = conn.execute(
        select(change.c.at, change.c.author, change.c.changes)
        .where(change.c.kind == DEAL, change.c.subject_id == card.id)
        .order_by(change.c.at, change.c.id)  # ids come in blocks: they alone do not tell the order
    )
    moves: list[tuple[datetime, str, int, int]] = []
    for at, author, changes in rows:
        moves.extend((at, author, old, new) for name, old, new in changes if name == "stage_id")
    known = {card.stage_id, *(old for _, _, old, _ in moves), *(new for _, _, _, new in moves)}
    names: dict[int, str] = {
        row[0]: row[1] for row in conn.execute(select(stage.c.id, stage.c.name).where(stage.c.id.in_(known)))
    }
    first = moves[0][2] if moves else card.stage_id
    begun: list[tuple[int, datetime, str]] = [(first, card.created_at, "")]
    begun += [(new, at, author) for at, author, _, new in moves]
    ends: list[Any] = [at for _, at, _ in begun[1:]]
    return [
        StageSpan(stage_id, names.get(stage_id, ""), since, until, author)
        for (stage_id, since, author), until in zip(begun, [*ends, None], strict=True)
    ]


def cards_of(conn: Connection, deals: Iterable[DealRecord], known: Catalogue | None = None) -> list[DealCard]:
    """Deals with their pipelines and stages. Two statements, none where the catalogue is known."""
    listed = list(deals)
    if not listed:
        return []
    places = [known.place(each.stage_id) for each in listed] if known is not None else []
    if places and None not in places:
        return [
            DealCard(each, place[0].record, place[1].record)
            for each, place in zip(listed, places, strict=True)
            if place is not None
        ]
    stage_ids = {each.stage_id for each in listed}
    pipeline_ids = {each.pipeline_id for each in listed}
    stages = all_of(conn, StageRecord, select(stage).where(stage.c.id.in_(stage_ids)))
    pipelines = all_of(conn, PipelineRecord, select(pipeline).where(pipeline.c.id.in_(pipeline_ids)))
    stage_of = {each.id: each for each in stages}
    pipeline_of = {each.id: each for each in pipelines}
    return [DealCard(each, pipeline_of[each.pipeline_id], stage_of[each.stage_id]) for each in listed]
