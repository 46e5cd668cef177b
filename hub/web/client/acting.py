"""Running what somebody does on a card: as that person, and calls are decided by it before the answer is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from crm_core.errors import CoreError, StorageUnavailable
from crm_core.services.desk import Desk
from hub.log import get_logger
from hub.web.pages import Answer, Pages, number_in

log = get_logger(__name__)

Result = TypeVar("Result")


class Acting:
    """What all rooms of the card share."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    async def done(self, request: web.Request, service: Callable[[Desk], Result]) -> Result:
        """Do it; raises what the service raises."""
        found, position = await self.pages.act_at(request, service)
        if position is not None and not await self.pages.hub.directory.caught_up(position):
            log.warning("calls are not yet decided by what was done", path=request.path)
        return found

    async def or_said(self, request: web.Request, service: Callable[[Desk], Result]) -> Result:
        """The same; what can't be done is said on the card."""
        try:
            return await self.done(request, service)
        except StorageUnavailable:
            raise
        except CoreError as err:
            raise self.pages.redirect(request, card(request), str(err)) from err


def card(request: web.Request) -> str:
    """The address of the card."""
    return f"/contacts/{number_in(request)}"


def by_htmx(request: web.Request) -> bool:
    """Whether a part of the page was asked for."""
    return "HX-Request" in request.headers


def part(answer: Answer, status: int) -> Answer:
    """A part that says what went wrong, put in place all the same."""
    answer.set_status(status)
    answer.headers["X-Part"] = "1"
    return answer
