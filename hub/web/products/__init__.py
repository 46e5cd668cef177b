"""What the office sells: found, added, changed, taken out of use."""

from __future__ import annotations

from crm_core.model.rights import Right
from hub.web.pages import Pages
from hub.web.products.pages import Products
from hub.web.routes import Route, does, shows


def routes(pages: Pages) -> tuple[Route, ...]:
    """The routes of the room."""
    room, one = Products(pages), r"/products/{id:\d+}"
    return (
        shows("/products", room.show_all, Right.SEE_SALES),
        shows("/products/new", room.show_new, Right.KEEP_SALES),
        does("/products/new", room.save, Right.KEEP_SALES),
        shows(one, room.show, Right.SEE_SALES),
        does(one, room.save, Right.KEEP_SALES),
        does(f"{one}/delete", room.delete, Right.DELETE),
    )
