"""The supervisor's wall: who waits and how far that has climbed, calls and people now, what today was like so far."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows
from hub.web.wall.acts import WallActs
from hub.web.wall.page import WallPage


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    page, acts = WallPage(pages), WallActs(pages)
    return (
        shows("/wall", page.show, Right.SEE_REPORTS),
        does(r"/cases/{id:\d+}/give", acts.give_case, Right.SETTLE_CASES),
        does(r"/leads/{id:\d+}/give", acts.give_lead, Right.KEEP_SALES),
    )
