"""What the application carries along with a request, by typed keys."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from crm_core.model.user import User
from hub.bootstrap import Hub

HUB = web.AppKey("hub", Hub)
CLOSING = web.AppKey("closing", asyncio.Event)
"""Set when the server ends, so that endless answers end too."""

USER = web.RequestKey("user", User)
"""The person of a page's session; the API lets them read."""

CORRELATION = web.RequestKey("correlation_id", str)
"""The request's correlation id."""

ROUTE = web.RequestKey("route", str)
"""What a request is counted as, where the router does not know: the address of an account that exists."""


@dataclass(slots=True)
class EventLimits:
    """How the change feed is handed out: seconds between signs of life, seconds a write may take, how many readers."""

    heartbeat_s: float = 15.0
    patience_s: float = 10.0
    most_readers: int = 500
    readers: int = 0


SSE_LIMITS = web.AppKey("event_limits", EventLimits)
