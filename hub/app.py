"""The HTTP application: webhooks, API v1 with its description, health, metrics, and the workspace."""

from __future__ import annotations

import asyncio
from functools import cache

import orjson
from aiohttp import web

from hub.access.areas import AREAS
from hub.access.remote import TRUSTED_PROXIES
from hub.bootstrap import Hub
from hub.http.api import OPERATIONS, PREFIX
from hub.http.channels import end_streams, mount_channels
from hub.http.docs import mount_docs
from hub.http.engine import mount
from hub.http.health import healthz, metrics, readyz
from hub.http.keys import CLOSING, HUB, SSE_LIMITS, EventLimits
from hub.http.leaving import mount_leaving
from hub.http.middlewares import correlated, observed, problems, sign
from hub.http.openapi import describe
from hub.web import setup_pages

_TITLE = "Hub"
_VERSION = "1"
_PAGE_BODY = 1024 * 1024


def create_app(hub: Hub, *, events: EventLimits | None = None) -> web.Application:
    """The application of a hub that is, or will be, started elsewhere; no I/O yet."""
    app = web.Application(
        middlewares=[correlated, observed(hub.metrics.registry), problems], client_max_size=_PAGE_BODY
    )
    app[HUB] = hub
    app[TRUSTED_PROXIES] = hub.settings.trusted_proxies
    app[AREAS] = tuple(sorted({operation.tag for operation in OPERATIONS}))
    app[CLOSING] = asyncio.Event()
    app[SSE_LIMITS] = events or EventLimits()
    app.on_response_prepare.append(sign)
    app.on_shutdown.append(_close_streams)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    mount_docs(app, _description)
    mount(app, hub, OPERATIONS, PREFIX)
    mount_channels(app, hub)
    mount_leaving(app, hub)
    setup_pages(app, hub)
    return app


@cache
def _description() -> bytes:
    """Made of the declarations alone, so that once is enough; it takes a second that a start need not take longer."""
    return orjson.dumps(describe(OPERATIONS, PREFIX, _TITLE, _VERSION))


async def _close_streams(app: web.Application) -> None:
    """Endless answers end first, so that the server need not wait for them."""
    app[CLOSING].set()
    end_streams(app[HUB])
