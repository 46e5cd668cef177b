"""Where cards pile up: how many stand on a stage, how long, and how long they may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Integer,
    Select,
    bindparam,
    case,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.access import Reach, Sight
from crm_core.model.definitions import Pipeline, Stage
from crm_core.storage.queries.pages import both
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import deal

_KEPT = 200
"""Statements that are kept: putting them together anew takes longer than the database to answer them."""


@dataclass(frozen=True, slots=True)
class Jam:
    """A stage with cards: how many, for how long the median of them stands there, how long they may (None: for ever),
    and how many of them are beyond their deadline."""

    pipeline: Pipeline
    stage: Stage
    count: int
    median: timedelta
    allowed: timedelta | None
    overdue: int

    @property
    def jammed(self) -> bool:
        """Whether the middle card stands longer than it may, or every second one is beyond its deadline."""
        slow = self.allowed is not None and self.stage.settings.hours is None and self.median > self.allowed
        return slow or 2 * self.overdue > self.count


def jams(conn: Connection, asker: Asker, logins: frozenset[str] | None) -> tuple[Jam, ...]:
    """The stages on which cards stand, of the pipelines that somebody sees; those with the most beyond their deadline
    first. Two statements: the numbers, and the middle card of every stage."""
    places = {
        stage.id: (pipeline, stage)
        for pipeline in asker.catalogue.pipelines
        for stage in pipeline.stages
        if stage.open and not pipeline.record.archived and asker.sight.reach(pipeline.id) is not Reach.NONE
    }
    if not places:
        return ()
    pipelines = tuple(sorted({pipeline.id for pipeline, _ in places.values()}))
    counts = counts_statement(tuple(sorted(places)), pipelines, asker.sight, logins)
    counted = conn.execute(counts, {"now": asker.now}).all()
    numbers = {row[0]: (int(row[1]), int(row[2] or 0)) for row in counted}
    if not numbers:
        return ()
    stages = tuple((places[each][0].id, each) for each in sorted(numbers))
    steps = {f"steps_{stage}": (numbers[stage][0] - 1) // 2 for _, stage in stages}
    since = {row[0]: row[1] for row in conn.execute(middles_statement(stages, asker.sight, logins), steps)}
    found = [
        Jam(*places[each], count, asker.now - since[each], places[each][1].settings.deadline, overdue)
        for each, (count, overdue) in numbers.items()
    ]
    found.sort(key=lambda jam: (-jam.overdue, -jam.count, jam.stage.id))
    return tuple(found)


@lru_cache(maxsize=_KEPT)
def counts_statement(
    stages: tuple[int, ...], pipelines: tuple[int, ...], sight: Sight, logins: frozenset[str] | None
) -> Select[Any]:
    """How many open cards stand on each of these stages, and how many of them beyond their deadline; `now` is given
    with it."""
    late = func.sum(case((deal.c.due_at < bindparam("now"), 1), else_=0), type_=Integer)
    return (
        select(deal.c.stage_id, func.count(), late)
        .where(deal.c.pipeline_id.in_(pipelines), deal.c.stage_id.in_(stages), *_open(sight, logins))
        .group_by(deal.c.stage_id)
    )


@lru_cache(maxsize=_KEPT)
def middles_statement(
    stages: tuple[tuple[int, int], ...], sight: Sight, logins: frozenset[str] | None
) -> Select[Any] | CompoundSelect[Any]:
    """Since when the middle card stands on each of these stages (pipeline, stage), each by its own walk along the
    index; how many steps to go is given with it, `steps_7` for stage 7."""
    parts = [
        select(literal_column(str(stage)).label("stage_id"), deal.c.stage_since)
        .where(deal.c.pipeline_id == pipeline, deal.c.stage_id == stage, *_open(sight, logins))
        .order_by(deal.c.stage_since)
        .offset(bindparam(f"steps_{stage}", type_=Integer))
        .limit(1)
        .subquery(f"s{stage}")
        for pipeline, stage in stages
    ]
    return select(parts[0]) if len(parts) == 1 else union_all(*(select(each) for each in parts))


def _open(sight: Sight, logins: frozenset[str] | None) -> list[ColumnElement[bool]]:
    whose = deal.c.manager.in_(sorted(logins)) if logins is not None else None
    return both((deal.c.closed_at.is_(None), deal.c.deleted_at.is_(None), whose, seen_card(sight)))
