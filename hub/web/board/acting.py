"""How the room acts: as whoever is logged in, one service a transaction; and how forms know what to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from zoneinfo import ZoneInfo

from aiohttp import web

from crm_core.services.desk import Desk
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.workspace.asker import Asker
from hub.access.remote import remote_of
from hub.web.pages import Pages, user_here

Result = TypeVar("Result")


class Acting:
    """What every handler of the room needs."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    @property
    def zone(self) -> ZoneInfo:
        """The office's zone."""
        return ZoneInfo(self.pages.hub.store.office.time_zone)

    async def act(self, request: web.Request, service: Callable[[Desk], Result]) -> Result:
        """Run a service as the person of a request; raises whatever it raises."""
        user, remote = user_here(request), remote_of(request)

        def acting(desk: Desk) -> Result:
            desk.acts_for(user, remote)
            return service(desk)

        return await self.pages.hub.store.run(acting)

    async def look(self, request: web.Request, service: Callable[[Desk], Result]) -> Result:
        """Run a service that only looks, as the person of a request."""
        user = user_here(request)

        def looking(desk: Desk) -> Result:
            desk.acts_for(user)
            return service(desk)

        return await self.pages.hub.store.look(looking)

    async def ask(self, request: web.Request, query: Callable[[Reading, Asker], Result]) -> Result:
        """Read as the person of a request."""
        store, user = self.pages.hub.store, user_here(request)
        return await store.read(lambda conn: query(conn, store.asker(conn, user)))
