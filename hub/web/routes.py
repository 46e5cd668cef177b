"""What a page route is, declared once: what is mounted and what the table of rights is compared with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import web

from crm_core.model.rights import Right

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the pages. Whoever has `right` comes in, everybody who is logged in where that is None; a `public`
    one needs no login. `body` is how many bytes may be sent where a form brings files, None: as much as any page."""

    method: str
    path: str
    handler: Handler
    right: Right | None
    public: bool = False
    body: int | None = None


def shows(path: str, handler: Handler, right: Right | None, *, public: bool = False) -> Route:
    """A page, or a part of one."""
    return Route("GET", path, handler, right, public)


def does(path: str, handler: Handler, right: Right | None, *, public: bool = False, body: int | None = None) -> Route:
    """What a form of a page does."""
    return Route("POST", path, handler, right, public, body)


ROUTES = web.AppKey("page_routes", tuple[Route, ...])
"""All routes of the pages."""
