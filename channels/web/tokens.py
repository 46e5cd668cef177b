"""Who a visitor of a site is: an id that nobody can guess, and the hub's own seal on it.

The id stands in the record, where the whole office sees it, and opens nothing; the token holds the seal as well and
opens the one conversation of the one site. Links to files carry a seal of their own, and an end.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass

_ID_BYTES = 16
_SEAL_BYTES = 24
_LONGEST_TOKEN = 200
_ID = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """A file that a link gives: its hash in the file store, and as what it is handed out."""

    sha256: str
    name: str
    content_type: str


class Seals:
    """The seals of one account. `secret` is the hub's key for this purpose; another account's seals are void here."""

    def __init__(self, secret: bytes, account: str) -> None:
        self._key = hmac.new(secret, f"web:{account}".encode(), hashlib.sha256).digest()

    def new_visitor(self) -> str:
        """The token of somebody who was never here."""
        return self.token(secrets.token_hex(_ID_BYTES))

    def token(self, visitor: str) -> str:
        """The token of a visitor's id."""
        return f"{visitor}.{self._seal('visitor', visitor)}"

    def visitor(self, token: str) -> str | None:
        """The id that a token proves, None where it proves nothing."""
        visitor, _, seal = token[:_LONGEST_TOKEN].partition(".")
        if not _ID.match(visitor) or not self._fits(seal, "visitor", visitor):
            return None
        return visitor

    def link(self, file: LinkedFile, until: int) -> str:
        """The query of a link to a file that works until a moment (seconds since 1970)."""
        named = json.dumps([file.sha256, file.name, file.content_type, until], ensure_ascii=False)
        packed = base64.urlsafe_b64encode(named.encode("utf-8", "replace")).decode().rstrip("=")
        return f"f={packed}&s={self._seal('file', packed)}"

    def linked(self, packed: str, seal: str, now: int) -> LinkedFile | None:
        """What a link gives, None where it was not made here or its time is over."""
        if not self._fits(seal, "file", packed):
            return None
        try:
            sha256, name, content_type, until = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
        except (ValueError, binascii.Error):
            return None  # sealed, and yet unreadable: made by another version
        return LinkedFile(str(sha256), str(name), str(content_type)) if now <= int(until) else None

    def _seal(self, purpose: str, text: str) -> str:
        digest = hmac.new(self._key, f"{purpose}:{text}".encode("utf-8", "backslashreplace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:_SEAL_BYTES]).decode()

    def _fits(self, seal: str, purpose: str, text: str) -> bool:
        given = seal.encode("utf-8", "backslashreplace")
        return hmac.compare_digest(given, self._seal(purpose, text).encode())


def is_visitor(text: str) -> bool:
    """Whether a conversation is a visitor's, and not a form's."""
    return _ID.match(text) is not None
