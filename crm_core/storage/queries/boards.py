"""The board of a pipeline: on every stage how many cards stand there, worth how much, and the first of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import InvalidInput
from crm_core.model.access import Access, Right
from crm_core.model.definitions import Pipeline, Stage
from crm_core.model.records import DealRecord
from crm_core.storage.queries.pages import all_of, both
from crm_core.storage.sight import seen_in
from crm_core.storage.tables import deal

_FURTHEST = 10_000


class BoardOrder(StrEnum):
    """How the cards of a stage are sorted."""

    UPDATED = "updated"
    GRADE = "grade"
    DUE = "due"
    AMOUNT = "amount"
    LONGEST = "longest"


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """Which cards are on the board. Won and lost ones only where `closed`; `also` is a further condition."""

    manager: str | None = None
    closed: bool = False
    also: ColumnElement[bool] | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """So many minor units of a currency."""

    currency: str
    amount: int
    count: int


@dataclass(frozen=True, slots=True)
class Column:
    """A stage on the board: what stands there in all, and the cards that are shown."""

    stage: Stage
    sums: tuple[Sum, ...]
    cards: tuple[DealRecord, ...]

    @property
    def count(self) -> int:
        """How many cards stand there."""
        return sum(each.count for each in self.sums)


def board(
    conn: Connection,
    access: Access,
    found: Pipeline,
    wanted: BoardFilter,
    order: BoardOrder,
    *,
    limit: int | Callable[[int], int],
    offset: int = 0,
    stage_id: int | None = None,
) -> list[Column]:
    """The columns of a board in the order of the stages, with the cards that somebody sees, `limit` of each, or what it
    says for a stage's id; one stage alone where it is named. Two statements.

    An archived stage is shown as long as cards stand on it. Raises InvalidInput for an offset out of reach, Forbidden
    for whoever sees no sales.
    """
    access.demand(Right.SEE_SALES)
    if offset > _FURTHEST:
        raise InvalidInput("after: at most {most} cards of a stage are shown: use a filter", most=_FURTHEST)
    conditions = both(
        (
            deal.c.pipeline_id == found.id,
            deal.c.deleted_at.is_(None),
            None if wanted.closed else deal.c.closed_at.is_(None),
            deal.c.manager == wanted.manager if wanted.manager is not None else None,
            seen_in(access.sight, found.id),
            wanted.also,
        )
    )
    stages = [each for each in found.stages if stage_id in {None, each.id}]
    sums = _sums(conn, conditions, stages)
    shown = [each for each in stages if each.id in sums]
    cards: dict[int, list[DealRecord]] = {}
    if shown:
        for record in _first(conn, conditions, shown, order, limit, offset):
            cards.setdefault(record.stage_id, []).append(record)
    return [
        Column(each, tuple(sums.get(each.id, ())), tuple(cards.get(each.id, ())))
        for each in stages
        if not each.record.archived or each.id in sums
    ]


def _sums(conn: Connection, conditions: Sequence[ColumnElement[bool]], stages: Sequence[Stage]) -> dict[int, list[Sum]]:
    among = deal.c.stage_id.in_([each.id for each in stages])
    statement = (
        select(deal.c.stage_id, deal.c.currency, func.sum(deal.c.amount), func.count())
        .where(*conditions, among)
        .group_by(deal.c.stage_id, deal.c.currency)
    )
    found: dict[int, list[Sum]] = {}
    for stage, currency, amount, count in conn.execute(statement):
        found.setdefault(stage, []).append(Sum(currency, int(amount), count))
    for several in found.values():
        several.sort(key=lambda each: each.currency)
    return found


def _first(
    conn: Connection,
    conditions: Sequence[ColumnElement[bool]],
    stages: Sequence[Stage],
    order: BoardOrder,
    limit: int | Callable[[int], int],
    offset: int,
) -> list[DealRecord]:
    """The first cards of every stage, each stage by its own walk along the index."""
    keys = _keys(order)
    parts = [
        select(deal)
        .where(*conditions, deal.c.stage_id == each.id)
        .order_by(*keys)
        .limit(limit(each.id) if callable(limit) else limit)
        .offset(offset)
        .subquery(f"s{number}")
        for number, each in enumerate(stages)
    ]
    whole: Any = select(parts[0]) if len(parts) == 1 else union_all(*(select(each) for each in parts))
    return all_of(conn, DealRecord, whole)


def _keys(order: BoardOrder) -> list[Any]:
    """What cards are sorted by; of those that are alike the newest comes first."""
    newest = deal.c.id.desc()
    match order:
        case BoardOrder.UPDATED:
            return [deal.c.updated_at.desc(), newest]
        case BoardOrder.DUE:
            return [deal.c.due_at.is_(None), deal.c.due_at, newest]
        case BoardOrder.AMOUNT:
            return [deal.c.amount.desc(), newest]
        case BoardOrder.LONGEST:
            return [deal.c.stage_since, newest]
        case BoardOrder.GRADE:
            # «ААА» before «АА» before «А» before «B»; what has none stands last.
            first = func.substr(deal.c.grade, 1, 1)
            return [deal.c.grade.is_(None), first, func.length(deal.c.grade).desc(), deal.c.grade, newest]
