"""The cards that were opened within a time, and where each of them stood from when to when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, select

from crm_core.model.definitions import Pipeline, Stage
from crm_core.model.records import DealRecord, StageKind
from crm_core.storage.queries.pages import all_of, both
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import change, deal

Stays: TypeAlias = tuple[tuple[int, datetime, datetime | None], ...]

MOST_CARDS = 5_000
"""Of more cards the newest are looked at."""


@dataclass(frozen=True, slots=True)
class Way:
    """A card and its stays: (stage, from, until), oldest first; `until` of the last is None where it stands there."""

    deal: DealRecord
    stays: Stays


@dataclass(frozen=True, slots=True)
class StageFigures:
    """Of the cards of a pipeline, how many came to a stage or beyond it, and how long each stayed there (seconds, in
    order; of those who stand there the time so far)."""

    pipeline: Pipeline
    stage: Stage
    came: int
    stayed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PipelineFigures:
    """The cards of a pipeline, how many of them were won, and the stages that lead there in order."""

    pipeline: Pipeline
    cards: tuple[DealRecord, ...]
    won: tuple[DealRecord, ...]
    stages: tuple[StageFigures, ...]


def cohort(conn: Connection, asker: Asker, logins: frozenset[str] | None, since: timedelta) -> tuple[Way, ...]:
    """The cards opened since then and their ways. Two statements."""
    cards = all_of(conn, DealRecord, cards_statement(asker, logins, since))
    moves: dict[int, list[tuple[datetime, int, int]]] = {}
    if cards:
        for subject, at, changes in conn.execute(moves_statement(asker, logins, since)):
            moves.setdefault(subject, []).extend((at, old, new) for name, old, new in changes if name == "stage_id")
    return tuple(Way(each, _stays(each, moves.get(each.id, []))) for each in cards)


def by_pipeline(ways: Iterable[Way], asker: Asker) -> tuple[PipelineFigures, ...]:
    """What the ways come to, for every pipeline that has any, in the pipelines' order."""
    of: dict[int, list[Way]] = {}
    for way in ways:
        of.setdefault(way.deal.pipeline_id, []).append(way)
    return tuple(_figures(each, of[each.id], asker.now) for each in asker.catalogue.pipelines if each.id in of)


def cards_statement(asker: Asker, logins: frozenset[str] | None, since: timedelta) -> Select[Any]:
    """The cards opened since then, the newest first."""
    conditions = both(
        (
            deal.c.created_at >= asker.now - since,
            deal.c.deleted_at.is_(None),
            deal.c.type == "deal",
            deal.c.manager.in_(sorted(logins)) if logins is not None else None,
            seen_card(asker.sight),
        )
    )
    order = (deal.c.created_at.desc(), deal.c.id.desc())
    return select(deal).where(*conditions).order_by(*order).limit(MOST_CARDS)


def moves_statement(asker: Asker, logins: frozenset[str] | None, since: timedelta) -> Select[Any]:
    """What changed of them, in the order of time."""
    ids = cards_statement(asker, logins, since).with_only_columns(deal.c.id).subquery("cohort")
    return (
        select(change.c.subject_id, change.c.at, change.c.changes)
        .where(change.c.kind == "deal", change.c.subject_id.in_(select(ids.c.id)))
        .order_by(change.c.at, change.c.id)
    )


def _stays(card: DealRecord, moves: list[tuple[datetime, int, int]]) -> Stays:
    begun = [(moves[0][1] if moves else card.stage_id, card.created_at), *((new, at) for at, _, new in moves)]
    ends: list[datetime | None] = [at for _, at in begun[1:]]
    return tuple((stage, since, until) for (stage, since), until in zip(begun, [*ends, None], strict=True))


def _figures(pipeline: Pipeline, ways: list[Way], now: datetime) -> PipelineFigures:
    leading = [each for each in pipeline.stages if each.record.kind is not StageKind.LOST]
    place = {stage.id: number for number, stage in enumerate(leading)}
    won = {stage.id for stage in leading if stage.record.kind is StageKind.WON}
    furthest = [max((place.get(stage, -1) for stage, _, _ in way.stays), default=-1) for way in ways]
    stayed: dict[int, list[int]] = {}
    for way in ways:
        for stage, since, until in way.stays:
            if stage in place and stage not in won:
                stayed.setdefault(stage, []).append(int(((until or now) - since).total_seconds()))
    stages = tuple(
        StageFigures(
            pipeline,
            stage,
            sum(each >= number for each in furthest),
            tuple(sorted(stayed.get(stage.id, ()))),
        )
        for number, stage in enumerate(leading)
        if not stage.record.archived or stage.id in stayed
    )
    cards = tuple(way.deal for way in ways)
    return PipelineFigures(pipeline, cards, tuple(each for each in cards if each.stage_id in won), stages)
