"""What makes a mail the same mail, by whichever way and however often it comes.

Every server on the way puts lines of its own on top (`Received`, `Return-Path`, `Delivered-To`), and IMAP and SMTP may
end lines differently; what its sender wrote stays.
"""

from __future__ import annotations

import hashlib
import re

_SENDERS_OWN = frozenset(
    {b"from", b"sender", b"to", b"cc", b"subject", b"date", b"message-id", b"in-reply-to", b"references"}
)
_FOLD = re.compile(rb"\n[ \t]")
_SPACE = re.compile(rb"\s+")
_MOST_HEADER = 256 * 1024


def fingerprint(raw: bytes) -> str:
    """The SHA-256, in hex, of what the sender wrote: certain header lines and the body. Never raises."""
    text = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    header, _, body = text.partition(b"\n\n")
    digest = hashlib.sha256()
    for line in sorted(_SPACE.sub(b" ", each).strip() for each in _own_lines(header[:_MOST_HEADER])):
        digest.update(line + b"\n")
    digest.update(b"\n" + body.rstrip())
    return digest.hexdigest()


def _own_lines(header: bytes) -> list[bytes]:
    lines = _FOLD.sub(b" ", header).split(b"\n")
    return [line for line in lines if line.partition(b":")[0].strip().lower() in _SENDERS_OWN]
