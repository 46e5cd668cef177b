"""What strict servers have in common: a real socket of the loopback interface, started, stopped and started again."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Self

from aiohttp import web

from hub.demo.peers.faults import Act, Fault

LOOPBACK = "127.0.0.1"


class PeerServer(ABC):
    """A server; a port of 0 becomes a free one with the first start, and stays the same over stop and start."""

    upload_limit: int

    def __init__(self, port: int) -> None:
        self._port = port
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()

    @property
    def base(self) -> str:
        """The server's address."""
        return f"http://{LOOPBACK}:{self._port}"

    async def start(self) -> None:
        """Listen."""
        self._stopping = asyncio.Event()
        app = web.Application(client_max_size=self.upload_limit)
        self._mount(app.router)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port).start()
        self._port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close everything; whoever is served keeps their state. Idempotent."""
        self._stopping.set()
        runner, self._runner = self._runner, None
        await self._let_go()
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @abstractmethod
    def _mount(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""

    @abstractmethod
    async def _let_go(self) -> None:
        """End what the server does by itself."""

    async def _strike(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        """Do wrong what was ordered."""
        if fault.act is Act.ANSWER:
            return web.Response(status=fault.status, body=fault.body, content_type=fault.content_type)
        if fault.act is Act.HANG:
            await self._stopping.wait()
        cut(request)
        return web.Response(status=500)


def cut(request: web.Request) -> None:
    """The connection is gone."""
    if request.transport is not None:
        request.transport.abort()
