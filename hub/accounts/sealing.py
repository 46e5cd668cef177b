"""Secrets of accounts in the record: sealed with the hub's own key, so that the record alone gives none away."""

from __future__ import annotations

import base64
from functools import cached_property

from cryptography.fernet import Fernet, InvalidToken

from hub.access.secret_key import key_for
from hub.settings import Settings

_PURPOSE = "secrets of channel accounts"


class UnsealableError(Exception):
    """A secret can't be read with this hub's key."""


class Seal:
    """Seals and opens. The key is read, or made, when it is first needed: OSError where it can't be."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def close(self, text: str) -> str:
        """What may be written down instead of a secret. Raises OSError."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """The secret again. Raises UnsealableError, OSError."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, UnicodeError) as err:
            raise UnsealableError from err

    @cached_property
    def _fernet(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(key_for(self._settings, _PURPOSE)))
