"""What is done with tasks: given, closed with a result, cancelled, opened again, changed, ticked off."""

from __future__ import annotations

from aiohttp import web

from crm_core.errors import InvalidInput
from crm_core.services.desk import Desk
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask, TaskChange
from crm_core.storage.queries.tasks import one_task
from crm_core.storage.queries.within import connection_of
from hub.web.attaching import kept_ahead, posted, received, sent_ahead
from hub.web.doing import done
from hub.web.moments import moment_of
from hub.web.pages import Answer, Pages, field_of, local_path, number_in, user_here
from hub.web.tongues import _

_LONGEST = 10_000


_HOME = "/tasks"


class TaskActs:
    """Each does one thing, and goes back with a line on how it went."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def make(self, request: web.Request) -> Answer:
        """Give a task: to oneself where nobody is named."""
        login = user_here(request).login
        title, text = await field_of(request, "title", 300), await field_of(request, "text", _LONGEST)
        assignee, due = await field_of(request, "assignee", 64) or login, await field_of(request, "due", 40)
        contact_id, deal_id = await self._id(request, "contact_id"), await self._id(request, "deal_id")

        def service(desk: Desk) -> None:
            tasks.make(
                desk,
                NewTask(
                    title=title,
                    text=text,
                    author=login,
                    assignee=assignee,
                    due_at=moment_of(due, self._pages.hub.settings.time_zone),
                    contact_id=contact_id,
                    deal_id=deal_id,
                ),
            )

        await done(self._pages, request, service, _("The task is given."), _HOME)

    async def close(self, request: web.Request) -> Answer:
        """Done, with what came of it, in words and in files: `files` are ids of those that were sent ahead, `upload`
        those that came with the form."""
        login, result = user_here(request).login, await field_of(request, "result", _LONGEST)
        back = local_path(await field_of(request, "back"), "/tasks")
        try:
            ahead, brought = await sent_ahead(request), await posted(request, self._pages.hub)
        except InvalidInput as err:
            raise self._pages.redirect(request, back, str(err)) from err

        def service(desk: Desk) -> None:
            self._seen(desk, request)
            tasks.close(desk, number_in(request), login, result, files=[*kept_ahead(desk, ahead), *brought])

        await done(self._pages, request, service, _("The task is done."), _HOME)

    async def upload(self, request: web.Request) -> Answer:
        """Keep a file for the result of a task that is yet to be closed."""
        return await received(request, self._pages.hub)

    async def cancel(self, request: web.Request) -> Answer:
        """Not to be done any more, for a reason."""
        login, reason = user_here(request).login, await field_of(request, "reason", 300)

        def service(desk: Desk) -> None:
            self._seen(desk, request)
            tasks.cancel(desk, number_in(request), login, reason)

        await done(self._pages, request, service, _("The task is cancelled."), _HOME)

    async def reopen(self, request: web.Request) -> Answer:
        """To be done after all."""
        login = user_here(request).login

        def service(desk: Desk) -> None:
            self._seen(desk, request)
            tasks.reopen(desk, number_in(request), login)

        await done(self._pages, request, service, _("The task is open again."), _HOME)

    async def change(self, request: web.Request) -> Answer:
        """Another day or another person."""
        due, assignee = await field_of(request, "due", 40), await field_of(request, "assignee", 64)
        version = await self._id(request, "version")

        def service(desk: Desk) -> None:
            self._seen(desk, request)
            given = TaskChange(due_at=moment_of(due, self._pages.hub.settings.time_zone), assignee=assignee or None)
            tasks.change(desk, number_in(request), given, version)

        await done(self._pages, request, service, _("The task is changed."), _HOME)

    async def tick(self, request: web.Request) -> Answer:
        """Tick a line of the checklist off, or put it back."""
        line, version = await self._id(request, "line"), await self._id(request, "version")

        def service(desk: Desk) -> None:
            self._seen(desk, request)
            task, _contact = desk.work.task(number_in(request))
            if line is None or line >= len(task.checklist):
                raise InvalidInput(_("The task has no such line any more."))
            ticked = [
                {**each, "done": not each.get("done")} if place == line else each
                for place, each in enumerate(task.checklist)
            ]
            tasks.change(desk, number_in(request), TaskChange(checklist=ticked), version)

        await done(self._pages, request, service, "", _HOME)

    def _seen(self, desk: Desk, request: web.Request) -> None:
        """Raise NotFound for a task about a card that whoever acts does not see."""
        if desk.access is not None:
            one_task(connection_of(desk), desk.access, number_in(request))

    async def _id(self, request: web.Request, name: str) -> int | None:
        text = await field_of(request, name, 18)
        return int(text) if text.isascii() and text.isdigit() else None
