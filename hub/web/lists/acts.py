"""Buttons that put a client on a special list, from a case, a call or their card, and take them off again."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from crm_core.errors import StorageUnavailable
from crm_core.services.acts import listing
from crm_core.services.desk import Desk
from hub.web.doing import going_back, settled
from hub.web.pages import Answer, Handler, Pages, field_of, local_path, number_in, user_here
from hub.web.tongues import _

_Put = Callable[[Desk, int, str, str, str], listing.Listed]


class Lists:
    """The acts; each goes back to the page it was pressed on."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def put_case(self) -> Handler:
        """A client who waits."""
        return self._put(listing.list_case)

    @property
    def put_call(self) -> Handler:
        """Whoever called."""
        return self._put(listing.list_call)

    @property
    def put_client(self) -> Handler:
        """A client, with all their numbers."""
        return self._put(listing.list_contact)

    async def take_client(self, request: web.Request) -> Answer:
        """Take a client off their list."""
        login, contact_id = user_here(request).login, number_in(request)
        return await self._act(
            request,
            lambda desk: listing.unlist_contact(desk, contact_id, login),
            _("Taken off the list."),
        )

    def _put(self, service: _Put) -> Handler:
        async def act(request: web.Request) -> Answer:
            login, subject = user_here(request).login, number_in(request)
            name, reason = await field_of(request, "list", 300), await field_of(request, "reason", 300)
            notice = _("Put on the list «{name}».").format(name=name)
            return await self._act(request, lambda desk: service(desk, subject, name, reason, login), notice)

        return act

    async def _act(self, request: web.Request, service: Callable[[Desk], listing.Listed], notice: str) -> Answer:
        """Do it, wait until calls are decided by it, and go back with a line on how it went."""
        back = local_path(await field_of(request, "back"), "/")
        with going_back(self._pages, request, back, (StorageUnavailable,)):
            await settled(self._pages, request, service)
        raise self._pages.redirect(request, back, notice)
