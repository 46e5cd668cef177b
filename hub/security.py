"""Passwords, API tokens, and patience with whoever guesses them.

Passwords are hashed with Argon2id, in threads, a few at a time. Of a token only the SHA-256 digest is kept: it is
random enough to need no slow hash. Whoever fails to log in too often waits.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import deque
from dataclasses import dataclass
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crm_core.ports import Clock

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024
_TOKEN_PREFIX = "hub_"  # noqa: S105 - so that a token found somewhere tells what it opens
_TOKEN_BYTES = 32
_AT_ONCE = 2  # each hashing takes 64 MB


def new_token() -> str:
    """A fresh API token."""
    return _TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def token_digest(token: str) -> str:
    """What is kept of a token, 64 hexadecimal digits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def same_text(given: str, wanted: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode("utf-8", "surrogatepass"))


class Passwords:
    """Hashes and checks passwords without blocking the event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to be kept."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, kept: str | None) -> bool:
        """Whether the password is the one kept; takes the same time where there is nobody to compare with."""
        async with self._turns:
            return await asyncio.to_thread(self._matches, password, kept)

    def _matches(self, password: str, kept: str | None) -> bool:
        if len(password) > LONGEST_PASSWORD:
            return False
        if kept is None:
            self._nobodys = self._nobodys or self._hasher.hash(secrets.token_urlsafe(_TOKEN_BYTES))
        try:
            self._hasher.verify(kept or self._nobodys or "", password)
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failed attempts are borne within a window."""

    per_person: int = 5
    per_place: int = 50
    window: timedelta = timedelta(minutes=15)


class LoginThrottle:
    """Counts failed logins, by (login, place) and by place; a place is an address. Lives in this process."""

    def __init__(self, clock: Clock, patience: Patience | None = None) -> None:
        self._clock = clock
        self._patience = patience or Patience()
        self._failures: dict[tuple[str, str], deque[float]] = {}

    def wait_s(self, login: str, place: str) -> float:
        """Seconds until another attempt is allowed; 0 where it is now."""
        now = self._clock.monotonic()
        limits = (((login, place), self._patience.per_person), (("", place), self._patience.per_place))
        return max(self._wait(key, most, now) for key, most in limits)

    def failed(self, login: str, place: str) -> None:
        """Note an attempt; one that turns out well is taken back by `succeeded`."""
        now = self._clock.monotonic()
        self._forget(now)
        for key in ((login, place), ("", place)):
            self._failures.setdefault(key, deque(maxlen=self._patience.per_place)).append(now)

    def succeeded(self, login: str, place: str) -> None:
        """Somebody got in: their own failures are forgotten, the place's others are not."""
        self._failures.pop((login, place), None)
        others = self._failures.get(("", place))
        if others:
            others.pop()

    def _wait(self, key: tuple[str, str], most: int, now: float) -> float:
        window = self._patience.window.total_seconds()
        recent = [at for at in self._failures.get(key, ()) if now - at < window]
        return recent[-most] + window - now if len(recent) >= most else 0.0

    def _forget(self, now: float) -> None:
        window = self._patience.window.total_seconds()
        for key in [key for key, times in self._failures.items() if not times or now - times[-1] >= window]:
            del self._failures[key]
