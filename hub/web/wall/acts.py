"""What whoever oversees does on the wall: a waiting client, an enquiry that nobody took, given to somebody."""

from __future__ import annotations

from aiohttp import web

from crm_core.services.acts.lead_cards import give
from crm_core.services.watching.cases import give_case
from hub.web.doing import done
from hub.web.pages import Answer, Pages, field_of, number_in, user_here
from hub.web.tongues import _

_HOME = "/wall"


class WallActs:
    """Each gives one thing to `to`, a login, and goes back with a line on how it went."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def give_case(self, request: web.Request) -> Answer:
        """Somebody is to look after a waiting client."""
        login, to = user_here(request).login, await field_of(request, "to", 64)
        await done(
            self._pages,
            request,
            lambda desk: give_case(desk, number_in(request), login, to),
            _("The case is given."),
            _HOME,
        )

    async def give_lead(self, request: web.Request) -> Answer:
        """Somebody is to work on an enquiry."""
        login, to = user_here(request).login, await field_of(request, "to", 64)
        await done(
            self._pages,
            request,
            lambda desk: give(desk, number_in(request), login, to),
            _("The lead is given."),
            _HOME,
        )
