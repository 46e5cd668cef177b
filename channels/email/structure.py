"""A mail taken apart into its parts, at a bounded cost: what would take minutes is read as far as the time allows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email._policybase import Compat32
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from typing import Any

from channels.email.charsets import unescaped

_MAX_PARTS = 2_000
_MAX_HEADERS = 2_000
_MAX_HEADER = 8_000  # the standard library's reading of parameters costs the square of their length
_MAX_HEAD = 1_000_000
# The standard library tests every line against the end of each part that it stands in.
_BUDGET = 16_000_000
_BASE_COST = 8
_USUAL_DEPTH = 10
_HARM = 4
_BOUNDARIES = re.compile(rb"boundary=|\n--[^\r\n]{1,200}--[ \t]*\r?(?=\n|\Z)", re.IGNORECASE)
_LEAF = "x-message/"


class _Lenient(Compat32):
    """Headers as plain text whatever bytes they hold; nothing is interpreted before it is asked for."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002 - the base names it
        return unescaped(value[:_MAX_HEADER])


class Part(Message):
    """A part of a mail. A mail within the mail stays text, byte for byte: it is not gone into."""

    def get_content_type(self) -> str:
        kind = super().get_content_type()
        return _LEAF + kind.removeprefix("message/") if kind.startswith("message/") else kind

    def get_param(self, param: str, failobj: Any = None, header: str = "content-type", unquote: bool = True) -> Any:
        """A parameter of a header; `failobj` too where the library stumbles over the header."""
        try:
            return super().get_param(param, failobj, header, unquote)
        except (TypeError, ValueError, LookupError):
            return failobj

    @property
    def kind(self) -> str:
        """The media type, in small letters."""
        return self.get_content_type().replace(_LEAF, "message/", 1)

    def carried(self) -> bytes:
        """The content as it came, not decoded; empty where it is made of parts."""
        # What `get_payload` gives is decoded by the declared charset already.
        payload = vars(self).get("_payload")
        return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part that holds something; `choice` is the same for parts of which one is to be shown."""

    part: Part
    choice: int
    related: bool = False


def taken_apart(raw: bytes) -> Part:
    """The mail with its parts; one that can't be taken apart is its headers and one text."""
    try:
        mail = _part(BytesParser(Part, policy=_Lenient()), _affordable(raw))
        if len(mail) <= _MAX_HEADERS:
            return mail
    except (RecursionError, ValueError, LookupError, TypeError, AssertionError):
        pass  # nested beyond reason, or a fault of the library's: below is what can be read in any case
    return headers_of(raw, body=True)


def headers_of(raw: bytes, *, body: bool = False) -> Part:
    """The headers alone, the first two thousand; with `body` what follows them, as text."""
    head, rest = _halves(raw)
    lines = head[:_MAX_HEAD].split(b"\n")
    begun = b"\n".join(lines[:_MAX_HEADERS])
    mail = _part(BytesHeaderParser(Part, policy=_Lenient()), begun + b"\n\n")
    if body:
        for name in ("content-type", "content-transfer-encoding", "content-disposition"):
            del mail[name]
        mail.set_payload(rest[:_MAX_HEAD].decode("ascii", "surrogateescape"))
    return mail


def _part(parser: BytesParser[Message], raw: bytes) -> Part:
    found = parser.parsebytes(raw)
    if not isinstance(found, Part):  # its type does not tell
        raise TypeError("the parser made no part")
    return found


def leaves(mail: Part) -> Iterator[Leaf]:
    """The parts that hold something, in reading order; of thousands the first two thousand."""
    waiting: list[tuple[Part, int, bool]] = [(mail, 0, False)]
    seen = 0
    while waiting and seen < _MAX_PARTS:
        part, choice, related = waiting.pop()
        seen += 1
        # Asked for its payload, a part that is text would be decoded by its charset, which may be anything.
        children = part.get_payload() if part.is_multipart() else None
        if part.get_content_maintype() != "multipart" or not isinstance(children, list):
            yield Leaf(part, choice or -seen, related)
            continue
        kind = part.kind
        inner = seen if kind == "multipart/alternative" and not choice else choice
        within = related or kind == "multipart/related"
        waiting.extend((child, inner, within) for child in reversed(children) if isinstance(child, Part))


def _affordable(raw: bytes) -> bytes:
    """The mail, or as much of its beginning as can be taken apart in a few seconds."""
    lines = max(raw.count(b"\n"), raw.count(b"\r"))
    if lines * _BASE_COST < _BUDGET // 100:
        return raw
    depth = deepest = 0
    for found in _BOUNDARIES.finditer(raw):
        depth = max(0, depth - 1) if found[0].startswith(b"\n") else depth + 1
        deepest = max(deepest, depth)
    # Nobody nests a mail that deep but to do harm.
    cost = lines * (_BASE_COST + deepest + _HARM * max(0, deepest - _USUAL_DEPTH))
    return raw if cost <= _BUDGET else raw[: len(raw) * _BUDGET // cost]


def _halves(raw: bytes) -> tuple[bytes, bytes]:
    """The headers and what follows the first empty line."""
    found = re.search(rb"\r?\n\r?\n|\r\r", raw)
    return (raw, b"") if found is None else (raw[: found.start()], raw[found.end() :])
