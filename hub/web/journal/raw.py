"""What arrived, so that it can be looked at safely: as text only, cut where it is long, secrets of logins blackened."""

from __future__ import annotations

import re
from contextlib import suppress

import orjson

_MOST = 200_000
_BYTES_A_LINE = 16
_MOST_DUMPED = 4096
_UNSHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_TEXT = ("text/", "message/", "application/json", "application/x-www-form-urlencoded", "multipart/")
_HEADERS = re.compile(r"(?im)^((?:proxy-)?authorization|cookie|x-[a-z-]*token|x-[a-z-]*signature)(\s*:\s*).+$")
_FIELDS = re.compile(r'(?i)("(?:secret|password|token|access_token|api_key)"\s*:\s*")[^"]*(")')


def readable(raw: bytes, kind: str) -> str:
    """The content as text: JSON indented, other text as it is, what is no text as bytes; marks that turn the direction
    of writing or can't be shown are replaced."""
    text = _decoded(raw, kind)
    if text is None:
        return _dumped(raw)
    if kind.startswith("application/json"):
        with suppress(orjson.JSONDecodeError):  # that it is none may be what is wrong with it: shown as it came
            text = orjson.dumps(orjson.loads(raw), option=orjson.OPT_INDENT_2).decode()
    text = _FIELDS.sub(r"\1***\2", _HEADERS.sub(r"\1\2***", _UNSHOWN.sub("\ufffd", text)))
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"


def _decoded(raw: bytes, kind: str) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1") if kind.startswith(_TEXT) else None


def _dumped(raw: bytes) -> str:
    shown = raw[:_MOST_DUMPED]
    lines = [shown[place : place + _BYTES_A_LINE] for place in range(0, len(shown), _BYTES_A_LINE)]
    text = "\n".join(f"{position * _BYTES_A_LINE:06x}  {line.hex(' ')}" for position, line in enumerate(lines))
    return text if len(raw) <= _MOST_DUMPED else f"{text}\n…"
