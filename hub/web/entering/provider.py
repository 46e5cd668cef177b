"""Logging in at the office's own OpenID provider. Only people of the office come in that way, and nobody is made."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from crm_core.errors import InvalidIdentity
from crm_core.model.identity import address
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.storage.entering import find_by_subject, link_by_email
from crm_core.storage.users import credentials
from hub.access.noting import Noted, note
from hub.access.oidc import OpenIdConnect, ProviderRefused, ProviderUnreachable, Vouched
from hub.access.remote import remote_of
from hub.access.security import same_text
from hub.http.keys import USER
from hub.log import get_logger
from hub.settings.model import OidcLink
from hub.web.entering.logging_in import LoggingIn
from hub.web.entering.ways import entered
from hub.web.pages import Answer, Pages, local_path, session_of
from hub.web.tongues import _

log = get_logger(__name__)

_LONGEST = 2000


class Provider:
    """The way to the provider and back."""

    def __init__(self, pages: Pages, entering: LoggingIn, oidc: OpenIdConnect) -> None:
        self._pages = pages
        self._entering = entering
        self._oidc = oidc
        settings = pages.hub.settings.oidc
        self._by_email = settings is not None and settings.link is OidcLink.EMAIL
        self._name = settings.name if settings is not None else ""

    async def go(self, request: web.Request) -> Answer:
        """To the provider."""
        pages, back = self._pages, local_path(request.query.get("next"), "/")
        if USER in request:
            raise web.HTTPFound(back)
        try:
            begun = await self._oidc.begin()
        except (ProviderUnreachable, ProviderRefused) as err:
            return self._failed(request, err, back)
        abroad = pages.sessions.go(begun.state, begun.nonce, begun.verifier, back)
        pages.keep(request, replace(session_of(request), abroad=abroad, waiting=None))
        raise web.HTTPFound(begun.address)

    async def come_back(self, request: web.Request) -> Answer:
        """From the provider; what was given on the way there is good once."""
        pages, query, session = self._pages, request.query, session_of(request)
        abroad, state = session.abroad, query.get("state", "")
        if USER in request:
            raise web.HTTPFound("/")
        if abroad is None or not pages.sessions.current(abroad) or not same_text(state, abroad.state):
            log.warning("somebody came back from the provider who did not go there", place=remote_of(request))
            return self._shown(request, _("This login was begun elsewhere or took too long. Please try again."), 400)
        pages.keep(request, replace(session, abroad=None))
        code = query.get("code", "")
        if "error" in query or not code or len(code) > _LONGEST:
            log.warning("the provider let somebody go", error=query.get("error", "")[:100], place=remote_of(request))
            said = _("“{name}” did not confirm who you are.").format(name=self._name)
            return self._shown(request, said, 403, abroad.back)
        try:
            vouched = await self._oidc.finish(
                code, nonce=abroad.nonce, verifier=abroad.verifier, issuer=query.get("iss")
            )
        except (ProviderUnreachable, ProviderRefused) as err:
            return self._failed(request, err, abroad.back)
        user = await self._person(vouched, remote_of(request))
        kept = await pages.hub.store.read(lambda conn: credentials(conn, user.login)) if user is not None else None
        if kept is None:
            log.warning("the provider vouches for somebody who is not of the office", subject=vouched.subject)
            said = _("“{name}” knows you, the hub does not. Ask the administrator to add you with your mail address.")
            return self._shown(request, said.format(name=self._name), 403, abroad.back)
        raise await entered(pages, request, kept, abroad.back, "openid")

    async def _person(self, vouched: Vouched, remote: str) -> User | None:
        """Who of the office has the account; the first time by the address that the provider is sure of."""
        store = self._pages.hub.store
        user = await store.read(lambda conn: find_by_subject(conn, vouched.account))
        if user is not None or not self._by_email or vouched.email is None:
            return user
        try:
            email = address(vouched.email).value
        except InvalidIdentity:
            return None

        def link(desk: Desk) -> User | None:
            found = link_by_email(desk, vouched.account, email)
            if found is not None:
                note(desk, Noted.ACCOUNT, found, by=found.login, remote=remote, detail=vouched.account)
            return found

        return await store.run(link)

    # ------------------------------------------------------------ pages

    def _failed(self, request: web.Request, err: ProviderUnreachable | ProviderRefused, back: str) -> Answer:
        if isinstance(err, ProviderUnreachable):
            log.warning("the provider does not answer", error=str(err))
            said = _("“{name}” does not answer. Try again in a minute, or log in with your password.")
            return self._shown(request, said.format(name=self._name), 503, back)
        log.error("the provider is not believed", error=str(err))
        said = _("Logging in with “{name}” did not work. The hub's log tells the administrator why.")
        return self._shown(request, said.format(name=self._name), 403, back)

    def _shown(self, request: web.Request, problem: str, status: int, back: str = "/") -> Answer:
        return self._entering.shown(request, "", back, problem, status=status)
