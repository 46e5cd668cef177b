"""Filters of a list kept under a name: kept, renamed, shared, put one place up, removed. The list itself shows them."""

from __future__ import annotations

from aiohttp import web

from crm_core.services.desk import Desk
from crm_core.storage.queries.workspace import saved
from hub.web.doing import done
from hub.web.pages import Answer, Pages, field_of, number_in, user_here
from hub.web.tongues import _

_LONGEST_QUERY = 8_000  # what is too long to be kept is refused, not cut
_LONGEST_ORDER = 4_000
_LONGEST_ID = 18


class KeptViews:
    """The acts; each goes back to the page it was pressed on, `home` where it names none."""

    def __init__(self, pages: Pages, home: str) -> None:
        self._pages = pages
        self._home = home

    async def keep(self, request: web.Request) -> Answer:
        """Keep the filter of a page under a name."""
        login = user_here(request).login
        page, name = await _text(request, "page"), await _text(request, "name")
        query, shared = await _text(request, "query", _LONGEST_QUERY), bool(await _text(request, "shared"))

        def service(desk: Desk) -> None:
            saved.keep(desk, login, page, name, query, shared=shared)

        await done(self._pages, request, service, _("The view is kept."), self._home, _LONGEST_QUERY)

    async def change(self, request: web.Request) -> Answer:
        """Rename a view, share it or not, put it one place up, or remove it."""
        login, view_id, act = user_here(request).login, number_in(request), await _text(request, "act")
        page, name = await _text(request, "page"), await _text(request, "name")
        order, shared = await _text(request, "order", _LONGEST_ORDER), bool(await _text(request, "shared"))

        def service(desk: Desk) -> None:
            match act:
                case "remove":
                    saved.remove(desk, login, view_id)
                case "up":
                    saved.order(desk, login, page, _raised(order, view_id))
                case _:
                    saved.change(desk, login, view_id, name=name, shared=shared)

        said = _("The view is removed.") if act == "remove" else ""
        await done(self._pages, request, service, said, self._home, _LONGEST_QUERY)


async def _text(request: web.Request, name: str, most: int = 300) -> str:
    return (await field_of(request, name, most)).replace("\x00", "").strip()


def _raised(order: str, view_id: int) -> list[int]:
    """The order of views with one of them a place higher; what is no id of a view is left out."""
    plain = (part for part in order.split(",") if part.isascii() and part.isdigit() and len(part) <= _LONGEST_ID)
    found = [int(part) for part in plain]
    if view_id in found and (place := found.index(view_id)):
        found[place - 1], found[place] = found[place], found[place - 1]
    return found
