"""Searching everything from every page: by a part of a name, a number, an address, a title."""

from __future__ import annotations

from aiohttp import web

from crm_core.model.rights import Right
from crm_core.storage.queries.workspace.search import search
from hub.web.pages import Answer, Pages, user_here
from hub.web.routes import Route, shows

_QUICK, _WHOLE = 5, 25


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""

    async def show(request: web.Request) -> Answer:
        """What was found; with `?part=quick` the first of it, below the field."""
        hub, user, typed = pages.hub, user_here(request), request.query.get("q", "")[:200]
        quick = request.query.get("part") == "quick"
        limit = _QUICK if quick else _WHOLE
        found = await hub.store.read(lambda conn: search(conn, hub.store.asker(conn, user), typed, limit=limit))
        if quick:
            return pages.fragment(request, "search/quick.html", found=found)
        return pages.render(request, "search/page.html", found=found)

    return (shows("/search", show, Right.SEE_CLIENTS),)
