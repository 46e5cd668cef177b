"""What is done from the control list: a rejection checked, a deal or a task given to somebody else."""

from __future__ import annotations

from aiohttp import web

from crm_core.services.acts import deals, rejections
from crm_core.services.acts.deals import DealChange
from crm_core.services.clients.contacts import UNSET
from crm_core.services.desk import Desk
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import TaskChange
from crm_core.storage.queries.tasks import one_task
from crm_core.storage.queries.within import connection_of
from hub.web.doing import done
from hub.web.moments import moment_of
from hub.web.pages import Answer, Pages, field_of, number_in, user_here
from hub.web.tongues import _

_HOME = "/control"


class ControlActs:
    """Each does one thing, and goes back with a line on how it went."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def confirm(self, request: web.Request) -> Answer:
        """The lead was rightly rejected."""
        login = user_here(request).login
        await done(
            self._pages,
            request,
            lambda desk: rejections.confirm(desk, number_in(request), login),
            _("The rejection is checked."),
            _HOME,
        )

    async def restore(self, request: web.Request) -> Answer:
        """The lead goes on."""
        login = user_here(request).login
        await done(
            self._pages,
            request,
            lambda desk: rejections.restore(desk, number_in(request), login),
            _("The lead goes on."),
            _HOME,
        )

    async def give_deal(self, request: web.Request) -> Answer:
        """A deal becomes somebody else's."""
        to = await field_of(request, "to", 64)
        await done(
            self._pages,
            request,
            lambda desk: deals.change(desk, number_in(request), DealChange(manager=to)),
            _("The deal is given."),
            _HOME,
        )

    async def give_task(self, request: web.Request) -> Answer:
        """A task becomes somebody else's, or is to be done by a moment; what is left empty stays."""
        to, due = await field_of(request, "to", 64), await field_of(request, "due", 40)
        due_at = moment_of(due, self._pages.hub.settings.time_zone)

        def service(desk: Desk) -> None:
            if desk.access is not None:
                one_task(connection_of(desk), desk.access, number_in(request))  # NotFound for one that isn't seen
            given = TaskChange(assignee=to or UNSET, due_at=due_at if due_at is not None else UNSET)
            tasks.change(desk, number_in(request), given)

        await done(self._pages, request, service, _("The task is changed."), _HOME)
