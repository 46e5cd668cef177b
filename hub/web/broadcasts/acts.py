"""What is done with a mailing: tested on oneself, started, held, ended, sent again to those it did not reach."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from crm_core.errors import InvalidInput
from crm_core.services.desk import Desk
from crm_core.services.letters import broadcasts as service
from crm_core.services.letters.reckoning import send_sample
from crm_core.storage.queries import idempotency
from crm_core.storage.queries.idempotency import KeptAnswer
from hub.web.doing import going_back
from hub.web.moments import moment_of
from hub.web.pages import Answer, Pages, field_of, number_in, user_here
from hub.web.tongues import _, ngettext

_NONCE = re.compile(r"[\w-]{16,64}\Z", re.ASCII)


class BroadcastActs:
    """Each does one thing once, and goes back with a line on how it went. A second press finds it done: what is started
    can't be started again."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def sample(self, request: web.Request) -> Answer:
        """Send whoever asks what a client would get; once a form, however often it is sent."""
        login, nonce = user_here(request).login, await field_of(request, "nonce", 100)
        behind = await field_of(request, "behind", 18)
        above = int(behind) if behind.isascii() and behind.isdigit() else 0
        if not _NONCE.match(nonce):
            raise self._pages.redirect(
                request, self._address(request), _("The page was out of date. Please try again.")
            )

        def once(desk: Desk) -> None:
            key = f"sample:{nonce}"
            if idempotency.find(desk, login, key) is None:
                send_sample(desk, number_in(request), login, nonce, above=above)
                idempotency.keep(desk, login, key, KeptAnswer("", 303, b""))

        return await self._act(request, once, _("The test is on its way to you. No client got anything."))

    async def start(self, request: web.Request) -> Answer:
        """Begin now, or at a moment of the office's clock."""
        given = await field_of(request, "at", 40) if await field_of(request, "when", 10) == "later" else ""
        later, seen = await field_of(request, "when", 10) == "later", await field_of(request, "seen", 100)

        def begin(desk: Desk) -> None:
            if later and not given:
                raise InvalidInput(_("Say when it is to begin."))
            at = moment_of(given, self._pages.hub.settings.time_zone)
            if at is not None and at <= desk.now:
                raise InvalidInput(_("This moment is over: choose one ahead, or start it now."))
            service.start(desk, number_in(request), at, seen=seen or None)

        return await self._act(request, begin, _("It will begin then.") if later else _("It has begun."))

    async def pause(self, request: web.Request) -> Answer:
        """Queue no more for now."""
        return await self._act(
            request,
            lambda desk: service.pause(desk, number_in(request)),
            _("Paused. What the channels have already been given goes out."),
        )

    async def resume(self, request: web.Request) -> Answer:
        """Go on."""
        return await self._act(request, lambda desk: service.resume(desk, number_in(request)), _("It goes on."))

    async def cancel(self, request: web.Request) -> Answer:
        """End it for good."""
        return await self._act(
            request, lambda desk: service.cancel(desk, number_in(request)), _("It has ended. No more will be sent.")
        )

    async def resend(self, request: web.Request) -> Answer:
        """Once more to those whom it did not reach: to one who is named, else to all of them."""
        one = await field_of(request, "contact_id", 18)
        ids = [int(one)] if one.isascii() and one.isdigit() else None
        count = 0

        def again(desk: Desk) -> None:
            nonlocal count
            _record, count = service.resend(desk, number_in(request), ids)

        await self._done(request, again)
        said = ngettext("{count} client has their turn again.", "{count} clients have their turn again.", count)
        raise self._pages.redirect(
            request,
            self._address(request),
            said.format(count=count) if count else _("There is nobody any more whom it did not reach."),
        )

    async def _act(self, request: web.Request, act: Callable[[Desk], Any], notice: str) -> Answer:
        await self._done(request, act)
        raise self._pages.redirect(request, self._address(request), notice)

    async def _done(self, request: web.Request, act: Callable[[Desk], Any]) -> None:
        with going_back(self._pages, request, self._address(request)):
            await self._pages.act(request, act)

    def _address(self, request: web.Request) -> str:
        return f"/broadcasts/{number_in(request)}"
