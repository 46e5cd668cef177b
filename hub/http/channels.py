"""Mounting what channels take in over HTTP; each channel names its own paths."""

from __future__ import annotations

from aiohttp import web

from crm_core.ports import HttpRequest, HttpRoute, ReceivesHttp
from hub.bootstrap import Hub
from hub.http.bodies import read_body
from hub.http.middlewares import Handler


def mount_channels(app: web.Application, hub: Hub) -> None:
    """Give every channel that wants HTTP its routes."""
    for channel in hub.channels.values():
        if isinstance(channel, ReceivesHttp):
            for route in channel.routes():
                app.router.add_route(route.method, route.path, _handler(route))


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
                remote=request.remote or "",
            )
        )
        headers = [*answer.headers, ("Content-Type", answer.content_type)]
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    return handle
