"""Where cards pile up: how many stand on a stage, how long, and how long they may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Integer, Select, case, func, literal_column, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.access import Reach
from crm_core.model.definitions import Pipeline, Stage
from crm_core.storage.queries.pages import both
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import deal


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
    counted = conn.execute(counts_statement(asker, list(places.values()), logins)).all()
    numbers = {row[0]: (int(row[1]), int(row[2] or 0)) for row in counted}
    if not numbers:
        return ()
    middles = middles_statement(asker, [(*places[each], numbers[each][0]) for each in numbers], logins)
    since = {row[0]: row[1] for row in conn.execute(middles)}
    found = [
        Jam(*places[each], count, asker.now - since[each], places[each][1].settings.deadline, overdue)
        for each, (count, overdue) in numbers.items()
    ]
    found.sort(key=lambda jam: (-jam.overdue, -jam.count, jam.stage.id))
    return tuple(found)


def counts_statement(
    asker: Asker, places: Sequence[tuple[Pipeline, Stage]], logins: frozenset[str] | None
) -> Select[Any]:
    """How many open cards stand on each of these stages, and how many of them beyond their deadline."""
    late = func.sum(case((deal.c.due_at < asker.now, 1), else_=0), type_=Integer)
    return (
        select(deal.c.stage_id, func.count(), late)
        .where(
            deal.c.pipeline_id.in_(sorted({pipeline.id for pipeline, _ in places})),
            deal.c.stage_id.in_(sorted(stage.id for _, stage in places)),
            *_open(asker, logins),
        )
        .group_by(deal.c.stage_id)
    )


def middles_statement(
    asker: Asker, places: Sequence[tuple[Pipeline, Stage, int]], logins: frozenset[str] | None
) -> Any:
    """Since when the middle card of so many stands on each stage, each by its own walk along the index."""
    parts = [
        select(literal_column(str(stage.id)).label("stage_id"), deal.c.stage_since)
        .where(deal.c.pipeline_id == pipeline.id, deal.c.stage_id == stage.id, *_open(asker, logins))
        .order_by(deal.c.stage_since)
        .offset((count - 1) // 2)
        .limit(1)
        .subquery(f"s{number}")
        for number, (pipeline, stage, count) in enumerate(places)
    ]
    return select(parts[0]) if len(parts) == 1 else union_all(*(select(each) for each in parts))


def _open(asker: Asker, logins: frozenset[str] | None) -> list[ColumnElement[bool]]:
    whose = deal.c.manager.in_(sorted(logins)) if logins is not None else None
    return both((deal.c.closed_at.is_(None), deal.c.deleted_at.is_(None), whose, seen_card(asker.sight)))
