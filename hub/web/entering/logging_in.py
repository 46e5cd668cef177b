"""Logging in: the password, then the code of the second factor where there is one; logging out."""

from __future__ import annotations

import math

from aiohttp import web

from crm_core.errors import CoreError, NotFound
from crm_core.services.desk import Desk
from crm_core.storage.sessions import end_session
from crm_core.storage.users import Credentials, credentials
from hub.access.noting import Noted, note_refused
from hub.access.remote import remote_of
from hub.access.second_factor import SecondFactors
from hub.access.security import same_text
from hub.access.throttle import Attempt, Guessed
from hub.http.keys import USER
from hub.log import get_logger
from hub.web.entering.proving import proved
from hub.web.entering.ways import LONGEST_PASSWORD_FIELD, entered, let_in, opened
from hub.web.pages import Answer, Pages, field_of, local_path, session_of
from hub.web.sessions import UNPROVEN, VISIT, Waiting, new_key, stamp_of
from hub.web.tongues import _, ngettext

log = get_logger(__name__)

_FEW_CODES = 4


class LoggingIn:
    """The login page and the page of the code."""

    def __init__(self, pages: Pages, factors: SecondFactors) -> None:
        self._pages = pages
        self._factors = factors

    # ------------------------------------------------------------ the password

    async def form(self, request: web.Request) -> Answer:
        """The login page."""
        if USER in request or UNPROVEN in request:
            raise web.HTTPFound("/")
        ended = _("Your session has ended. Log in again; the answer you were writing is kept in this browser.")
        why = ended if "ended" in request.query else ""
        return self.shown(request, back=local_path(request.query.get("next"), "/"), why=why)

    async def log_in(self, request: web.Request) -> Answer:
        """Check the password; every attempt counts before it is checked, so that many at once gain nothing."""
        pages = self._pages
        login = (await field_of(request, "login")).strip()
        password = await field_of(request, "password", LONGEST_PASSWORD_FIELD)
        back = local_path(await field_of(request, "next"), "/")
        place = remote_of(request)
        attempt = await pages.throttle.attempt(Guessed.PASSWORD, login, place)
        if attempt.wait_s > 0:
            await self._refused(request, Noted.THROTTLED, await self._credentials(login))
            return _patient(self.shown(request, login, back, _wait(attempt), status=429), attempt)
        kept = await self._credentials(login)
        hashed = kept.password_hash if kept is not None else None
        if not await pages.passwords.matches(password, hashed) or kept is None:
            log.warning("a login failed", place=place)
            await self._refused(request, Noted.FAILED, kept)
            return self.shown(request, login, back, _("Wrong login or password."), status=401)
        await pages.throttle.succeeded(attempt)
        raise await entered(pages, request, kept, back, "password")

    async def log_out(self, request: web.Request) -> Answer:
        """End the session, also where its tabs follow the feed; without a database, here and now alone."""
        if (visit := request.get(VISIT)) is not None:
            login = visit.kept.user.login
            try:
                await self._pages.hub.store.run(lambda desk: end_session(desk, login, visit.id))
            except CoreError as err:
                log.warning("a session could not be ended but in its browser", login=login, error=str(err))
        raise self._pages.redirect(request, "/login", session=session_of(request).follows())

    # ------------------------------------------------------------ the code

    async def code_form(self, request: web.Request) -> Answer:
        """The page of the code, for whoever's password was right a moment ago."""
        self._waiting(request)
        return self._code_shown(request)

    async def give_code(self, request: web.Request) -> Answer:
        """Check the code, of the telephone or on paper; each opens once."""
        pages, waiting = self._pages, self._waiting(request)
        attempt = await pages.throttle.attempt(Guessed.CODE, waiting.login, remote_of(request))
        if attempt.wait_s > 0:
            return _patient(self._code_shown(request, _wait(attempt), status=429), attempt)
        kept = await self._credentials(waiting.login)
        if kept is None or not same_text(stamp_of(kept), waiting.stamp):
            raise self._anew(request)

        key = new_key()

        def then(desk: Desk, on_paper: bool) -> None:
            let_in(desk, kept, request, key, "code on paper" if on_paper else "code")

        try:
            left = await proved(pages, self._factors, waiting.login, await field_of(request, "code", 40), then)
        except NotFound:
            raise self._anew(request) from None  # it was taken off meanwhile
        if left is None:
            log.warning("a code of a second factor was wrong", login=waiting.login, place=remote_of(request))
            await self._refused(request, Noted.FAILED, kept)
            return self._code_shown(request, _("The code does not fit, or was used already."), status=401)
        await pages.throttle.succeeded(attempt)
        raise opened(pages, request, kept, key, waiting.back, _codes_left(left))

    def _waiting(self, request: web.Request) -> Waiting:
        waiting = session_of(request).waiting
        if USER in request or waiting is None or not self._pages.sessions.current(waiting):
            raise self._anew(request) if waiting is not None else web.HTTPFound("/login")
        return waiting

    def _anew(self, request: web.Request) -> web.HTTPException:
        if USER in request:
            return web.HTTPFound("/")
        late = _("That took too long. Please log in again.")
        return self._pages.redirect(request, "/login", late, session=session_of(request).follows())

    async def _refused(self, request: web.Request, what: Noted, kept: Credentials | None) -> None:
        user = kept.user if kept is not None else None
        await note_refused(self._pages.hub.store, what, user, remote_of(request))

    async def _credentials(self, login: str) -> Credentials | None:
        return await self._pages.hub.store.read(lambda conn: credentials(conn, login))

    # ------------------------------------------------------------ pages

    def shown(
        self,
        request: web.Request,
        login: str = "",
        back: str = "/",
        problem: str = "",
        *,
        why: str = "",
        status: int = 200,
    ) -> Answer:
        """The login page, and what went wrong, or why it is shown."""
        oidc = self._pages.hub.settings.oidc
        return self._pages.render(
            request,
            "entering/login.html",
            status=status,
            login=login,
            back=back,
            problem=problem,
            why=why,
            provider=oidc.name if oidc is not None else "",
        )

    def _code_shown(self, request: web.Request, problem: str = "", *, status: int = 200) -> Answer:
        return self._pages.render(request, "entering/code.html", status=status, problem=problem)


def _wait(attempt: Attempt) -> str:
    return _("Too many attempts. Wait {minutes} min.").format(minutes=math.ceil(attempt.wait_s / 60))


def _patient(answer: Answer, attempt: Attempt) -> Answer:
    answer.headers["Retry-After"] = str(math.ceil(attempt.wait_s))
    return answer


def _codes_left(left: int) -> str:
    if left < 0:
        return ""
    said = ngettext("{count} code on paper is left.", "{count} codes on paper are left.", left).format(count=left)
    return " ".join((said, _("Make new ones on your own page."))) if left < _FEW_CODES else said
