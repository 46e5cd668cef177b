"""The first visit: whoever comes while there is nobody makes the administrator."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from crm_core.errors import Conflict, InvalidInput
from crm_core.model.user import Role, User
from crm_core.services.desk import Desk
from crm_core.storage.users import Credentials, NewUser, add_first_administrator
from hub.access.security import SHORTEST_PASSWORD
from hub.log import get_logger
from hub.web.entering.ways import LONGEST_PASSWORD_FIELD, begun, opened
from hub.web.pages import Answer, Pages, field_of
from hub.web.sessions import new_key
from hub.web.tongues import N_, gettext

log = get_logger(__name__)

_TAKEN: Final = N_("There is an administrator already. Log in with your own login.")


class FirstVisit:
    """The page that is there as long as there is nobody."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def form(self, request: web.Request) -> Answer:
        """The form."""
        if self._pages.somebody:
            raise web.HTTPFound("/")
        return self._shown(request)

    async def create(self, request: web.Request) -> Answer:
        """Create the administrator; whoever comes second is sent to the login."""
        pages = self._pages
        if pages.somebody:
            raise pages.redirect(request, "/login", gettext(_TAKEN))
        login, name = (await field_of(request, "login")).strip(), await field_of(request, "name")
        password = await field_of(request, "password", LONGEST_PASSWORD_FIELD)
        if len(password) < SHORTEST_PASSWORD:
            short = gettext("The password is shorter than {count} characters.").format(count=SHORTEST_PASSWORD)
            return self._shown(request, login, name, short)
        if password != await field_of(request, "again", LONGEST_PASSWORD_FIELD):
            return self._shown(request, login, name, gettext("The passwords differ."))
        kept = await pages.passwords.hash(password)
        new, key = NewUser(login=login, name=name, role=Role.ADMIN, password_hash=kept), new_key()

        def service(desk: Desk) -> User:
            user = add_first_administrator(desk, new)
            begun(desk, request, user.login, key)
            return user

        try:
            user = await pages.hub.store.run(service)
        except InvalidInput as err:
            return self._shown(request, login, name, str(err))
        except Conflict:
            pages.somebody = True
            raise pages.redirect(request, "/login", gettext(_TAKEN)) from None
        pages.somebody = True
        log.info("the administrator was created", login=user.login)
        raise opened(pages, request, Credentials(user, kept), key, "/first-run")

    def _shown(self, request: web.Request, login: str = "", name: str = "", problem: str = "") -> Answer:
        return self._pages.render(
            request, "entering/setup.html", status=400 if problem else 200, login=login, name=name, problem=problem
        )
