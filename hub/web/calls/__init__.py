"""Calls: all of them, with who rang and why; and the button that calls a client."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.calls.page import Calls
from hub.web.calls.why import Why
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    room = Calls(pages)
    return (
        shows("/calls", room.show, Right.SEE_CALLS),
        shows("/calls/why", Why(pages).show, Right.EXPLAIN),
        does("/calls/call", room.call, Right.PLACE_CALLS),
    )
