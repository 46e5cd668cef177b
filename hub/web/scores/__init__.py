"""What sales tell of clients: the figures and needs of one, and with whom to speak today."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.pages import Pages
from hub.web.routes import Route, shows
from hub.web.scores.pages import Scores


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    room = Scores(pages)
    return (
        shows("/contacts/today", room.today, Right.SEE_SALES),
        shows(r"/contacts/{id:\d+}/figures", room.of_client, Right.SEE_SALES),
    )
