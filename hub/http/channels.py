"""Mounting what channels take in over HTTP; each channel names its own paths."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from aiohttp import web

from crm_core.ports import HttpRequest, HttpResponse, HttpRoute, HttpStream, ReceivesHttp, Streams
from hub.bootstrap import Hub
from hub.http.bodies import read_body
from hub.http.middlewares import Handler
from hub.log import get_logger

log = get_logger(__name__)

_PATIENCE_S = 30.0


def mount_channels(app: web.Application, hub: Hub) -> None:
    """Give every channel that wants HTTP its routes."""
    for channel in hub.channels.values():
        if isinstance(channel, ReceivesHttp):
            for route in channel.routes():
                app.router.add_route(route.method, route.path, _handler(route))


def end_streams(hub: Hub) -> None:
    """The server ends: answers without an end come to theirs."""
    for channel in hub.channels.values():
        if isinstance(channel, Streams):
            channel.end_streams()


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
