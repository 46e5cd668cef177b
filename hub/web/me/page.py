"""The page itself, and what is set on it at once: tastes, the password, where one is logged in."""

from __future__ import annotations

from typing import Any, NamedTuple

from aiohttp import web

from crm_core.model.rights import Right
from crm_core.model.user import Language, Tastes, Theme
from crm_core.services.desk import Desk
from crm_core.storage.database import Connection
from crm_core.storage.entering import Factor, factor_of, set_tastes
from crm_core.storage.queries.within import connection_of
from crm_core.storage.sessions import OpenSession, end_session, end_sessions, list_sessions
from crm_core.storage.tokens import Token, list_tokens
from crm_core.storage.users import Credentials, UserChange, credentials, update_user
from hub.access.areas import AREAS
from hub.access.noting import Noted, note
from hub.access.remote import remote_of
from hub.access.security import SHORTEST_PASSWORD
from hub.access.throttle import Guessed
from hub.web.entering.ways import LONGEST_PASSWORD_FIELD, begun, session_for
from hub.web.pages import Answer, Pages, access_here, field_of, number_in, user_here
from hub.web.sessions import VISIT, new_key
from hub.web.tongues import _, speak


class _Kept(NamedTuple):
    """What is kept of a person."""

    factor: Factor | None
    tokens: tuple[Token, ...]
    sessions: tuple[OpenSession, ...]
    credentials: Credentials | None


class Own:
    """What a person sees and sets of themselves."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    async def show(self, request: web.Request) -> Answer:
        """The page."""
        return await self.shown(request)

    async def shown(self, request: web.Request, status: int = 200, **more: Any) -> Answer:
        """The page, with what there is to say: `problem` and which form it belongs to as `at`, a fresh `token`."""
        access, settings = access_here(request), self.pages.hub.settings
        login, with_tokens = access.login, access.may(Right.KEEP_TOKENS)

        now = self.pages.hub.clock.now()

        def read(conn: Connection) -> _Kept:
            tokens = list_tokens(conn, access, login) if with_tokens else ()
            sessions = list_sessions(conn, access, login, now)
            return _Kept(factor_of(conn, access, login), tokens, sessions, credentials(conn, login))

        factor, tokens, sessions, kept = await self.pages.hub.store.read(read)
        context = {
            "at": "",
            "sessions": sessions,
            "here": request[VISIT].id,
            "problem": "",
            "token": "",
            "factor": factor,
            "demanded": user_here(request).role in settings.access.second_factor,
            "with_password": kept is not None and kept.password_hash is not None,
            "tokens": [(each, each.open(now)) for each in tokens],
            "with_tokens": with_tokens,
            "areas": request.config_dict[AREAS],
            "shortest": SHORTEST_PASSWORD,
        }
        return self.pages.render(request, "me/page.html", status=status, **(context | more))

    async def set_tastes(self, request: web.Request) -> Answer:
        """How they like the pages."""
        form = await request.post()
        language = form.get("language")
        tastes = Tastes.of(
            {
                "language": language,
                "theme": form.get("theme", Theme.AUTO),
                "sound": "sound" in form,
                "notifications": "notifications" in form,
            }
        )
        login = user_here(request).login
        await self.pages.hub.store.run(lambda desk: set_tastes(desk, login, tastes))
        speak((tastes.language or Language(self.pages.hub.settings.language)).value)
        raise self.pages.redirect(request, "/me", _("Saved."))

    async def set_password(self, request: web.Request) -> Answer:
        """Another password; whoever changes it proves that they know the old one, and stays in here alone."""
        pages, user = self.pages, user_here(request)
        old, new, again = [
            await field_of(request, name, LONGEST_PASSWORD_FIELD) for name in ("old", "password", "again")
        ]
        if len(new) < SHORTEST_PASSWORD:
            short = _("The password is shorter than {count} characters.").format(count=SHORTEST_PASSWORD)
            return await self.shown(request, 400, at="password", problem=short)
        if new != again:
            return await self.shown(request, 400, at="password", problem=_("The passwords differ."))
        attempt = await pages.throttle.attempt(Guessed.PASSWORD, user.login, remote_of(request))
        if attempt.wait_s > 0:
            said = _("Too many attempts. Wait {minutes} min.").format(minutes=int(attempt.wait_s // 60) + 1)
            return await self.shown(request, 429, at="password", problem=said)
        kept = await self._credentials(user.login)
        if not await pages.passwords.matches(old, kept.password_hash if kept is not None else None):
            return await self.shown(request, 401, at="password", problem=_("The old password is another one."))
        await pages.throttle.succeeded(attempt)
        hashed, key = await pages.passwords.hash(new), new_key()

        def service(desk: Desk) -> Credentials | None:
            update_user(desk, user.login, UserChange(password_hash=hashed))
            begun(desk, request, user.login, key)
            note(desk, Noted.PASSWORD, user, by=user.login, remote=remote_of(request))
            return credentials(connection_of(desk), user.login)

        changed = await pages.hub.store.run(service)
        if changed is None:  # disabled since the request began
            raise pages.redirect(request, "/login")
        said = _("The password is changed. Everywhere else you are logged out.")
        raise pages.redirect(request, "/me", said, session=session_for(request, changed, key))

    async def leave_everywhere(self, request: web.Request) -> Answer:
        """End all sessions but this one."""
        user, here = user_here(request), request[VISIT].id

        def service(desk: Desk) -> None:
            end_sessions(desk, user.login, but=here)
            note(desk, Noted.LEFT_EVERYWHERE, user, by=user.login, remote=remote_of(request))

        await self.pages.hub.store.run(service)
        raise self.pages.redirect(request, "/me", _("Everywhere else you are logged out."))

    async def end_one(self, request: web.Request) -> Answer:
        """End one session, this one too."""
        user, ident = user_here(request), number_in(request)

        def service(desk: Desk) -> bool:
            ended = end_session(desk, user.login, ident)
            if ended:
                note(desk, Noted.LEFT_ONE, user, by=user.login, remote=remote_of(request))
            return ended

        ended = await self.pages.hub.store.run(service)
        said = _("The session is ended.") if ended else _("The session had ended already.")
        raise self.pages.redirect(request, "/me", said)

    async def _credentials(self, login: str) -> Credentials | None:
        return await self.pages.hub.store.read(lambda conn: credentials(conn, login))
