"""Ids of mails: those of others made safe to keep and to send, our own made from the message's idempotency key.

Our own id holds the key itself and a signature, so that an answer or a bounce names its message even before the hub has
noted what the mail server said, and nobody can name one that they have never received.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from channels.email.config import EmailConfig
from crm_core.messages import OutboundMessage

MAX_ANSWERS = 50
_ID = re.compile(r"<[^<>\s]{1,240}>")
_BARE = re.compile(r"[^<>\s]{1,240}\Z")
_OURS = "hub."
_KEYED = re.compile(r"<hub\.([a-z2-7]{2,180})\.([a-z2-7]{16})@([^<>@\s]{1,190})>\Z")
_LONGEST_KEY = 64  # bytes; of a longer one the id holds the digest alone
_MAC_BYTES = 10
_MAX_HEADER = 20_000


def message_id(text: str) -> str:
    """The id in a header, in angle brackets; empty where there is none that could be sent back."""
    found = _ID.search(text[:2000])
    if found:
        return found[0]
    bare = text.strip()
    return f"<{bare}>" if _BARE.match(bare) else ""


def message_ids(text: str) -> tuple[str, ...]:
    """All ids in a header like References, in its order, without repeats."""
    return tuple(dict.fromkeys(_ID.findall(text[:_MAX_HEADER])))


def answered(config: EmailConfig, in_reply_to: str, references: str) -> tuple[str, ...]:
    """What a mail refers to, the nearest first, at most 50: each id, and before one of ours its `own_key`."""
    found: list[str] = []
    direct = message_ids(in_reply_to)
    for each in (*direct, *reversed(message_ids(references))):
        found.extend(named(config, each))
    return tuple(dict.fromkeys(found))[:MAX_ANSWERS]


def named(config: EmailConfig, identifier: str) -> tuple[str, ...]:
    """All names of the mail with this id: the `own_key` of one of ours, and the id itself."""
    key = own_key(config, identifier)
    return (identifier,) if key is None else (key, identifier)


def own_id(config: EmailConfig, message: OutboundMessage) -> str:
    """The id of a mail that we send, the same on every try."""
    key = message.idempotency_key.encode("utf-8", "replace")
    if len(key) > _LONGEST_KEY:
        digest = hmac.digest(config.token_key, f"{message.key}\n".encode() + key, hashlib.sha256).hex()
        return f"<{_OURS}{digest[:40]}@{config.domain}>"
    return f"<{_OURS}{_base32(key)}.{_signature(config, key)}@{config.domain}>"


def own_key(config: EmailConfig, identifier: str) -> str | None:
    """The idempotency key (`message:17`) of the message that we sent under this id; None where it is none of ours."""
    found = _KEYED.match(identifier)
    if found is None or found[3].lower() != config.domain:
        return None
    try:
        key = base64.b32decode(found[1].upper() + "=" * (-len(found[1]) % 8))
        text = key.decode("utf-8")
    except ValueError:
        return None
    return text if hmac.compare_digest(found[2], _signature(config, key)) else None


def is_own(config: EmailConfig, identifier: str) -> bool:
    """Whether this is the form of our ids. It proves nothing: see `own_key`."""
    return identifier.startswith(f"<{_OURS}") and identifier.endswith(f"@{config.domain}>")


def _signature(config: EmailConfig, key: bytes) -> str:
    said = f"message\n{config.key}\n".encode() + key
    return _base32(hmac.digest(config.token_key, said, hashlib.sha256)[:_MAC_BYTES])


def _base32(content: bytes) -> str:
    return base64.b32encode(content).decode("ascii").rstrip("=").lower()
