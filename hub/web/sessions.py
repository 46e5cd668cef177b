"""Sessions in an encrypted cookie: who it is, a token against forged forms, a line to be shown once, and how far
somebody got who is still on the way in.

The cookie is kept by aiohttp-session, sealed with a key that all nodes derive from `secret_key`. Whoever is logged in
has a row as well (`crm_core.storage.sessions`), by the digest of the cookie's `key`: without the row the cookie opens
nothing, wherever it was copied to. A session ends where its person logs out or ends it from elsewhere, after a week
without a visit, with a changed password and with a disabled user; its stamp of the password is compared at every
request, so that nobody comes in by one that was changed while they did.

A cookie outlives its session for some weeks, as what remembers whose it was: forms of that time can be told from forged
ones (`hub.web.unsent`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp_session
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from aiohttp_session.cookie_storage import EncryptedCookieStorage
from cryptography.fernet import Fernet

from crm_core.model.user import User
from crm_core.ports import Clock
from crm_core.storage.sessions import LIFE, Place, Visit
from crm_core.storage.users import Credentials
from hub.access.remote import remote_of
from hub.access.security import same_text
from hub.settings import Secret

UNPROVEN = web.RequestKey("unproven", User)
"""Where it carries a person of whom a second factor is demanded, and who has none: only setting it up is open."""
VISIT = web.RequestKey("visit", Visit)
"""The session of a request that has not ended, with its row."""
COOKIE = "hub_session"

_REMEMBERED = timedelta(days=30)
_RENEWED_AFTER = timedelta(days=1)
_ON_THE_WAY = timedelta(minutes=10)
_LONGEST_COOKIE = 4000
_LONGEST_NOTICE = 300
_LONGEST_PATH = 500
_LONGEST_BROWSER = 300
_CONTEXT = b"hub session v2:"
_KEPT = web.RequestKey("kept_session", aiohttp_session.Session)
_SENT = web.RequestKey("session_is_sent", bool)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody whose password was right; the code of their second factor is still to come. `since` in seconds."""

    login: str
    stamp: str
    back: str
    since: int


@dataclass(frozen=True, slots=True)
class Abroad:
    """Somebody who went to the office's provider, and what has to come back with them."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    back: str
    since: int


@dataclass(frozen=True, slots=True)
class Before:
    """The session that a browser had before this one: whose it was, and the token of its forms."""

    login: str
    csrf: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """What the cookie holds. `login` is empty before the login, `key` is what its row is found by; `issued` in seconds
    since 1970, 0: not sent yet; `secret` is that of a second factor that is being set up, `unsent` the key of forms
    that came too late."""

    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    login: str = ""
    key: str = field(default="", repr=False)
    stamp: str = ""
    notice: str = ""
    issued: int = 0
    waiting: Waiting | None = None
    abroad: Abroad | None = None
    secret: str = field(default="", repr=False)
    before: Before | None = None
    unsent: str = field(default="", repr=False)

    def ended(self) -> Session:
        """What is left of a session that has ended: whose it was, and how far they are on the way in again."""
        before = Before(self.login, self.csrf) if self.login else self.before
        return replace(self, login="", key="", stamp="", secret="", issued=0, before=before)

    def follows(self) -> Session:
        """A fresh one in its place, with other tokens."""
        return Session(before=self.ended().before, unsent=self.unsent)


class Sessions:
    """Reads sessions from requests and sends them with the answers."""

    def __init__(self, key: Secret, clock: Clock, public_url: str | None) -> None:
        self._clock = clock
        # The cookie is kept to TLS where the hub is visited by its public address; beside it, plain HTTP works.
        found = urlsplit(public_url or "")
        tls_host = found.netloc if found.scheme == "https" else None
        self._storage = _Storage(_ClockedFernet(key, self._now), tls_host)

    @property
    def middleware(self) -> Middleware:
        """What sends a session that was kept with the answer, whatever that is; goes around all that use sessions.

        The library's own names its places in a request in a way that aiohttp warns of.
        """

        @web.middleware
        async def carried(request: web.Request, handler: Handler) -> web.StreamResponse:
            request[_KEPT] = await self._storage.load_session(request)
            try:
                response = await handler(request)
            except web.HTTPException as err:
                await self._send(request, err)
                raise
            await self._send(request, response)
            return response

        return carried

    def secure(self, request: web.Request) -> bool:
        """Whether cookies of the answer are kept to TLS."""
        return self._storage.secure(request)

    def read(self, request: web.Request) -> Session:
        """The session of a request; a fresh one where there is none or it can't be trusted."""
        kept = request[_KEPT]
        try:
            return _session(kept)
        except (KeyError, TypeError, ValueError):
            return Session()

    def keep(self, request: web.Request, session: Session) -> Session:
        """Send a session with the answer; the session as it is sent."""
        told = replace(session, notice=session.notice[:_LONGEST_NOTICE], issued=self._now())
        kept = request[_KEPT]
        kept.invalidate()
        kept.update({name: value for name, value in asdict(told).items() if value})
        request[_SENT] = True
        return told

    async def _send(self, request: web.Request, response: web.StreamResponse) -> None:
        """An answer without an end has gone out with what it had at its beginning.

        A form that comes without our cookie is no page's of ours, and from another site browsers send it so: answered
        with a session, it would take the place of the one that its person has.
        """
        strange = request.method == "POST" and COOKIE not in request.cookies
        if request.get(_SENT) and not response.prepared and not strange:
            await self._storage.save_session(request, response, request[_KEPT])

    def stale(self, session: Session) -> bool:
        """Whether it is time to prolong it."""
        return bool(session.login) and self._now() - session.issued > _RENEWED_AFTER.total_seconds()

    def over(self, session: Session) -> bool:
        """Whether it has ended of old age, as what was open all the time does not notice by itself."""
        return self._now() - session.issued > LIFE.total_seconds()

    def wait(self, login: str, stamp: str, back: str) -> Waiting:
        """Somebody's password was right just now."""
        return Waiting(login, stamp, back if len(back) <= _LONGEST_PATH else "/", self._now())

    def go(self, state: str, nonce: str, verifier: str, back: str) -> Abroad:
        """Somebody goes to the provider now."""
        return Abroad(state, nonce, verifier, back if len(back) <= _LONGEST_PATH else "/", self._now())

    def current(self, way: Waiting | Abroad) -> bool:
        """Whether whoever is on the way in is not late."""
        return self._now() - way.since <= _ON_THE_WAY.total_seconds()

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


