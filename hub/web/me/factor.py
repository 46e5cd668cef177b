"""A person's second factor: set up with a first code, new codes on paper, taken off with a last one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias
from urllib.parse import urlsplit

from aiohttp import web
from markupsafe import Markup

from crm_core.errors import Conflict, NotFound
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.storage.entering import factor_of, renew_codes, set_factor, take_factor
from crm_core.storage.queries.within import connection_of
from crm_core.storage.users import Credentials, credentials
from hub.access.noting import Noted, note
from hub.access.remote import remote_of
from hub.access.second_factor import SecondFactors
from hub.access.throttle import Guessed
from hub.http.keys import USER
from hub.web.entering.proving import proved
from hub.web.entering.ways import begun, session_for
from hub.web.pages import Answer, Pages, field_of, session_of, user_here
from hub.web.sessions import UNPROVEN, new_key
from hub.web.tongues import _

_Then: TypeAlias = Callable[[Desk, bool], None]


class OwnFactor:
    """The pages of the second factor."""

    def __init__(self, pages: Pages, factors: SecondFactors) -> None:
        self._pages = pages
        self._factors = factors

    async def form(self, request: web.Request) -> Answer:
        """A secret to be photographed; it is the same one until it is confirmed."""
        user = await self._whoever(request)
        session = session_of(request)
        if not session.secret:
            self._pages.keep(request, replace(session, secret=self._factors.fresh()))
        return self._shown(request, user)

    async def confirm(self, request: web.Request) -> Answer:
        """The first code proves that the telephone has the secret; codes on paper are shown once."""
        pages, user, secret = self._pages, await self._whoever(request), session_of(request).secret
        if not secret:
            raise web.HTTPFound("/me/factor")
        attempt = await pages.throttle.attempt(Guessed.CODE, user.login, remote_of(request))
        if attempt.wait_s > 0:
            return self._shown(request, user, _wait(attempt.wait_s), status=429)
        step = self._factors.step(secret, await field_of(request, "code", 40))
        if step is None:
            wrong = _("The code does not fit. Is the telephone's clock right?")
            return self._shown(request, user, wrong, status=400)
        await pages.throttle.succeeded(attempt)
        codes, digests = self._factors.codes(user.login)
        sealed, key = self._factors.seal(user.login, secret), new_key()

        def service(desk: Desk) -> Credentials | None:
            set_factor(desk, user.login, sealed, step, digests)
            begun(desk, request, user.login, key)
            note(desk, Noted.FACTOR_SET, user, by=user.login, remote=remote_of(request))
            return credentials(connection_of(desk), user.login)

        try:
            kept = await pages.hub.store.run(service)
        except Conflict:
            raise pages.redirect(request, "/me", _("You have a second factor already.")) from None
        if kept is None:
            raise web.HTTPFound("/login")
        pages.keep(request, session_for(request, kept, key))
        request[USER] = kept.user
        return pages.render(request, "me/codes.html", codes=codes, fresh=True)

    async def renew(self, request: web.Request) -> Answer:
        """Other codes on paper, for those that were used or lost."""
        user = user_here(request)
        codes, digests = self._factors.codes(user.login)

        def then(desk: Desk, _on_paper: bool) -> None:
            renew_codes(desk, user.login, digests)
            note(desk, Noted.FACTOR_CODES, user, by=user.login, remote=remote_of(request))

        await self._prove(request, user, then)
        return self._pages.render(request, "me/codes.html", codes=codes, fresh=False)

    async def remove(self, request: web.Request) -> Answer:
        """Take the second factor off; not where it is demanded."""
        user = user_here(request)
        if user.role in self._pages.hub.settings.access.second_factor:
            raise self._pages.redirect(request, "/me", _("Your role may not do without the second factor."))

        def then(desk: Desk, _on_paper: bool) -> None:
            take_factor(desk, user.login)
            note(desk, Noted.FACTOR_TAKEN, user, by=user.login, remote=remote_of(request))

        await self._prove(request, user, then)
        raise self._pages.redirect(request, "/me", _("The second factor is off. A password alone opens now."))

    async def _prove(self, request: web.Request, user: User, then: _Then) -> None:
        """Use the code of the form; leads back where it does not fit."""
        pages = self._pages
        attempt = await pages.throttle.attempt(Guessed.CODE, user.login, remote_of(request))
        if attempt.wait_s > 0:
            raise pages.redirect(request, "/me", _wait(attempt.wait_s))
        try:
            left = await proved(pages, self._factors, user.login, await field_of(request, "code", 40), then)
        except NotFound:
            raise pages.redirect(request, "/me", _("There is no second factor any more.")) from None
        if left is None:
            raise pages.redirect(request, "/me", _("The code does not fit, or was used already."))
        await pages.throttle.succeeded(attempt)

    async def _whoever(self, request: web.Request) -> User:
        """Who sets it up: somebody who is in, or who may get no further without it."""
        user: User | None = request.get(USER) or request.get(UNPROVEN)
        if user is None:
            raise web.HTTPFound("/login?next=/me/factor")
        if await self._pages.hub.store.read(lambda conn: factor_of(conn, None, user.login)) is not None:
            raise web.HTTPFound("/me")
        return user

    def _shown(self, request: web.Request, user: User, problem: str = "", *, status: int = 200) -> Answer:
        host = urlsplit(self._pages.hub.settings.base_url).hostname or ""
        proposed = self._factors.propose(session_of(request).secret, user.login, " ".join((_("Hub"), host)))
        return self._pages.render(
            request,
            "me/factor.html",
            status=status,
            problem=problem,
            typed=proposed.typed,
            address=proposed.address,
            picture=Markup(proposed.picture),  # noqa: S704 - our own drawing, of an address that is encoded in it
            demanded=UNPROVEN in request,
        )


def _wait(seconds: float) -> str:
    return _("Too many attempts. Wait {minutes} min.").format(minutes=int(seconds // 60) + 1)
