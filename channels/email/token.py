"""Our reply address: the mailbox's own with a signed mark of the thread, `sales+t4q-…@example.org`.

An answer finds its thread by it even where the mail program drops `References`. Nobody but the hub can make one, so
that nobody writes themselves into somebody else's thread.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from channels.email.config import EmailConfig

_MARK = re.compile(r"(.+)\+t([a-z2-7]{1,13})-([a-z2-7]{16})\Z")
_MAC_BYTES = 10
_MAX_LOCAL = 64  # octets, RFC 5321
_MOST = 2**63


def reply_address(config: EmailConfig, thread_id: int) -> str:
    """Where answers of this thread are asked to go: `local+t{thread}-{signature}@domain`.

    The mailbox's plain address where the account has no key, or its address has no room for the mark.
    """
    local, _, domain = config.mailbox.rpartition("@")
    marked = f"{local}+t{_base32(_bytes(thread_id))}-{_signature(config, thread_id)}"
    if not config.token_key or not 0 <= thread_id < _MOST or len(marked.encode()) > _MAX_LOCAL:
        return config.mailbox
    return f"{marked}@{domain}"


def thread_of(config: EmailConfig, address: str) -> int | None:
    """The thread that an address of ours names; None where it is no such address, or its signature is not ours."""
    local, at, domain = address.strip().lower().rpartition("@")
    found = _MARK.match(local[:200])
    if not config.token_key or not at or found is None or f"{found[1]}@{domain}" != config.mailbox:
        return None
    try:
        content = base64.b32decode(found[2].upper() + "=" * (-len(found[2]) % 8))
    except ValueError:
        return None
    thread_id = int.from_bytes(content, "big")
    if thread_id >= _MOST or not hmac.compare_digest(found[3], _signature(config, thread_id)):
        return None
    return thread_id


def plain_address(address: str) -> str:
    """An address without the mark of a thread, in lower case: whose mailbox it is. Any other one as it is."""
    whole = address.strip().lower()
    local, at, domain = whole.rpartition("@")
    found = _MARK.match(local[:200])
    return f"{found[1]}@{domain}" if at and found is not None else whole


def _bytes(number: int) -> bytes:
    return number.to_bytes(max(1, (max(number, 0).bit_length() + 7) // 8), "big") if number >= 0 else b""


def _signature(config: EmailConfig, thread_id: int) -> str:
    said = f"thread\n{config.key}\n{config.mailbox}\n{thread_id}".encode()
    return _base32(hmac.digest(config.token_key, said, hashlib.sha256)[:_MAC_BYTES])


def _base32(content: bytes) -> str:
    return base64.b32encode(content).decode("ascii").rstrip("=").lower()
