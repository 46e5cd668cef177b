"""A person's API tokens: each is shown once, when it is made."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aiohttp import web

from crm_core.errors import InvalidInput
from crm_core.model.scopes import EVERYTHING, Scopes
from crm_core.services.desk import Desk
from crm_core.storage.tokens import add_token, revoke_token
from hub.access.areas import AREAS
from hub.access.noting import Noted, note
from hub.access.remote import remote_of
from hub.access.security import new_token, token_digest
from hub.web.me.page import Own
from hub.web.pages import Answer, field_of, number_in, user_here
from hub.web.tongues import _

_LIVES: Final = frozenset({"30", "90", "365"})


class OwnTokens:
    """What is done to tokens on a person's own page."""

    def __init__(self, own: Own) -> None:
        self._own = own

    async def issue(self, request: web.Request) -> Answer:
        """A new token."""
        user, pages = user_here(request), self._own.pages
        name, life = await field_of(request, "name", 100), await field_of(request, "life", 4)
        expires_at = pages.hub.clock.now() + timedelta(days=int(life)) if life in _LIVES else None
        token = new_token()
        try:
            scopes = await _scopes(request)

            def service(desk: Desk) -> None:
                token_id = add_token(
                    desk, user.login, token_digest(token), name=name, scopes=scopes, expires_at=expires_at
                )
                opens = " ".join(scopes.plain() or ["everything"])
                note(
                    desk,
                    Noted.TOKEN_ISSUED,
                    user,
                    by=user.login,
                    remote=remote_of(request),
                    subject_id=token_id,
                    detail=opens,
                )

            await pages.act(request, service)
        except InvalidInput as err:
            return await self._own.shown(request, 400, at="tokens", problem=str(err))
        return await self._own.shown(request, token=token)

    async def revoke(self, request: web.Request) -> Answer:
        """Let a token open nothing more."""
        user, token_id, pages = user_here(request), number_in(request), self._own.pages

        def service(desk: Desk) -> None:
            token = revoke_token(desk, token_id, login=user.login)
            if token.revoked_at is None:
                remote = remote_of(request)
                note(desk, Noted.TOKEN_REVOKED, user, by=user.login, remote=remote, subject_id=token_id)

        await pages.act(request, service)
        raise pages.redirect(request, "/me", _("The token opens nothing any more."))


async def _scopes(request: web.Request) -> Scopes:
    """What was chosen: everything, reading alone, or what was ticked. Raises InvalidInput."""
    form = await request.post()
    match form.get("opens"):
        case "read":
            return Scopes.parse(["read"])
        case "chosen":
            ticked = [each for each in form.getall("scope", []) if isinstance(each, str)]
            return Scopes.parse(ticked, request.config_dict[AREAS])
        case _:
            return EVERYTHING
