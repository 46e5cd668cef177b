"""What a client wants from us and may ask of us: no mailings, no chain of messages, their data given out or erased."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.consent.pages import Consent
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    room, card = Consent(pages), r"/contacts/{id:\d+}"
    return (
        shows(f"{card}/consent", room.show, Right.SEE_CLIENTS),
        does(f"{card}/opt-out", room.leave, Right.KEEP_CLIENTS),
        does(f"{card}/opt-in", room.come_back, Right.KEEP_CLIENTS),
        does(rf"{card}/chains/{{run_id:\d+}}/stop", room.stop_chain, Right.KEEP_SALES),
        shows(f"{card}/personal-data", room.give, Right.ERASE),
        does(f"{card}/erase", room.erase, Right.ERASE),
    )
