"""Dial lists: who is on one, the next client to ring, what came of it."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.dialling.acts import DiallingActs
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    room, one = DiallingActs(pages), r"/dialling/{id:\d+}"
    card = rf"{one}/cards/{{card_id:\d+}}"
    return (
        shows("/dialling", room.show_all, Right.SEE_SALES),
        does(f"{one}/next", room.next_one, Right.PLACE_CALLS),
        does(f"{one}/fill", room.fill, Right.BROADCAST),
        shows(card, room.show, Right.SEE_SALES),
        does(card, room.result, Right.KEEP_SALES),
    )
