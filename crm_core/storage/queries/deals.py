"""Deals and pipelines as they are listed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, exists, select

from crm_core.errors import NotFound
from crm_core.model.records import DealRecord, PipelineRecord, StageRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, both, grouped, number_cursor, one_of, page_of
from crm_core.storage.tables import deal, pipeline, stage


@dataclass(frozen=True, slots=True)
class DealFilter:
    """Which deals are wanted; `open_only` leaves out won and lost ones."""

    pipeline: str | None = None
    stage: str | None = None
    manager: str | None = None
    contact_id: int | None = None
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class DealCard:
    """A deal, its pipeline and the stage it stands on."""

    deal: DealRecord
    pipeline: PipelineRecord
    stage: StageRecord


@dataclass(frozen=True, slots=True)
class PipelineCard:
    """A pipeline and its stages in order."""

    pipeline: PipelineRecord
    stages: tuple[StageRecord, ...]


def list_deals(conn: Connection, wanted: DealFilter, where: Slice) -> Page[DealCard]:
    """Deals, the newest first. Three statements."""
    after = number_cursor(where.after)
    conditions = both(
        (
            deal.c.id < after if after is not None else None,
            deal.c.manager == wanted.manager if wanted.manager is not None else None,
            deal.c.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
            deal.c.closed_at.is_(None) if wanted.open_only else None,
        )
    )
    if wanted.pipeline is not None:
        named = select(pipeline.c.id).where(pipeline.c.name == wanted.pipeline)
        conditions.append(deal.c.pipeline_id.in_(named))
    if wanted.stage is not None:
        conditions.append(deal.c.stage_id.in_(select(stage.c.id).where(stage.c.name == wanted.stage)))
    statement = select(deal).where(*conditions).order_by(deal.c.id.desc()).limit(where.limit + 1)
    page = page_of(all_of(conn, DealRecord, statement), where.limit, lambda record: str(record.id))
    cards = {card.deal.id: card for card in _cards(conn, page.items)}
    return page.map(lambda record: cards[record.id])


def deal_card(conn: Connection, deal_id: int) -> DealCard:
    """One deal; raises NotFound."""
    found = one_of(conn, DealRecord, deal_id)
    if found is None:
        raise NotFound(f"there is no deal {deal_id}")
    return _cards(conn, [found])[0]


def list_pipelines(conn: Connection) -> tuple[PipelineCard, ...]:
    """All pipelines in order, the archived too. Two statements."""
    pipelines = all_of(conn, PipelineRecord, select(pipeline).order_by(pipeline.c.position, pipeline.c.id))
    stages = grouped(all_of(conn, StageRecord, select(stage).order_by(stage.c.position, stage.c.id)), "pipeline_id")
    return tuple(PipelineCard(each, tuple(stages.get(each.id, ()))) for each in pipelines)


def pipeline_card(conn: Connection, pipeline_id: int) -> PipelineCard:
    """One pipeline; raises NotFound."""
    found = one_of(conn, PipelineRecord, pipeline_id)
    if found is None:
        raise NotFound(f"there is no pipeline {pipeline_id}")
    statement = select(stage).where(stage.c.pipeline_id == pipeline_id).order_by(stage.c.position, stage.c.id)
    return PipelineCard(found, tuple(all_of(conn, StageRecord, statement)))


def stage_in_use(conn: Connection, stage_id: int) -> bool:
    """Whether any deal stands on a stage."""
    return bool(conn.execute(select(exists().where(deal.c.stage_id == stage_id))).scalar())


def _cards(conn: Connection, deals: Iterable[DealRecord]) -> list[DealCard]:
    listed = list(deals)
    if not listed:
        return []
    stage_ids = {each.stage_id for each in listed}
    pipeline_ids = {each.pipeline_id for each in listed}
    stages = all_of(conn, StageRecord, select(stage).where(stage.c.id.in_(stage_ids)))
    pipelines = all_of(conn, PipelineRecord, select(pipeline).where(pipeline.c.id.in_(pipeline_ids)))
    stage_of = {each.id: each for each in stages}
    pipeline_of = {each.id: each for each in pipelines}
    return [DealCard(each, pipeline_of[each.pipeline_id], stage_of[each.stage_id]) for each in listed]
