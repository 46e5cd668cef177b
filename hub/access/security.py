"""Passwords and API tokens.

Passwords are hashed with Argon2id, in threads, a few at a time. Of a token only the SHA-256 digest is kept: it is
random enough to need no slow hash. How long whoever guesses has to wait says `hub.access.throttle`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

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
