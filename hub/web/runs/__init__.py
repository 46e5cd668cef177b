"""What rules and chains did, on which records, when, and why they failed."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.pages import Pages
from hub.web.routes import Route, shows
from hub.web.runs.pages import Runs


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    runs = Runs(pages)
    return (
        shows("/runs", runs.show, Right.SEE_SALES),
        shows("/runs/chains", runs.show_chains, Right.SEE_SALES),
    )
