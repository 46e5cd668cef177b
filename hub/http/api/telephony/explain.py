"""Why a call would ring whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from aiohttp import web
from pydantic import StringConstraints

from crm_core.messages import RouteAction, RouteDecision
from hub.http.acting import json_response, to_json
from hub.http.operations import Call, Operation, own
from hub.http.rights import Right
from hub.http.types import Given, Moment, NoBody, Query, Short
from routing.reasons import decision_words, step_words


class RouteQuery(Query):
    """Who calls, what they dialled, when (now), which PBX asks (the first), which key they press in the line's voice
    menu (none), the language of the words (the office's)."""

    number: Short = ""
    line: Short = ""
    at: Moment | None = None
    pbx: Short = ""
    key: Annotated[str, StringConstraints(pattern=r"^[0-9*#-]?$")] = ""
    language: Literal["ru", "en"] | None = None


class TraceStep(Given):
    """One consideration: where somebody was sought, who (empty for the place itself), and what came of it."""

    stage: str
    verdict: str
    login: str
    detail: str


class RouteAttempt(Given):
    """What one attempt would do. `words` and `reasons` say it for people, the latter step by step of the trace. `sound`
    is played first; `keys` are those of a voice menu; `record` null: as the PBX does."""

    attempt: int
    action: str
    endpoints: list[str]
    ring_s: int
    reason: str
    words: str
    contact_id: int | None
    sound: str
    keys: str
    record: bool | None
    reasons: list[str]
    trace: list[TraceStep]


class RouteExplanation(RouteAttempt):
    """The first attempt, and all of them in turn; behind a voice menu the same attempt goes on with the key."""

    attempts: list[RouteAttempt]


def attempts_json(decisions: Sequence[RouteDecision], language: str) -> list[RouteAttempt]:
    """Decisions on the wire, each with the number of the attempt it belongs to."""
    found: list[RouteAttempt] = []
    attempt = 0
    for decision in decisions:
        found.append(_attempt_json(attempt, decision, language))
        attempt += decision.action is RouteAction.DIAL
    return found


def _attempt_json(number: int, decision: RouteDecision, language: str) -> RouteAttempt:
    return RouteAttempt(
        attempt=number,
        action=decision.action.value,
        endpoints=list(decision.endpoints),
        ring_s=decision.ring_s,
        reason=decision.reason,
        words=decision_words(decision, language),
        contact_id=decision.contact_id,
        sound=decision.sound,
        keys=decision.keys,
        record=decision.record,
        reasons=[step_words(step, language) for step in decision.trace],
        trace=[
            TraceStep(
                stage=step.stage.value,
                verdict=step.verdict.value,
                login=step.login,
                detail=step.detail,
            )
            for step in decision.trace
        ],
    )


async def _route(_request: web.Request, call: Call[RouteQuery, NoBody]) -> web.StreamResponse:
    query, hub = call.query, call.hub
    decisions = hub.directory.explain(_plus(query.number), _plus(query.line), query.at, query.pbx, query.key)
    attempts = attempts_json(decisions, query.language or hub.store.office.language)
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
