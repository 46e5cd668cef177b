"""The page of all clients, narrowed by a filter, and the form of a new one."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crm_core.errors import CoreError, InvalidInput, StorageUnavailable
from crm_core.model.access import Right
from crm_core.services.acts.new_clients import Entered, NewClient, enter
from crm_core.services.clients.contacts import clean_tags
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.staff import load_staff
from hub.web.client.facts import people
from hub.web.clients.asking import Wanted
from hub.web.clients.listing import PAGE, ROWS, ClientsView, clients_view
from hub.web.doing import settled
from hub.web.filtering.asking import NOBODY
from hub.web.filtering.own_fields import SPANNED
from hub.web.here import MOST_SHOWN, rows_shown
from hub.web.pages import Answer, Pages, access_here, field_of, user_here
from hub.web.tongues import N_, _, pgettext

_LONGEST_CURSOR = 200
_DIGITS = 3  # so many make what was looked for a number
_TYPED = ("name", "number", "address", "company", "city", "tags", "manager")
_LONGEST = 300
OF_DEALS = (("open", N_("has open ones")), ("none", N_("has no open ones")), ("won", N_("has won ones")))


class Clients:
    """The pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """A page of clients; with `?part=rows` its rows alone, to stand behind those that are there, with `?part=live`
        what refreshes by itself."""
        hub, user = self._pages.hub, user_here(request)
        wanted, after = Wanted.of(request.query), request.query.get("after", "")[:_LONGEST_CURSOR] or None
        rows = rows_shown(request, ROWS)
        if rows > MOST_SHOWN:
            return web.Response(status=204)

        def read(conn: Reading) -> ClientsView:
            asker: Asker = hub.store.asker(conn, user)
            return clients_view(conn, asker, wanted, after, rows)

        view = await hub.store.read(read)
        context: dict[str, Any] = {
            "view": view,
            "after": after,
            "keeps": access_here(request).may(Right.KEEP_CLIENTS),
            "NOBODY": NOBODY,
            "SPANNED": SPANNED,
            "OF_DEALS": OF_DEALS,
            "PAGE": PAGE,
        }
        if request.query.get("part") == "rows":
            return self._pages.fragment(request, "clients/rows.html", **context)
        if request.query.get("part") == "live":
            return self._pages.fragment(request, "clients/live.html", **context)
        return self._pages.render(request, "clients/list.html", **context)

    async def new(self, request: web.Request) -> Answer:
        """The form of a new client; `?q=`, what was looked for in vain, stands in it."""
        looked_for = " ".join(request.query.get("q", "")[:_LONGEST].split())
        field = "address" if "@" in looked_for else "number" if _telephone(looked_for) else "name"
        return await self._form(request, {field: looked_for, "manager": user_here(request).login})

    async def create(self, request: web.Request) -> Answer:
        """Make a client; what is wrong is said above the form, which keeps what was typed."""
        typed = {name: " ".join((await field_of(request, name, _LONGEST)).split()) for name in _TYPED}
        given = NewClient(
            name=typed["name"],
            ways=(typed["number"], typed["address"]),
            manager=typed["manager"] or None,
            company=typed["company"] or None,
            city=typed["city"] or None,
            tags=clean_tags(typed["tags"].split(",")),
        )
        try:
            if any("\x00" in text for text in typed.values()):
                raise InvalidInput("a NUL character can't be stored")
            entered = await settled(self._pages, request, lambda desk: enter(desk, given))
        except StorageUnavailable:
            raise
        except CoreError as err:
            return await self._form(request, typed, status=400, problem=str(err))
        if entered.known:
            return await self._form(request, typed, status=409, known=entered)
        raise self._pages.redirect(request, f"/contacts/{entered.contact.id}", _("The client is there."))

    async def _form(
        self,
        request: web.Request,
        typed: dict[str, str],
        *,
        status: int = 200,
        problem: str = "",
        known: Entered | None = None,
    ) -> Answer:
        staff = await self._pages.hub.store.read(load_staff)
        context = {
            "typed": {**dict.fromkeys(_TYPED, ""), **typed},
            "problem": problem,
            "known": known.contact if known is not None else None,
            "people": (("", pgettext("manager", "nobody's")), *people(staff)),
        }
        return self._pages.render(request, "clients/new.html", status=status, **context)


def _telephone(text: str) -> bool:
    return sum(each.isdigit() for each in text) >= _DIGITS and not any(each.isalpha() for each in text)
