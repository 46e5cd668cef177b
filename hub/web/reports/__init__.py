"""Reports: what there are, and each with its figures."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.pages import Pages
from hub.web.reports.pages import Reports
from hub.web.routes import Route, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    room = Reports(pages)
    return (
        shows("/reports", room.show_all, Right.SEE_REPORTS),
        shows(r"/reports/{name:\w+}", room.show, Right.SEE_REPORTS),
    )