class _ClockedFernet(Fernet):
    """Seals, and judges the age of a seal, by the hub's own clock."""

    def __init__(self, key: Secret, now: Callable[[], int]) -> None:
        super().__init__(base64.urlsafe_b64encode(hashlib.sha256(_CONTEXT + key.reveal().encode()).digest()))
        self._now = now

    def encrypt(self, data: bytes) -> bytes:
        """Sealed now."""
        return self.encrypt_at_time(data, self._now())

    def decrypt(self, token: bytes | str, ttl: int | None = None) -> bytes:
        """What was sealed at most `ttl` seconds ago; raises InvalidToken. What was sealed ahead of the clock was sealed
        before it was put back."""
        if ttl is None:
            return super().decrypt(token)
        return self.decrypt_at_time(token, ttl, max(self._now(), self.extract_timestamp(token)))


class _Storage(EncryptedCookieStorage):
    """The library's, for a cookie that is secure wherever it can be, and without noise about what strangers send."""

    def __init__(self, fernet: Fernet, tls_host: str | None) -> None:
        super().__init__(
            fernet,
            cookie_name=COOKIE,
            max_age=int(_REMEMBERED.total_seconds()),
            path="/",
            httponly=True,
            samesite="Lax",
            encoder=partial(json.dumps, ensure_ascii=False, separators=(",", ":")),
        )
        self._tls_host = tls_host

    def load_cookie(self, request: web.Request) -> str | None:
        """None for what can't be a session of ours."""
        sealed: str | None = super().load_cookie(request)
        return sealed if sealed and len(sealed) <= _LONGEST_COOKIE and sealed.isascii() else None

    async def save_session(
        self, request: web.Request, response: web.StreamResponse, session: aiohttp_session.Session
    ) -> None:
        """Secure where the hub is visited by its public address."""
        await super().save_session(request, response, session)
        if self.secure(request):
            response.cookies[COOKIE]["secure"] = True

    def secure(self, request: web.Request) -> bool:
        """Whether the hub is visited by its public address, and that by TLS."""
        return self._tls_host is not None and request.host == self._tls_host


def stamp_of(kept: Credentials) -> str:
    """What a session remembers of the password it was opened with, and of how often all sessions were ended."""
    return hashlib.sha256(f"{kept.password_hash or ''} {kept.epoch}".encode()).hexdigest()[:32]


def person_of(session: Session, kept: Credentials | None) -> Credentials | None:
    """The person of a session, if they may still come in; `kept` are the credentials of its login."""
    return kept if session.login and kept is not None and same_text(stamp_of(kept), session.stamp) else None


def new_key() -> str:
    """A key that finds a row and that nobody guesses."""
    return secrets.token_urlsafe(32)


def place_of(request: web.Request) -> Place:
    """Where a request comes from, as its person is shown it."""
    said = "".join(each for each in request.headers.get("User-Agent", "")[:_LONGEST_BROWSER] if each.isprintable())
    return Place(remote_of(request), said)


def _session(kept: Mapping[str, Any]) -> Session:
    """Raises KeyError, TypeError or ValueError where it is of another time."""
    if not kept:
        return Session()
    waiting, abroad, before = kept.get("waiting"), kept.get("abroad"), kept.get("before")
    return Session(
        csrf=str(kept["csrf"]),
        login=str(kept.get("login", "")),
        key=str(kept.get("key", "")),
        stamp=str(kept.get("stamp", "")),
        notice=str(kept.get("notice", "")),
        issued=int(kept["issued"]),
        waiting=Waiting(**waiting) if waiting else None,
        abroad=Abroad(**abroad) if abroad else None,
        secret=str(kept.get("secret", "")),
        before=Before(**before) if before else None,
        unsent=str(kept.get("unsent", "")),
    )
