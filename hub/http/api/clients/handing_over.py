"""Handing over all that is somebody's."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field, ValidationError

from crm_core.wording import Sentence
from hub.access.remote import remote_of
from hub.exchange.handing_over import hand_over
from hub.http.acting import json_response, to_json
from hub.http.bodies import MAX_JSON, parse_json, read_body
from hub.http.operations import Call, Operation, own
from hub.http.problems import Problem, of_validation
from hub.http.rights import Right
from hub.http.types import Given, Login, NoBody, Query, Short, Taken


class HandOverBody(Taken):
    """Who takes it over: these people, in equal parts, or those of a `group`; `disable` takes the giver's access away
    first."""

    to: list[Login] = Field(default_factory=list, max_length=200)
    group: Short | None = None
    disable: bool = False


class HandedOver(Given):
    """What was handed over, by kind, and by person and kind."""

    login: str
    counts: dict[str, int]
    by_person: dict[str, dict[str, int]]


async def _handed_over(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    value = parse_json(await read_body(request, MAX_JSON))
    try:
        body = HandOverBody.model_validate(value)
    except ValidationError as err:
        raise of_validation(err) from err
    login: str = call.path["login"]
    if body.disable and login == call.user.login:
        raise Problem(409, Sentence("nobody takes their own access away: ask another administrator"), kind="conflict")
    act = await hand_over(
        call.hub.store,
        login,
        author=call.user.login,
        to=body.to,
        group=body.group,
        disable=body.disable,
        access=call.access,
        remote=remote_of(request),
    )
    given: dict[str, Any] = {who: dict(counts) for who, counts in act.given.items()}
    answer = HandedOver(login=login, counts=dict(act.counts), by_person=given)
    return json_response(to_json(answer), 200)


OPERATIONS: tuple[Operation, ...] = (
    own(
        "POST",
        "/users/{login}/hand-over",
        _handed_over,
        tag="users",
        summary="Hand over all clients, companies and what goes on of somebody; again where it was stopped",
        right=Right.HAND_OVER,
        response=HandedOver,
    ),
)
