"""The first run, logging in and out."""

from __future__ import annotations

import ipaddress
import math

from aiohttp import web

from crm_core.errors import Conflict, InvalidInput
from crm_core.model.user import Role, User
from crm_core.storage.users import NewUser, add_first_administrator, credentials
from hub.log import get_logger
from hub.security import SHORTEST_PASSWORD
from hub.web.pages import Answer, Pages, field_of, local_path, session_of
from hub.web.sessions import USER, Session, stamp_of
from hub.web.tongues import N_, _

log = get_logger(__name__)

_LONGEST_PASSWORD_FIELD = 1024

TAKEN = N_("There is an administrator already. Log in with your own login.")


class Entering:
    """The pages that need no session."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def setup_form(self, request: web.Request) -> Answer:
        """The first-run page, as long as there is nobody."""
        if self._pages.somebody:
            raise web.HTTPFound("/")
        return self._setup(request)

    async def setup(self, request: web.Request) -> Answer:
        """Create the administrator; whoever comes second is sent to the login."""
        pages = self._pages
        if pages.somebody:
            raise pages.redirect(request, "/login", _(TAKEN))
        login, name = (await field_of(request, "login")).strip(), await field_of(request, "name")
        password = await field_of(request, "password", _LONGEST_PASSWORD_FIELD)
        if len(password) < SHORTEST_PASSWORD:
            return self._setup(
                request,
                login,
                name,
                _("The password is shorter than {count} characters.").format(count=SHORTEST_PASSWORD),
            )
        if password != await field_of(request, "again", _LONGEST_PASSWORD_FIELD):
            return self._setup(request, login, name, _("The passwords differ."))
        kept = await pages.passwords.hash(password)
        new = NewUser(login=login, name=name, role=Role.ADMIN, password_hash=kept)
        try:
            user = await pages.hub.store.run(lambda desk: add_first_administrator(desk, new))
        except InvalidInput as err:
            return self._setup(request, login, name, str(err))
        except Conflict:
            pages.somebody = True
            raise pages.redirect(request, "/login", _(TAKEN)) from None
        pages.somebody = True
        log.info("the administrator was created", login=user.login)
        raise self._opened(request, user, kept, "/")

    async def login_form(self, request: web.Request) -> Answer:
        """The login page."""
        if request.get(USER) is not None:
            raise web.HTTPFound("/")
        return self._login(request, back=local_path(request.query.get("next"), "/"))

    async def login(self, request: web.Request) -> Answer:
        """Check the password; every attempt counts before it is checked, so that many at once gain nothing."""
        pages = self._pages
        login = (await field_of(request, "login")).strip()
        password = await field_of(request, "password", _LONGEST_PASSWORD_FIELD)
        back = local_path(await field_of(request, "next"), "/")
        place = _place(request)
        wait = pages.throttle.wait_s(login, place)
        if wait > 0:
            text = _("Too many attempts. Wait {minutes} min.").format(minutes=math.ceil(wait / 60))
            answer = self._login(request, login, back, text, status=429)
            answer.headers["Retry-After"] = str(math.ceil(wait))
            return answer
        pages.throttle.failed(login, place)
        kept = await pages.hub.store.read(lambda conn: credentials(conn, login))
        hashed = kept.password_hash if kept is not None else None
        if not await pages.passwords.matches(password, hashed) or kept is None or hashed is None:
            log.warning("a login failed", place=place)
            return self._login(request, login, back, _("Wrong login or password."), status=401)
        pages.throttle.succeeded(login, place)
        raise self._opened(request, kept.user, hashed, back)

    async def logout(self, request: web.Request) -> Answer:
        """End the session."""
        raise self._pages.redirect(request, "/login", session=Session())

    def _opened(self, request: web.Request, user: User, kept: str, where: str) -> web.HTTPSeeOther:
        """A session of its own: nothing of the one before the login lives on."""
        return self._pages.redirect(request, where, session=Session(login=user.login, stamp=stamp_of(kept)))

    def _setup(self, request: web.Request, login: str = "", name: str = "", problem: str = "") -> Answer:
        return self._pages.render(
            request, "setup.html", status=400 if problem else 200, login=login, name=name, problem=problem
        )

    def _login(
        self, request: web.Request, login: str = "", back: str = "/", problem: str = "", *, status: int = 200
    ) -> Answer:
        problem = problem or session_of(request).notice
        return self._pages.render(request, "login.html", status=status, login=login, back=back, problem=problem)


def _place(request: web.Request) -> str:
    """Where an attempt comes from; a proxy on this machine is believed about the last hop."""
    remote = request.remote or ""
    try:
        local = ipaddress.ip_address(remote).is_loopback
    except ValueError:
        local = False
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return forwarded[:64] if local and forwarded else remote
