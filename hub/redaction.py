"""Keeping secrets, forged lines and oversized values out of the log: any value becomes data that is safe to write."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

HIDDEN = "***"
LONGEST_TEXT = 16_000
_MARGIN = 1000  # a secret that the cut would go through is still recognised
_LONGEST_LIST = 100
_DEEPEST = 6
_SHORTEST_SECRET = 6  # a shorter one would blank out ordinary words

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(/bot)[^/\s\"']+"), rf"\1{HIDDEN}"),
    (re.compile(r"\b(\d{5,14}):[A-Za-z0-9_-]{20,}"), rf"\1:{HIDDEN}"),
    (re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@\"']*):[^\s/\"']*@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"(?i)\b(bearer\s+)[^\s\"',;]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(authorization[\"']?\s*[:=]\s*[\"']?\w+\s+)[^\s\"',;]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)((?:token|secret|password|passwd|api_?key|[?&]key)=)[^\s&\"',;)]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)([\"'](?:[\w-]*(?:token|secret|password)|key)[\"']\s*:\s*[\"'])[^\"']*"), rf"\1{HIDDEN}"),
    (re.compile(r"(?im)^(secret: ).*$"), rf"\1{HIDDEN}"),
    (re.compile(r"(/api/v1/cti/)[^/\s?\"']+"), rf"\1{HIDDEN}"),
)
_SUSPICIOUS = re.compile(r"[:/=]|(?i:bearer)")  # none of the patterns matches without one of these
_SECRET_NAME = re.compile(r"(?i)token|secret|passw|authorization|cookie|api_?key")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class Redactor:
    """Makes values safe to write. `secrets` are blanked wherever they stand, plain or percent-encoded."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset(secrets)
        known = {
            form
            for secret in self._secrets
            for form in (secret, quote(secret, safe=""))
            if len(form) >= _SHORTEST_SECRET
        }
        longest_first = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def knowing(self, secrets: Iterable[str]) -> Redactor:
        """One that blanks these secrets too."""
        return Redactor(self._secrets.union(secrets))

    def text(self, value: str) -> str:
        """The text without secrets, cut where it is very long, writable as UTF-8."""
        length = len(value)
        value = value[: LONGEST_TEXT + _MARGIN]
        if self._known is not None:
            value = self._known.sub(HIDDEN, value)
        if _SUSPICIOUS.search(value):
            for pattern, replacement in _PATTERNS:
                value = pattern.sub(replacement, value)
        if length > LONGEST_TEXT:
            value = f"{value[:LONGEST_TEXT]}… ({length} characters)"
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")

    def value(self, value: object, depth: int = 0) -> object:
        """Any value as plain JSON-able data; an object that can't be shown is named by its type. Never raises."""
        match value:
            case None | bool() | int():
                return value
            case float():
                return value if math.isfinite(value) else str(value)
            case str():
                return self.text(value)
            case bytes() | bytearray():
                return self.text(bytes(value[: LONGEST_TEXT + _MARGIN]).decode("utf-8", "backslashreplace"))
            case Mapping() if depth < _DEEPEST:
                pairs = list(value.items())[:_LONGEST_LIST]
                return {self._shown(key): self.named(self._shown(key), each, depth + 1) for key, each in pairs}
            case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
                return [self.value(each, depth + 1) for each in list(value)[:_LONGEST_LIST]]
            case _:
                return self._shown(value)

    def named(self, name: str, value: object, depth: int = 0) -> object:
        """A value under a name; hidden whole where the name says that it is a secret."""
        if _SECRET_NAME.search(name) and not isinstance(value, bool | int | None):
            return HIDDEN
        return self.value(value, depth)

    def _shown(self, value: object) -> str:
        if isinstance(value, list | tuple | set | frozenset | Mapping):
            return "…"
        try:
            return self.text(str(value))
        except Exception as err:  # noqa: BLE001 - a foreign __str__ may raise anything, and a log line must not
            return f"<{type(value).__name__} that can't be shown: {type(err).__name__}>"


def one_line(text: str) -> str:
    """The text with line breaks and other control characters written out, so that it can't forge a line of the log."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
