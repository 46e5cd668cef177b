"""Mounting what channels take in over HTTP; each channel names its own paths."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from aiohttp import web

from crm_core.errors import IntakeUnavailable
from crm_core.messages import ChannelKey
from crm_core.ports import HttpRequest, HttpResponse, HttpRoute, HttpStream, ReceivesHttp, Streams
from hub.access.remote import remote_of
from hub.accounts.channels import BrokenChannel
from hub.bootstrap import Hub
from hub.http.bodies import read_body
from hub.http.keys import ROUTE
from hub.http.middlewares import Handler
from hub.log import get_logger

log = get_logger(__name__)

_IN = "/in/"
_PATIENCE_S = 30.0


def mount_channels(app: web.Application, hub: Hub) -> None:
    """Give every channel that wants HTTP its routes. What is asked for under `/in` is looked up among the connectors of
    that moment, for they come and go, and are replaced."""
    for channel in hub.channels.values():
        for route in channel.routes() if isinstance(channel, ReceivesHttp) else ():
            if not route.path.startswith(_IN):
                app.router.add_route(route.method, route.path, _handler(route))
    app.router.add_route("*", f"{_IN}{{channel}}/{{rest:.+}}", _Late(hub).handle)


def end_streams(hub: Hub) -> None:
    """The server ends: answers without an end come to theirs."""
    for channel in hub.channels.values():
        if isinstance(channel, Streams):
            channel.end_streams()


class _Late:
    """The routes of the connectors of now: of hub.toml's accounts, and of those that came after the start."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._revision: int | None = None
        self._routes: dict[str, dict[str, HttpRoute]] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Raises HTTPNotFound, HTTPMethodNotAllowed, IntakeUnavailable."""
        routes = self._now().get(request.path)
        if routes is None:
            key = ChannelKey(request.match_info["channel"], request.match_info["rest"].partition("/")[0])
            if isinstance(self._hub.channels.get(key), BrokenChannel):
                raise IntakeUnavailable("the account can't be used now")  # it exists: whoever posts is to come again
            raise web.HTTPNotFound
        request[ROUTE] = request.path
        if request.method not in routes:
            raise web.HTTPMethodNotAllowed(request.method, sorted(routes))
        return await _handler(routes[request.method])(request)

    def _now(self) -> dict[str, dict[str, HttpRoute]]:
        channels = self._hub.channels
        if self._revision != channels.revision:
            found: dict[str, dict[str, HttpRoute]] = {}
            for channel in channels.values():
                for route in channel.routes() if isinstance(channel, ReceivesHttp) else ():
                    found.setdefault(route.path, {})[route.method] = route
            self._routes, self._revision = found, channels.revision
        return self._routes


def _handler(route: HttpRoute) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        body = await read_body(request, route.max_size)
        answer = await route.handle(
            HttpRequest(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
                remote=remote_of(request),
            )
        )
        return await _streamed(request, answer) if isinstance(answer, HttpStream) else _whole(answer)

    return handle


def _whole(answer: HttpResponse) -> web.Response:
    headers = [*answer.headers, ("Content-Type", answer.content_type)]
    return web.Response(status=answer.status, body=answer.body, headers=headers)


async def _streamed(request: web.Request, answer: HttpStream) -> web.StreamResponse:
    """Pieces as they come; whoever goes away ends it, and the channel's generator is closed."""
    response = web.StreamResponse(headers=[*answer.headers, ("Content-Type", answer.content_type)])
    async with aclosing(answer.content):
        try:
            await response.prepare(request)
            async for piece in answer.content:
                async with asyncio.timeout(_PATIENCE_S):
                    await response.write(piece)
        except ConnectionError:
            return response  # gone, as readers do
        except TimeoutError:
            log.info("a slow reader of a stream was dropped", path=request.path)
            if request.transport is not None:
                request.transport.abort()
    return response
