"""Running an operation: who asks, may they, is the request well-formed, then the handler, then JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from hub.bootstrap import Hub
from hub.http.acting import json_response, run_act, to_json
from hub.http.auth import authenticate
from hub.http.bodies import MAX_JSON, parse_json, read_body
from hub.http.language import answer_in_theirs
from hub.http.middlewares import Handler
from hub.http.operations import Call, Kind, Operation
from hub.http.problems import of_validation
from hub.http.routing import mount_routes
from hub.http.types import NoBody


def mount(app: web.Application, hub: Hub, operations: tuple[Operation, ...], prefix: str) -> None:
    """Give every operation its route."""
    mount_routes(app, _routes(hub, operations, prefix))


def _routes(hub: Hub, operations: tuple[Operation, ...], prefix: str) -> Iterator[tuple[str, str, Handler]]:
    for operation in operations:
        path, handler = prefix + route_path(operation.path), handler_of(hub, operation)
        yield operation.method, path, handler
        if operation.method == "GET" and operation.media != "text/event-stream":
            yield "HEAD", path, handler  # players of recordings ask for the size first


def route_path(path: str) -> str:
    """The path with its numbers bounded to what an id can be."""
    parts = path.split("/")
    for index, part in enumerate(parts):
        if part.startswith("{") and part.strip("{}").endswith("id"):
            parts[index] = "{" + part.strip("{}") + ":[0-9]{1,18}}"
    return "/".join(parts)


def handler_of(hub: Hub, operation: Operation) -> Handler:
    """The aiohttp handler of an operation."""

    async def handle(request: web.Request) -> web.StreamResponse:
        caller = await authenticate(hub, request)
        access = caller.access
        answer_in_theirs(request, access.user, hub.settings.language)
        access.demand(operation.right)
        caller.demand_scope(operation.tag, writes=operation.writes)
        query = _query(operation, request)
        if operation.kind is Kind.OWN:
            call: Call[Any, Any] = Call(hub, access, request.match_info, query, NoBody(), caller.token)
            response: web.StreamResponse = await operation.handler(request, call)
            return response
        content = await read_body(request, MAX_JSON)
        call = Call(hub, access, request.match_info, query, _body(operation, content), caller.token)
        if operation.kind is Kind.READ:
            model: BaseModel = await hub.store.read(lambda conn: operation.handler(conn, call))
            return json_response(to_json(model), operation.status)
        if operation.before is not None:
            await operation.before(call)
        return await run_act(
            hub,
            request,
            access.user,
            content,
            lambda desk: operation.handler(desk, call),
            status=operation.status,
            decides_calls=operation.decides_calls,
        )

    return handle


def _query(operation: Operation, request: web.Request) -> BaseModel:
    """The query; an empty parameter counts as one that is not there."""
    given = {name: value for name, value in request.query.items() if value != ""}
    try:
        return operation.query.model_validate(given)
    except ValidationError as err:
        raise of_validation(err, "?") from err


def _body(operation: Operation, content: bytes) -> BaseModel:
    if operation.body is NoBody:
        return NoBody()
    value = parse_json(content) if content.strip() else {}
    try:
        return operation.body.model_validate(value)
    except ValidationError as err:
        raise of_validation(err) from err
