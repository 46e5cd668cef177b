"""What is done on the first page: with a case, a lead, and peace for oneself."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from crm_core.services.cards.leads import reject, take
from crm_core.services.desk import Desk
from crm_core.services.watching.cases import close_by_hand, open_lead_of_case, promise, take_case
from crm_core.services.watching.telling import PROMISE_MINUTES
from crm_core.storage.users import UserChange, update_user
from hub.web.doing import done
from hub.web.pages import Answer, Pages, field_of, local_path, number_in, user_here
from hub.web.tongues import _

_HOME = "/"


class InboxActs:
    """Each does one thing, and goes back with a line on how it went."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def take_case(self, request: web.Request) -> Answer:
        """Somebody looks after the client, and takes their untaken lead."""
        login = user_here(request).login

        def service(desk: Desk) -> None:
            case = take_case(desk, number_in(request), login)
            lead_id = open_lead_of_case(desk, case)
            if lead_id is not None:
                take(desk, lead_id, login)

        await done(self._pages, request, service, _("The case is yours."), _HOME)

    async def promise(self, request: web.Request) -> Answer:
        """Somebody will answer soon."""
        login = user_here(request).login

        def service(desk: Desk) -> None:
            promise(desk, number_in(request), login, desk.now + timedelta(minutes=PROMISE_MINUTES))

        await done(self._pages, request, service, _("The promise is noted."), _HOME)

    async def close_case(self, request: web.Request) -> Answer:
        """Nothing is owed any more; the reason is on the timeline."""
        login, reason = user_here(request).login, await field_of(request, "reason", 300)
        await done(
            self._pages,
            request,
            lambda desk: close_by_hand(desk, number_in(request), login, reason),
            _("The case is closed."),
            _HOME,
        )

    async def take_lead(self, request: web.Request) -> Answer:
        """Somebody takes an enquiry; where the office has its robot so, it rings both at once."""
        login = user_here(request).login
        await done(
            self._pages, request, lambda desk: take(desk, number_in(request), login), _("The lead is yours."), _HOME
        )

    async def reject_lead(self, request: web.Request) -> Answer:
        """An enquiry comes to nothing, for a reason."""
        login, reason = user_here(request).login, await field_of(request, "reason", 300)
        await done(
            self._pages,
            request,
            lambda desk: reject(desk, number_in(request), login, reason),
            _("The lead is rejected."),
            _HOME,
        )

    async def peace(self, request: web.Request) -> Answer:
        """Calls pass the person of the session over, or come again; `on` is `1` or empty."""
        login, quiet = user_here(request).login, await field_of(request, "on") == "1"
        hub = self._pages.hub
        _done, position = await hub.store.run_at(
            lambda desk: update_user(desk, login, UserChange(do_not_disturb=quiet))
        )
        await hub.directory.caught_up(position)
        back = local_path(await field_of(request, "back"), "/")
        raise self._pages.redirect(
            request, back, _("Calls pass you over until you are back.") if quiet else _("You take calls again.")
        )
