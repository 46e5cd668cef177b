"""The page itself, and what is set on it at once: tastes, the password, signing out everywhere."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crm_core.model.rights import Right
from crm_core.model.user import Language, Tastes, Theme
from crm_core.services.desk import Desk
from crm_core.storage.database import Connection
from crm_core.storage.entering import Factor, factor_of, set_tastes, sign_out_everywhere
from crm_core.storage.tokens import Token, list_tokens
from crm_core.storage.users import Credentials, UserChange, credentials, update_user
from hub.areas import AREAS
from hub.noting import Noted, note
from hub.remote import remote_of
from hub.security import SHORTEST_PASSWORD
from hub.throttle import Guessed
from hub.web.entering.ways import LONGEST_PASSWORD_FIELD
from hub.web.pages import Answer, Pages, access_here, field_of, user_here
from hub.web.sessions import Session, stamp_of
from hub.web.tongues import _, speak


class Own:
    """What a person sees and sets of themselves."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    async def show(self, request: web.Request) -> Answer:
        """The page."""
        return await self.shown(request)

    async def shown(self, request: web.Request, status: int = 200, **more: Any) -> Answer:
        """The page, with what there is to say: `problem` and which form it belongs to as `at`, a fresh `token`."""
        login, settings = user_here(request).login, self.pages.hub.settings

        def read(conn: Connection) -> tuple[Factor | None, tuple[Token, ...], Credentials | None]:
            return factor_of(conn, login), list_tokens(conn, login), credentials(conn, login)

        factor, tokens, kept = await self.pages.hub.store.read(read)
        now = self.pages.hub.clock.now()
        context = {
            "at": "",
            "problem": "",
            "token": "",
            "factor": factor,
            "demanded": user_here(request).role in settings.access.second_factor,
            "with_password": kept is not None and kept.password_hash is not None,
            "tokens": [(each, each.open(now)) for each in tokens],
            "with_tokens": access_here(request).may(Right.KEEP_TOKENS),
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
        hashed = await pages.passwords.hash(new)

        def service(desk: Desk) -> None:
            update_user(desk, user.login, UserChange(password_hash=hashed))
            note(desk, Noted.PASSWORD, user, by=user.login, remote=remote_of(request))

        await pages.hub.store.run(service)
        raise await self.renewed(request, _("The password is changed. Everywhere else you are logged out."))

    async def leave_everywhere(self, request: web.Request) -> Answer:
        """End all sessions but this one."""
        user = user_here(request)

        def service(desk: Desk) -> None:
            sign_out_everywhere(desk, user.login)
            note(desk, Noted.LEFT_EVERYWHERE, user, by=user.login, remote=remote_of(request))

        await self.pages.hub.store.run(service)
        raise await self.renewed(request, _("Everywhere else you are logged out."))

    async def renewed(self, request: web.Request, notice: str) -> web.HTTPSeeOther:
        """Back to the page with a session that goes on after all others ended."""
        login = user_here(request).login
        kept = await self._credentials(login)
        if kept is None:
            return self.pages.redirect(request, "/login", session=Session())
        return self.pages.redirect(request, "/me", notice, session=Session(login=login, stamp=stamp_of(kept)))

    async def _credentials(self, login: str) -> Credentials | None:
        return await self.pages.hub.store.read(lambda conn: credentials(conn, login))
