"""The address by which a client leaves mailings: the number of their contact, sealed: nobody leaves for others."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from crm_core.model.office import Office
from hub.access.secret_key import key_for
from hub.settings.model import Settings

_TOKEN = re.compile(r"([0-9]{1,19})\.([A-Za-z0-9_-]{22})\Z")
_SEAL_BYTES = 16
_PATH = "/u/"


class LeaveLinks:
    """Makes and reads such addresses; the key is asked for when it is first needed."""

    def __init__(self, public_url: str, key: Callable[[], bytes]) -> None:
        self._base = public_url.rstrip("/")
        self._ask = key
        self._known: bytes | None = None

    def link(self, contact_id: int) -> str:
        """The address for a contact. Raises OSError where the key can't be kept."""
        return f"{self._base}{_PATH}{contact_id}.{self._seal(contact_id)}"

    def contact_of(self, token: str) -> int | None:
        """Whose token it is; None for one that we never gave."""
        found = _TOKEN.match(token)
        if found is None:
            return None
        contact_id = int(found[1])
        return contact_id if hmac.compare_digest(found[2], self._seal(contact_id)) else None

    def _seal(self, contact_id: int) -> str:
        if self._known is None:
            self._known = self._ask()
        seal = hmac.new(self._known, str(contact_id).encode(), sha256).digest()[:_SEAL_BYTES]
        return base64.urlsafe_b64encode(seal).decode().rstrip("=")


def leave_links(settings: Settings) -> LeaveLinks:
    """Those of this office; no I/O yet."""
    return LeaveLinks(settings.base_url, lambda: key_for(settings, "leaving mailings"))


def with_links(office: Office, settings: Settings) -> Office:
    """The office, able to make them."""
    return replace(office, leave_link=leave_links(settings).link)
