"""Dial lists at a glance: how many clients are to be rung now, later, are with somebody, and how the others ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, func, or_, select

from crm_core.model.access import Reach, Right
from crm_core.model.definitions import Pipeline
from crm_core.storage.queries.pages import both
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.sight import seen_in
from crm_core.storage.tables import deal


@dataclass(frozen=True, slots=True)
class DialList:
    """One list: `due` wait to be rung, `later` are put off until a moment, `taken` are with somebody now; `stages` how
    many cards stand on each, by stage id."""

    pipeline: Pipeline
    due: int
    later: int
    taken: int
    stages: Mapping[int, int]

    @property
    def ended(self) -> int:
        """How many have come to an end."""
        return sum(self.stages.get(each.id, 0) for each in self.pipeline.in_use if not each.open)


def dial_lists(conn: Connection, asker: Asker) -> list[DialList]:
    """The dial lists that somebody works with, in their order. One statement a list. Raises Forbidden for whoever sees
    no sales."""
    asker.access.demand(Right.SEE_SALES)
    return [
        _counted(conn, asker, each)
        for each in asker.catalogue.pipelines
        if each.settings.dial_list
        and not each.record.archived
        and each.admits(asker.user)
        and asker.sight.reach(each.id) is not Reach.NONE
    ]


def _counted(conn: Connection, asker: Asker, pipeline: Pipeline) -> DialList:
    later = and_(deal.c.closed_at.is_(None), deal.c.due_at.is_not(None), deal.c.due_at > asker.now)
    now = or_(deal.c.due_at.is_(None), deal.c.due_at <= asker.now)
    taken = and_(deal.c.closed_at.is_(None), deal.c.manager.is_not(None), now)
    due = and_(deal.c.closed_at.is_(None), deal.c.manager.is_(None), now)
    counts = [func.coalesce(func.sum(case((each, 1), else_=0)), 0) for each in (due, later, taken)]
    here = (deal.c.pipeline_id == pipeline.id, deal.c.deleted_at.is_(None), seen_in(asker.sight, pipeline.id))
    statement = select(deal.c.stage_id, func.count(), *counts).where(*both(here)).group_by(deal.c.stage_id)
    rows = [tuple(row) for row in conn.execute(statement)]
    due_now, put_off, held = (sum(int(row[place]) for row in rows) for place in (2, 3, 4))
    return DialList(pipeline, due_now, put_off, held, {row[0]: row[1] for row in rows})
