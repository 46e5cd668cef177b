"""Why a call would ring whom."""

from __future__ import annotations

from aiohttp import web

from crm_core.messages import RouteDecision
from hub.http.acting import json_response, to_json
from hub.http.operations import Call, Operation, own
from hub.http.rights import Right
from hub.http.types import Given, Moment, NoBody, Query, Short


class RouteQuery(Query):
    """Who calls, what they dialled, when (now), which PBX asks (the first)."""

    number: Short = ""
    line: Short = ""
    at: Moment | None = None
    pbx: Short = ""


class TraceStep(Given):
    """One consideration: where somebody was sought, who (empty for the place itself), and what came of it."""

    stage: str
    verdict: str
    login: str
    detail: str


class RouteAttempt(Given):
    """What one attempt would do."""

    attempt: int
    action: str
    endpoints: list[str]
    ring_s: int
    reason: str
    contact_id: int | None
    trace: list[TraceStep]


class RouteExplanation(RouteAttempt):
    """The first attempt, and all of them in turn."""

    attempts: list[RouteAttempt]


def attempt_json(number: int, decision: RouteDecision) -> RouteAttempt:
    """A decision on the wire."""
    return RouteAttempt(
        attempt=number,
        action=decision.action.value,
        endpoints=list(decision.endpoints),
        ring_s=decision.ring_s,
        reason=decision.reason,
        contact_id=decision.contact_id,
        trace=[
            TraceStep(stage=step.stage.value, verdict=step.verdict.value, login=step.login, detail=step.detail)
            for step in decision.trace
        ],
    )


async def _route(_request: web.Request, call: Call[RouteQuery, NoBody]) -> web.StreamResponse:
    query = call.query
    decisions = call.hub.directory.explain(_plus(query.number), _plus(query.line), query.at, query.pbx)
    attempts = [attempt_json(number, decision) for number, decision in enumerate(decisions)]
    answer = RouteExplanation(**attempts[0].model_dump(), attempts=attempts)
    return json_response(to_json(answer), 200)


def _plus(number: str) -> str:
    """A number of a query string, whose `+` may have been written as `%2B`, or was decoded as a space and stripped."""
    international = number.isdigit() and len(number) > 10 and not number.startswith(("8", "0"))
    return f"+{number}" if international else number


OPERATIONS: tuple[Operation, ...] = (
    own(
        "GET",
        "/explain/route",
        _route,
        tag="explain",
        summary="Who would ring, in which order, and why; without side effects",
        right=Right.EXPLAIN,
        query=RouteQuery,
        response=RouteExplanation,
    ),
)
