"""Pages go out packed: a browser gets a tenth of the bytes.

What is packed together with what a stranger may put into a page tells of itself by its length. So the one secret in a
page, the token of its forms, is written differently each time: `veiled`; `unveiled` reads it.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import itertools
import secrets
from typing import Final

from aiohttp import hdrs, web

_LEAST = 1000
_LEVEL: Final = 4
"""Half the time of the usual level for a twentieth more bytes."""
_KEY: Final = secrets.token_bytes(32)
_numbers = itertools.count()


def pack(request: web.Request, answer: web.StreamResponse) -> None:
    """Pack a page for a browser that takes it so; anything else stays as it is."""
    if not isinstance(answer, web.Response) or answer.prepared or answer.content_type != "text/html":
        return
    body = answer.body
    if not isinstance(body, bytes) or len(body) < _LEAST or hdrs.CONTENT_ENCODING in answer.headers:
        return
    answer.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
    if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        answer.body = gzip.compress(body, _LEVEL, mtime=0)
        answer.headers[hdrs.CONTENT_ENCODING] = "gzip"


def veiled(token: str) -> str:
    """A token as it stands in a page; never twice the same."""
    plain = token.encode()
    veil = hashlib.blake2b(next(_numbers).to_bytes(8, "big"), key=_KEY, digest_size=len(plain)).digest()
    return base64.urlsafe_b64encode(veil + _mixed(veil, plain)).decode()


def unveiled(given: str) -> str:
    """The token that a page brought back; empty for what is none."""
    try:
        both = base64.urlsafe_b64decode(given.encode())
        half = len(both) // 2
        return _mixed(both[:half], both[half:]).decode()
    except (binascii.Error, ValueError):
        return ""


def _mixed(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
