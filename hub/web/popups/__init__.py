"""Popups, handed to those alone whom they concern: who rings, before one picks up; who waits for one's answer."""

from __future__ import annotations

from aiohttp import web

from crm_core.model.rights import Right
from hub.web.live.stream import LivePages
from hub.web.pages import Answer, Pages, access_here
from hub.web.popups.notices import Notices
from hub.web.popups.ringing import Ringing
from hub.web.routes import Route, shows
from hub.web.tongues import language


def routes(pages: Pages, live: LivePages) -> tuple[Route, ...]:
    """The routes of the room; popups are handed to open pages as finished pieces."""
    ringing = Ringing(pages)
    for offer in (ringing.offer, *Notices(pages).offers):
        live.offer(offer)

    async def show(request: web.Request) -> Answer:
        """The calls that a page which was opened meanwhile has to show."""
        pieces = await ringing.mine(access_here(request), language())
        return web.Response(text="".join(each.html for each in pieces), content_type="text/html")

    return (shows("/popups", show, Right.SEE_CALLS),)
