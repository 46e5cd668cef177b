"""All clients: the list with its filter, which can be kept under a name, and a client entered by hand."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.clients.page import Clients
from hub.web.filtering.kept import KeptViews
from hub.web.pages import Pages
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    clients, views = Clients(pages), KeptViews(pages, "/contacts")
    return (
        shows("/contacts", clients.show, Right.SEE_CLIENTS),
        shows("/contacts/new", clients.new, Right.KEEP_CLIENTS),
        does("/contacts/new", clients.create, Right.KEEP_CLIENTS),
        does("/contacts/views", views.keep, Right.SEE_CLIENTS),
        does(r"/contacts/views/{id:\d+}", views.change, Right.SEE_CLIENTS),
    )
