"""Ids of mails: those of others made safe to keep and to send, our own made from the message's idempotency key."""

from __future__ import annotations

import hashlib
import re

from crm_core.messages import OutboundMessage

_ID = re.compile(r"<[^<>\s]{1,240}>")
_BARE = re.compile(r"[^<>\s]{1,240}\Z")
_OURS = "hub."


def message_id(text: str) -> str:
    """The id in a header, in angle brackets; empty where there is none that could be sent back."""
    found = _ID.search(text[:2000])
    if found:
        return found[0]
    bare = text.strip()
    return f"<{bare}>" if _BARE.match(bare) else ""


def own_id(message: OutboundMessage, domain: str) -> str:
    """The id of a mail that we send, the same on every try."""
    digest = hashlib.sha256(f"{message.key}\n{message.idempotency_key}".encode()).hexdigest()
    return f"<{_OURS}{digest[:40]}@{domain}>"


def is_own(text: str, domain: str) -> bool:
    """Whether we sent the mail with this id."""
    return text.startswith(f"<{_OURS}") and text.endswith(f"@{domain}>")
