"""Scorings, what sales tell of clients, and with whom to speak today."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from crm_core.model.definitions import Body, ScoringBody, Section
from crm_core.services.configuration.naming import check_scoring
from crm_core.services.desk import Desk
from crm_core.storage.queries import scores as queries
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.scores import Times
from crm_core.storage.scoring import run_scores
from hub.http.acting import json_response, to_json
from hub.http.api.office.definitions import SectionOperations
from hub.http.api.selling.trading import quantity_shown
from hub.http.operations import Call, Operation, own, read
from hub.http.rights import Right
from hub.http.types import Given, Login, NoBody, Paged, Query

_TAG = "scores"


def _named(desk: Desk, _name: str, body: Body) -> None:
    if isinstance(body, ScoringBody):
        check_scoring(desk, body)


SECTIONS: tuple[SectionOperations, ...] = (
    SectionOperations(Section.SCORING, "/scorings", ScoringBody, "Scoring", "a scoring", "scorings", check=_named),
)


class ClientScore(Given):
    """What a client's sales tell of them; what each figure means, the form of scorings says. `revenue` of the last year
    in minor units; `relation` and `attraction` from 0 to 100, null where the office has no such axes; `computed_at`
    when they last came out differently."""

    contact_id: int
    status: str
    orders: int
    revenue: int
    first_sale_at: datetime | None
    last_sale_at: datetime | None
    abc: str
    xyz: str
    rfm: str
    relation: int | None
    attraction: int | None
    computed_at: datetime


class Need(Given):
    """What a client will probably buy: how much, about when, how probably (per cent). `hits` of `checks` earlier
    forecasts came true; `explanation` says in words where it comes from."""

    product_id: int | None
    name: str
    quantity: int | float
    period_days: int
    next_on: date
    probability: int
    hits: int
    checks: int
    explanation: str
    computed_at: datetime


class Needs(Paged[Need]):
    """All needs of a client, the most probable first."""


class TodayQuery(Query):
    """Whose clients: `mine` those of who asks, else of `manager`, else everybody's."""

    mine: bool = False
    manager: Login | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 50


class TodaysClient(Given):
    """A client with whom to speak today: because they will probably buy `need` about `next_on`, or because nobody has
    spoken to them for a quarter. `priority` from 0 to 100 is attraction times relation."""

    contact_id: int
    name: str
    manager: str | None
    status: str | None
    last_contact_at: datetime | None
    abc: str
    rfm: str
    priority: int
    need: str | None
    next_on: date | None
    probability: int | None


class TodaysClients(Paged[TodaysClient]):
    """The clients of today, the most worth it first."""


class ScoreRun(Given):
    """What a run came to: how many clients came out differently, how many needs there are, how many clients got another
    status."""

    day: date
    scored: int
    needs: int
    statuses: int


def _score(conn: Reading, call: Call[Query, NoBody]) -> ClientScore:
    found = queries.score_of(conn, call.access, call.number())
    return ClientScore(**{name: getattr(found, name) for name in ClientScore.model_fields})


def _needs(conn: Reading, call: Call[Query, NoBody]) -> Needs:
    plain = set(Need.model_fields) - {"quantity", "next_on"}
    items = [
        Need(
            **{name: getattr(each, name) for name in plain},
            quantity=quantity_shown(each.quantity),
            next_on=date.fromisoformat(each.next_on),
        )
        for each in queries.needs_of(conn, call.access, call.number())
    ]
    return Needs(items=items, next=None)


def _today(conn: Reading, call: Call[TodayQuery, NoBody]) -> TodaysClients:
    query = call.query
    times = Times.of(call.hub.clock.now(), ZoneInfo(call.hub.store.office.time_zone))
    found = queries.todays_clients(
        conn, call.access, times, call.user.login if query.mine else query.manager, query.limit
    )
    plain = set(TodaysClient.model_fields) - {"contact_id", "next_on"}
    items = [
        TodaysClient(
            **{name: getattr(each, name) for name in plain},
            contact_id=each.id,
            next_on=date.fromisoformat(each.next_on) if each.next_on is not None else None,
        )
        for each in found
    ]
    return TodaysClients(items=items, next=None)


async def _run(_request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    tally = await run_scores(call.hub.store, access=call.access)
    run = ScoreRun(day=tally.day, scored=tally.scored, needs=tally.needs, statuses=tally.statuses)
    return json_response(to_json(run), 200)


OPERATIONS: tuple[Operation, ...] = (
    *(operation for each in SECTIONS for operation in each.operations()),
    read(
        "/contacts/{id}/score",
        _score,
        tag=_TAG,
        summary="What a client's sales tell of them",
        right=Right.SEE_SALES,
        response=ClientScore,
    ),
    read(
        "/contacts/{id}/needs",
        _needs,
        tag=_TAG,
        summary="What a client will probably buy next",
        right=Right.SEE_SALES,
        response=Needs,
    ),
    read(
        "/scores/today",
        _today,
        tag=_TAG,
        summary="With whom to speak today, the most worth it first",
        right=Right.SEE_SALES,
        query=TodayQuery,
        response=TodaysClients,
    ),
    own(
        "POST",
        "/scores/run",
        _run,
        tag=_TAG,
        summary="Work out all clients now, as is done every day by itself",
        right=Right.RUN_SCORES,
        response=ScoreRun,
    ),
)
