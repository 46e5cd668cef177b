"""What somebody had sent after their session ended: shown after the login, sent once or let be."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from aiohttp import web

from hub.web.pages import Answer, Pages, local_path, number_in, session_of, user_here
from hub.web.tongues import _
from hub.web.unsent import UNSENT_AT, Form


class TooLate:
    """The page of forms that came too late."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """What there is; without anything, on to where they wanted to go."""
        pages, session, back = self._pages, session_of(request), local_path(request.query.get("next"), "/")
        login = user_here(request).login
        found = await pages.unsent.all_of(login, session) if session.unsent else ()
        if not found:
            # What another person sent from this browser waits for them.
            theirs = session.before is not None and session.before.login != login
            key = session.unsent if theirs else ""
            raise pages.redirect(request, back, session.notice, session=replace(session, unsent=key))
        return pages.render(request, "entering/unsent.html", forms=found, back=back)

    async def send(self, request: web.Request) -> Answer:
        """Send a form now: the browser brings its fields, which this page wrote into it, to where it was meant to go.

        The form is taken away first, so that it is sent once whatever is pressed.
        """
        form = await self._taken(request)
        if form is None:
            raise self._pages.redirect(request, UNSENT_AT, _("This was sent or thrown away already."))
        # 307: the same fields once more, with the token of this session, judged like any other form.
        raise web.HTTPTemporaryRedirect(form.path)

    async def drop(self, request: web.Request) -> Answer:
        """Throw a form away."""
        await self._taken(request)
        back = local_path(request.query.get("next"), "/")
        raise self._pages.redirect(request, f"{UNSENT_AT}?{urlencode({'next': back})}", _("It is thrown away."))

    async def _taken(self, request: web.Request) -> Form | None:
        return await self._pages.unsent.take(user_here(request).login, session_of(request), number_in(request))
