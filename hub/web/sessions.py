"""Sessions in an encrypted cookie: who it is, a token against forged forms, a line to be shown once.

A session ends after a week, with a changed password and with a disabled user: it holds a stamp of the password's hash,
which is compared at every request.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlsplit

from aiohttp import web
from cryptography.fernet import Fernet, InvalidToken

from crm_core.model.user import User
from crm_core.ports import Clock
from crm_core.storage.users import Credentials
from hub.security import same_text
from hub.settings import Secret

USER = web.RequestKey("user", User)
"""Where a request carries the person of its session; the API lets that person read."""
COOKIE = "hub_session"

_LIFE = timedelta(days=7)
_RENEWED_AFTER = timedelta(days=1)
_LONGEST_COOKIE = 4000
_LONGEST_NOTICE = 300
_CONTEXT = b"hub session v1:"


@dataclass(frozen=True, slots=True)
class Session:
    """What the cookie holds. `login` is empty before the login; `issued` in seconds since 1970."""

    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    login: str = ""
    stamp: str = ""
    notice: str = ""
    issued: int = 0


class Sessions:
    """Reads sessions from requests and writes them to answers."""

    def __init__(self, key: Secret, clock: Clock, public_url: str | None) -> None:
        digest = hashlib.sha256(_CONTEXT + key.reveal().encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        self._clock = clock
        # The cookie is kept to TLS where the hub is visited by its public address; beside it, plain HTTP works.
        found = urlsplit(public_url or "")
        self._tls_host = found.netloc if found.scheme == "https" else None

    def read(self, request: web.Request) -> Session:
        """The session of a request; a fresh one where there is none or it can't be trusted."""
        sealed = request.cookies.get(COOKIE, "")
        if not sealed or len(sealed) > _LONGEST_COOKIE:
            return Session()
        try:
            plain = self._fernet.decrypt_at_time(sealed, int(_LIFE.total_seconds()), self._now())
            told = json.loads(plain)
            return Session(told["csrf"], told["login"], told["stamp"], told["notice"], told["issued"])
        except (InvalidToken, ValueError, KeyError, TypeError):
            return Session()

    def write(self, request: web.Request, response: web.StreamResponse, session: Session) -> None:
        """Send a session to the browser."""
        told = replace(session, notice=session.notice[:_LONGEST_NOTICE], issued=self._now())
        plain = json.dumps(
            {name: getattr(told, name) for name in ("csrf", "login", "stamp", "notice", "issued")}
        ).encode()
        response.set_cookie(
            COOKIE,
            self._fernet.encrypt_at_time(plain, self._now()).decode(),
            max_age=int(_LIFE.total_seconds()),
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self._tls_host is not None and request.host == self._tls_host,
        )

    def stale(self, session: Session) -> bool:
        """Whether it is time to prolong it."""
        return bool(session.login) and self._now() - session.issued > _RENEWED_AFTER.total_seconds()

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def stamp_of(password_hash: str) -> str:
    """What a session remembers of the password it was opened with."""
    return hashlib.sha256(password_hash.encode()).hexdigest()[:32]


async def user_of(session: Session, find: Callable[[str], Awaitable[Credentials | None]]) -> User | None:
    """The person of a session, if they may still come in; `find` gets their credentials."""
    if not session.login:
        return None
    kept = await find(session.login)
    if kept is None or kept.password_hash is None:
        return None
    return kept.user if same_text(stamp_of(kept.password_hash), session.stamp) else None
