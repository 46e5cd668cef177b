"""Who asks: the bearer of a token, or, for reading, the person of a page's session."""

from __future__ import annotations

from aiohttp import web

from crm_core.model.user import User
from crm_core.storage.users import find_by_token
from hub.bootstrap import Hub
from hub.http.problems import Problem
from hub.security import token_digest
from hub.web.sessions import USER

_SAFE = frozenset({"GET", "HEAD"})
_LONGEST_TOKEN = 512


async def authenticate(hub: Hub, request: web.Request) -> User:
    """The person who asks; a Problem 401 where there is none.

    A session opens only what changes nothing: another site's page could make a browser send it along.
    """
    header = request.headers.get("Authorization", "")
    if not header:
        user = request.get(USER)
        if isinstance(user, User) and user.active and request.method in _SAFE:
            return user
        raise _unknown("this needs «Authorization: Bearer TOKEN»; «hub token issue» makes a token")
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > _LONGEST_TOKEN:
        raise _unknown("the Authorization header is not «Bearer TOKEN»")
    digest = token_digest(token)
    found = await hub.store.read(lambda conn: find_by_token(conn, digest))
    if found is None:
        raise _unknown("the token is unknown, revoked, or of a disabled user")
    return found


def _unknown(detail: str) -> Problem:
    return Problem(401, detail, kind="unauthorized", headers={"WWW-Authenticate": 'Bearer realm="hub"'})
