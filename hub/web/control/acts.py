"""What is done from the control list: a rejection checked, a deal or a task given to somebody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from crm_core.errors import CoreError, InvalidInput, StorageUnavailable
from crm_core.services.acts import deals, rejections
from crm_core.services.acts.deals import DealChange
from crm_core.services.clients.contacts import UNSET
from crm_core.services.desk import Desk
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import TaskChange
from crm_core.storage.queries.tasks import one_task
from crm_core.storage.queries.within import connection_of
from hub.web.pages import Answer, Pages, field_of, local_path, number_in, user_here
from hub.web.tongues import _


class ControlActs:
    """Each does one thing, and goes back with a line on how it went."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def confirm(self, request: web.Request) -> Answer:
        """The lead was rightly rejected."""
        login = user_here(request).login
        return await self._act(
            request, lambda desk: rejections.confirm(desk, number_in(request), login), _("The rejection is checked.")
        )

    async def restore(self, request: web.Request) -> Answer:
        """The lead goes on."""
        login = user_here(request).login
        return await self._act(
            request, lambda desk: rejections.restore(desk, number_in(request), login), _("The lead goes on.")
        )

    async def give_deal(self, request: web.Request) -> Answer:
        """A deal becomes somebody else's."""
        to = await field_of(request, "to", 64)
        return await self._act(
            request,
            lambda desk: deals.change(desk, number_in(request), DealChange(manager=to)),
            _("The deal is given."),
        )

    async def give_task(self, request: web.Request) -> Answer:
        """A task becomes somebody else's, or is to be done by a moment; what is left empty stays."""
        to, due = await field_of(request, "to", 64), await field_of(request, "due", 40)
        due_at = self._moment(due)

        def service(desk: Desk) -> None:
            if desk.access is not None:
                one_task(connection_of(desk), desk.access, number_in(request))  # NotFound for one that isn't seen
            given = TaskChange(assignee=to or UNSET, due_at=due_at if due_at is not None else UNSET)
            tasks.change(desk, number_in(request), given)

        return await self._act(request, service, _("The task is changed."))

    async def _act(self, request: web.Request, service: Callable[[Desk], Any], notice: str) -> Answer:
        back = local_path(await field_of(request, "back"), "/control")
        try:
            await self._pages.act(request, service)
        except StorageUnavailable:
            raise
        except CoreError as err:
            raise self._pages.redirect(request, back, str(err)) from err
        raise self._pages.redirect(request, back, notice)

    def _moment(self, given: str) -> datetime | None:
        """A moment as a browser's field says it, in the office's zone."""
        if not given:
            return None
        try:
            return datetime.fromisoformat(given).replace(tzinfo=self._pages.hub.settings.time_zone)
        except ValueError as err:
            raise InvalidInput(_("«{given}» is no date and time.").format(given=given)) from err
