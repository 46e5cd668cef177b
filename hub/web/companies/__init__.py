"""Companies: found, made, corrected; each with its people and deals."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.companies.pages import Companies
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    room, one = Companies(pages), r"/companies/{id:\d+}"
    return (
        shows("/companies", room.show_all, Right.SEE_CLIENTS),
        shows("/companies/new", room.show_new, Right.KEEP_CLIENTS),
        does("/companies/new", room.save, Right.KEEP_CLIENTS),
        shows(one, room.show, Right.SEE_CLIENTS),
        does(one, room.save, Right.KEEP_CLIENTS),
    )
