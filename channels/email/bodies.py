"""The content of a part of a mail: its bytes whatever the encoding, its words whatever the charset."""

from __future__ import annotations

import base64
import binascii
import quopri
import re

from channels.email.charsets import decoded
from channels.email.structure import Part

_MAX_TEXT = 2_000_000  # bytes; the raw mail has the rest
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_META = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([A-Za-z0-9_-]{2,40})", re.IGNORECASE)
_META_WITHIN = 4096


def content(part: Part) -> bytes:
    """The bytes that a part carries. A broken encoding gives what can be read of it."""
    if part.is_multipart():
        return b""
    encoding = _encoding(part)
    if encoding in {"x-uuencode", "uuencode", "uue", "x-uue"}:
        decoded_content = part.get_payload(decode=True)
        return decoded_content if isinstance(decoded_content, bytes) else b""
    raw = part.carried()
    match encoding:
        case "base64":
            return _from_base64(raw)
        case "quoted-printable":
            return quopri.decodestring(raw)
        case _:
            return raw


def words(part: Part, kind: str) -> str:
    """The text of a part of the type `text/plain` or `text/html`."""
    carried = content(part)[:_MAX_TEXT]
    charset = part.get_content_charset()
    if kind == "text/html" and charset is None:
        found = _META.search(carried[:_META_WITHIN])
        charset = found[1].decode("ascii") if found is not None else None
    text = decoded(carried, charset).replace("\r\n", "\n").replace("\r", "\n")
    if kind == "text/plain" and _parameter(part, "format") == "flowed":
        return unflowed(text, joined=_parameter(part, "delsp") == "yes")
    return text


def unflowed(text: str, *, joined: bool = False) -> str:
    """Text of RFC 3676 with its paragraphs on one line each; `joined`: the blank at a soft break goes."""
    lines: list[str] = []
    paragraph: list[str] = []
    depth = 0
    for line in text.split("\n"):
        bare = line.lstrip(">")
        level = len(line) - len(bare)
        bare = bare.removeprefix(" ")
        if paragraph and level != depth:
            lines.append(_quoted(depth, "".join(paragraph)))
            paragraph = []
        depth = level
        if bare.endswith(" ") and bare != "-- ":
            paragraph.append(bare[:-1] if joined else bare)
            continue
        lines.append(_quoted(depth, "".join((*paragraph, bare))))
        paragraph = []
    if paragraph:
        lines.append(_quoted(depth, "".join(paragraph)))
    return "\n".join(lines)


def _quoted(depth: int, line: str) -> str:
    return f"{'>' * depth} {line}".rstrip() if depth else line


def _encoding(part: Part) -> str:
    stated = str(part.get("content-transfer-encoding", "")).lower().partition(";")[0]
    return re.sub(r"[^a-z0-9-]", "", stated.replace("_", "-"))


def _parameter(part: Part, name: str) -> str:
    value = part.get_param(name)
    return value.strip().lower() if isinstance(value, str) else ""


def _from_base64(raw: bytes) -> bytes:
    """What can be read: strange characters are passed over, padding in the middle begins anew, a torn end is cut."""
    whole = b"".join(raw.split())
    try:
        return base64.b64decode(whole, validate=True)
    except binascii.Error:
        pass  # broken; read piece by piece
    found: list[bytes] = []
    for piece in whole.split(b"="):
        letters = _NOT_BASE64.sub(b"", piece)
        usable = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
        found.append(base64.b64decode(usable + b"=" * (-len(usable) % 4)))
    return b"".join(found)
