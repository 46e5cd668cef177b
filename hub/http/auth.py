"""Who asks: the bearer of a token, or, for reading, the person of a page's session."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from crm_core.model.access import Access
from crm_core.model.scopes import Scope
from crm_core.model.user import User
from crm_core.storage.queries.pages import Reading
from crm_core.storage.tokens import Token, find_bearer
from crm_core.wording import Sentence
from hub.access.security import token_digest
from hub.bootstrap import Hub
from hub.http.keys import USER
from hub.http.problems import Problem

_SAFE = frozenset({"GET", "HEAD"})
_LONGEST_TOKEN = 512


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, with what they may, and with which token; None: by the session of a page."""

    access: Access
    token: Token | None = None

    def demand_scope(self, area: str, *, writes: bool) -> None:
        """Raise a Problem 403 where the token does not open this area of the API."""
        if self.token is None or self.token.scopes.allow(area, writes=writes):
            return
        wanted = Scope(area, writes)
        challenge = f'Bearer realm="hub", error="insufficient_scope", scope="{wanted}"'
        raise Problem(
            403,
            Sentence("the token does not open this: it needs the scope {scope}", scope=str(wanted)),
            kind="forbidden",
            headers={"WWW-Authenticate": challenge},
        )


async def authenticate(hub: Hub, request: web.Request) -> Caller:
    """Who asks; a Problem 401 where there is none.

    A session opens only what changes nothing: another site's page could make a browser send it along.
    """
    header = request.headers.get("Authorization", "")
    if not header:
        user = request.get(USER)
        if isinstance(user, User) and user.active and request.method in _SAFE:
            return Caller(await hub.store.read(lambda conn: hub.store.access(conn, user)))
        raise _unknown(Sentence("this needs «Authorization: Bearer TOKEN»; «hub token issue» makes a token"))
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > _LONGEST_TOKEN:
        raise _unknown(Sentence("the Authorization header is not «Bearer TOKEN»"))
    digest, now = token_digest(token), hub.clock.now()

    def bearer(conn: Reading) -> Caller | None:
        held = find_bearer(conn, digest, now)
        return Caller(hub.store.access(conn, held.user), held.token) if held is not None else None

    found = await hub.store.read(bearer)
    if found is None or found.token is None:
        raise _unknown(Sentence("the token is unknown, revoked, expired, or of a disabled user"))
    hub.token_uses.note(found.token)
    return found


def _unknown(detail: str) -> Problem:
    return Problem(401, detail, kind="unauthorized", headers={"WWW-Authenticate": 'Bearer realm="hub"'})
