"""The body of a pushed event as named texts, whichever of the three ways it was written. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from crm_core.errors import InvalidInput

_MAX_FIELDS = 200
_LONGEST = 1000
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BOUNDARY = re.compile(rb"\s*--([^\r\n]{1,200}?)[ \t]*\r?\n")
_MANY = re.compile(r"\[\d{0,4}\]\Z")


class Malformed(InvalidInput):
    """The body can't be read as an event; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What was posted, in order: one name may stand several times; `user[]` and `user[0]` are `user`."""

    values: tuple[tuple[str, str], ...]

    def first(self, *names: str) -> str:
        """The first value under one of these names that says anything."""
        return next((value for name, value in self.values if name in names and value), "")

    def every(self, name: str) -> tuple[str, ...]:
        """All values under a name that say anything, each once."""
        return tuple(dict.fromkeys(value for found, value in self.values if found == name and value))


def read_fields(body: bytes) -> Fields:
    """Read JSON, a form, or multipart/form-data, told apart by their look. Raises Malformed.

    The declared type is not asked: scripts forget it, and the journal does not keep it.
    """
    stripped = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not stripped:
        raise Malformed("The body is empty: send the event as JSON or as a form.")
    boundary = _BOUNDARY.match(body)
    if stripped[:1] in {b"{", b"["}:
        found = _json(stripped)
    elif boundary is not None:
        found = _multipart(body.lstrip(), boundary[1])
    else:
        text = stripped.decode("utf-8", "replace")
        found = parse_qsl(text, keep_blank_values=True, errors="replace")
    values = tuple((_MANY.sub("", name), _line(value)) for name, value in found[:_MAX_FIELDS])
    if not values:
        raise Malformed("The body holds no fields: send the event as JSON or as a form.")
    return Fields(values)


def _json(body: bytes) -> list[tuple[str, str]]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("The JSON can't be read: {why}", why=error) from error
    if not isinstance(content, dict):
        raise Malformed("The JSON has to be an object with the event's fields.")
    found: list[tuple[str, str]] = []
    for name, value in content.items():
        listed = value if isinstance(value, list) else [value]
        found.extend((name, _plain(name, each)) for each in listed[:_MAX_FIELDS])
    return found


def _plain(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() if abs(value) < 10**30:
            return str(value)
        case _:
            raise Malformed("The field {name} has to be a text.", name=_line(name)[:50])


def _multipart(body: bytes, boundary: bytes) -> list[tuple[str, str]]:
    head = b'Content-Type: multipart/form-data; boundary="' + boundary.replace(b'"', b"") + b'"\r\n\r\n'
    try:
        message = BytesParser(policy=HTTP).parsebytes(head + body)
        parts = [part for part in message.walk() if part is not message]
        return [(_name(part), _content(part)) for part in parts[:_MAX_FIELDS]]
    except (ValueError, LookupError, AttributeError, IndexError) as error:
        raise Malformed("The multipart body can't be read: {why}", why=error) from error


def _name(part: Message) -> str:
    named = part.get_param("name", header="content-disposition")
    return named if isinstance(named, str) else ""


def _content(part: Message) -> str:
    content = part.get_payload(decode=True)
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _line(value: str) -> str:
    """On one line, without what steers terminals and logs."""
    return " ".join(_CONTROL.sub(" ", value[:_LONGEST]).split())
