"""Running what somebody does on a card: as that person, and calls are decided by it before the answer is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from crm_core.errors import StorageUnavailable
from crm_core.services.desk import Desk
from hub.web.doing import going_back, settled
from hub.web.pages import Pages, number_in

Result = TypeVar("Result")


class Acting:
    """What all rooms of the card share."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    async def done(self, request: web.Request, service: Callable[[Desk], Result]) -> Result:
        """Do it; raises what the service raises."""
        return await settled(self.pages, request, service)

    async def or_said(self, request: web.Request, service: Callable[[Desk], Result]) -> Result:
        """The same; what can't be done is said on the card."""
        with going_back(self.pages, request, card(request), (StorageUnavailable,)):
            return await self.done(request, service)


def card(request: web.Request) -> str:
    """The address of the card."""
    return f"/contacts/{number_in(request)}"
