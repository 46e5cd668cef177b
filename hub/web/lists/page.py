"""The page of special lists: who stands on which, put there and taken off one by one, on every channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web
from yarl import URL

from crm_core.errors import StorageUnavailable
from crm_core.model.records import ListedNumberRecord
from crm_core.model.rights import Right
from crm_core.model.user import Staff
from crm_core.services.clients import contacts as services
from crm_core.services.desk import Desk
from crm_core.storage.queries.lists import count_numbers, list_numbers
from crm_core.storage.queries.pages import Page, Reading, Slice
from crm_core.storage.staff import load_staff
from hub.web.doing import going_back, settled
from hub.web.pages import Answer, Pages, access_here, field_of, user_here
from hub.web.tongues import _

_SHOWN = 100
_PARTS = frozenset({"live", "tabs"})


class ListPages:
    """The page and its two acts."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """One list (`?list=`, the first otherwise), and how many stand on each; with `?part=live` who stands on it and
        with `?part=tabs` how many on each, which refresh by themselves."""
        hub = self._pages.hub
        lists = hub.store.office.lists
        query = request.query
        name, after = query.get("list", ""), query.get("after")
        part = query.get("part", "")
        if part in _PARTS and name not in lists:
            return web.Response(status=204)  # it was taken away: no other list takes its place
        chosen = lists.get(name) or next(iter(lists.values()), None)
        access = access_here(request)

        def read(conn: Reading) -> tuple[dict[str, int], Page[ListedNumberRecord], Staff]:
            page: Page[ListedNumberRecord] = Page((), None)
            if chosen is not None:
                page = list_numbers(conn, access, chosen.name, Slice(after, _SHOWN))
            return count_numbers(conn, access), page, load_staff(conn)

        counts, page, staff = await hub.store.read(read)
        keeps = access.may(Right.KEEP_LISTS)
        context: dict[str, Any] = {
            "lists": tuple(lists.values()),
            "chosen": chosen,
            "counts": counts,
            "page": page,
            "staff": staff,
            "keeps": keeps,
            "paged": after is not None,
        }
        if part in _PARTS:
            return self._pages.fragment(request, f"lists/{part}.html", **context)
        return self._pages.render(request, "lists/page.html", **context)

    async def add(self, request: web.Request) -> Answer:
        """Put an identity or a domain on the list."""
        login = user_here(request).login
        name, what, reason = await self._fields(request)
        await self._act(request, name, lambda desk: services.put_on_list(desk, name, what, reason, login))
        raise self._pages.redirect(
            request, self._page_of(name), _("«{what}» was put on the list «{name}».").format(what=what, name=name)
        )

    async def remove(self, request: web.Request) -> Answer:
        """Take it off."""
        name, what, _reason = await self._fields(request)
        gone = await self._act(request, name, lambda desk: services.take_off_list(desk, name, what))
        notice = (
            _("«{what}» was taken off the list «{name}».")
            if gone
            else _("«{what}» is not on the list «{name}» any more.")
        )
        raise self._pages.redirect(request, self._page_of(name), notice.format(what=what, name=name))

    async def _fields(self, request: web.Request) -> tuple[str, str, str]:
        name, what, reason = [await field_of(request, each, 300) for each in ("list", "identity", "reason")]
        return name, " ".join(what.split()), " ".join(reason.split())

    async def _act(self, request: web.Request, name: str, service: Callable[[Desk], object]) -> object:
        """Do it, wait until calls are decided by it."""
        with going_back(self._pages, request, self._page_of(name), (StorageUnavailable,)):
            return await settled(self._pages, request, service)

    def _page_of(self, name: str) -> str:
        known = name if name in self._pages.hub.store.office.lists else ""
        return str(URL("/lists").with_query(list=known)) if known else "/lists"
