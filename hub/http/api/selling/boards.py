"""The board of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from crm_core.errors import NotFound
from crm_core.model.definitions import Pipeline
from crm_core.model.filters import filter_of
from crm_core.storage.filtering import Asking, condition
from crm_core.storage.queries import boards as queries
from crm_core.storage.queries.boards import BoardFilter, BoardOrder, Column
from crm_core.storage.queries.pages import Reading
from hub.http.api.selling.deals import KIND, Deal, Shown, deal_json
from hub.http.api.selling.pipelines import PipelineSummary, Stage, stage_json, summary_json
from hub.http.api.selling.trading import external_of
from hub.http.operations import Call, Operation, read
from hub.http.rights import Right
from hub.http.types import Given, Login, Money, NoBody, Query, QueryId

_TAG = "pipelines"
_WHOLE = 100


class BoardQuery(Query):
    """Which cards: `limit` of each stage, `after` so many; of one `stage` (its id) where only that is wanted. `closed`
    shows won and lost ones too, `filter` is a filter of deals as JSON. `sort`: `updated`, the newest change first;
    `grade`, the best first; `due`, the most urgent first; `amount`, the largest first; `longest` on the stage first.
    `fields` are the keys of the custom fields that cards show (`need,budget`), all where it is not given."""

    sort: BoardOrder = BoardOrder.UPDATED
    limit: Annotated[int, Field(ge=0, le=100)] = 20
    after: Annotated[int, Field(ge=0)] = 0
    stage: QueryId | None = None
    manager: Login | None = None
    closed: bool = False
    filter: Annotated[str | None, Field(max_length=20_000)] = None
    fields: Shown | None = None


class BoardStage(Given):
    """A stage with its cards. `amounts` are what all of them are worth, by currency, `expected` the same weighted by
    the stage's probability, where it has one."""

    stage: Stage
    count: int
    amounts: list[Money]
    expected: list[Money]
    cards: list[Deal]


class Board(Given):
    """A pipeline with what stands on its stages."""

    pipeline: PipelineSummary
    stages: list[BoardStage]


def _board(conn: Reading, call: Call[BoardQuery, NoBody]) -> Board:
    query, store = call.query, call.hub.store
    catalogue = store.catalogue(conn)
    found = catalogue.pipeline(call.number())
    if found is None or not found.admits(call.user):
        raise NotFound("there is no pipeline {pipeline}", pipeline=call.number())
    also: Any = None
    if query.filter:
        office = store.office
        zone = ZoneInfo(office.time_zone)
        asking = Asking(catalogue, store.clock.now(), zone, office.region, call.access.sight)
        also = condition(found.record.type, filter_of(query.filter), asking)
    wanted = BoardFilter(query.manager, query.closed, also)
    columns = queries.board(
        conn, call.access, found, wanted, query.sort, limit=query.limit, offset=query.after, stage_id=query.stage
    )
    known = external_of(conn, KIND, [card.id for column in columns for card in column.cards])
    stages = [_column(found, each, known, query.fields) for each in columns]
    return Board(pipeline=summary_json(found), stages=stages)


def _column(found: Pipeline, column: Column, known: Mapping[int, dict[str, str]], fields: Shown | None) -> BoardStage:
    probability = column.stage.settings.probability
    amounts = [Money(amount=each.amount, currency=each.currency) for each in column.sums]
    expected = []
    if probability is not None:
        expected = [
            Money(amount=round(each.amount * probability / _WHOLE), currency=each.currency) for each in column.sums
        ]
    return BoardStage(
        stage=stage_json(column.stage),
        count=column.count,
        amounts=amounts,
        expected=expected,
        cards=[
            deal_json(each, found.record, column.stage.record, known.get(each.id, {}), fields) for each in column.cards
        ],
    )


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/pipelines/{id}/board",
        _board,
        tag=_TAG,
        summary="What stands on the stages of a pipeline: how many cards, worth how much, and the first of them",
        right=Right.SEE_SALES,
        query=BoardQuery,
        response=Board,
    ),
)
