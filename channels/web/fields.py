"""The body of a posted form as named texts and files, whatever way it was written. Pure; raises MalformedForm alone."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.message import Message
from urllib.parse import unquote_to_bytes

from crm_core.errors import InvalidInput

MAX_FIELDS = 300
MAX_FILES = 30
_MAX_DEPTH = 20
_MAX_BOUNDARY = 200
_MAX_NAME = 150
_BOUNDARY = re.compile(rb"--([^\r\n]{1,200})\r?\n")
_PARAMETER = re.compile(r';\s*(name\*?|filename\*?)\s*=\s*(?:"([^"]*)"|([^;\s]*))', re.IGNORECASE)
_BAD_IN_NAME = re.compile('[\x00-\x1f\x7f-\x9f<>:"|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\Z")


class MalformedForm(InvalidInput):
    """The body can't be read as a form."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file that came with a form."""

    field: str
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Fields:
    """What was posted, in order; one name may stand several times."""

    values: tuple[tuple[str, str], ...]
    files: tuple[FormFile, ...] = ()


def read_fields(body: bytes, content_type: str = "") -> Fields:
    """Read a body by its declared type; where that is missing or can't be, by its look. Raises MalformedForm."""
    header = Message()
    header["content-type"] = content_type.encode("ascii", "replace").decode()
    kind = header.get_content_type() if content_type else ""
    charset = _charset(header.get_param("charset"))
    stripped = body.lstrip()
    if kind == "multipart/form-data" or (kind != "application/json" and not kind.startswith("application/x-www")):
        boundary = header.get_param("boundary") if kind == "multipart/form-data" else None
        named = boundary.encode("ascii", "replace") if isinstance(boundary, str) else _boundary(body)
        if named:
            return _multipart(body, named[:_MAX_BOUNDARY])
        if kind == "multipart/form-data":
            raise MalformedForm("The multipart body has no boundary.")
    if kind == "application/json" or stripped[:1] in {b"{", b"["} or stripped[:4] == b"\xef\xbb\xbf{":
        return _json(body, charset)
    return _urlencoded(body, charset)


def text(content: bytes, charset: str = "utf-8") -> str:
    """Bytes as text: as declared, else UTF-8, else windows-1251, which every sequence of bytes can be."""
    for name in (charset, "utf-8"):
        try:
            return content.decode(name)
        except UnicodeError:
            continue  # the next guess
    return content.decode("cp1251", "replace")


def _charset(declared: object) -> str:
    if isinstance(declared, str):
        try:
            "".encode(declared)
            b"".decode(declared)
        except (LookupError, ValueError):
            return "utf-8"
        return declared
    return "utf-8"


# ---------------------------------------------------------------- form-urlencoded


def _urlencoded(body: bytes, charset: str) -> Fields:
    values: list[tuple[str, str]] = []
    for pair in body.strip().split(b"&", MAX_FIELDS)[:MAX_FIELDS]:
        name, equals, value = pair.partition(b"=")
        if not name or not equals:
            continue
        values.append((_unquoted(name, charset), _unquoted(value, charset)))
    if body.strip() and not values:
        raise MalformedForm("The body holds no field: send name=value pairs, JSON or multipart/form-data.")
    return Fields(tuple(values))


def _unquoted(content: bytes, charset: str) -> str:
    return text(unquote_to_bytes(content.replace(b"+", b" ")), charset)


# ---------------------------------------------------------------- JSON


def _json(body: bytes, charset: str) -> Fields:
    try:
        content = json.loads(text(body.removeprefix(b"\xef\xbb\xbf"), charset))
    except (ValueError, RecursionError) as error:
        raise MalformedForm("The JSON can't be read: {why}", why=error) from error
    if not isinstance(content, dict):
        raise MalformedForm("The JSON has to be an object with the form's fields.")
    values: list[tuple[str, str]] = []
    _flatten("", content, values, 0)
    return Fields(tuple(values))


def _flatten(name: str, value: object, into: list[tuple[str, str]], depth: int) -> None:
    """`{"address": {"city": "Тверь"}}` becomes `address.city`; a list of plain values one text, comma by comma."""
    if len(into) >= MAX_FIELDS:
        return
    match value:
        case dict() if depth < _MAX_DEPTH:
            for key, inner in value.items():
                _flatten(f"{name}.{key}" if name else str(key), inner, into, depth + 1)
        case list() if depth < _MAX_DEPTH and any(isinstance(each, dict | list) for each in value):
            for number, inner in enumerate(value[:MAX_FIELDS]):
                _flatten(f"{name}.{number}", inner, into, depth + 1)
        case list():
            into.append((name, ", ".join(_plain(each) for each in value[:MAX_FIELDS])))
        case _:
            into.append((name, _plain(value)))


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() if abs(value) > 10**300:
            return "…"  # a number that takes long to write is nobody's
        case int() | float():
            return str(value)
        case _:
            return "…"  # nested deeper than any form


# ---------------------------------------------------------------- multipart


def _boundary(body: bytes) -> bytes | None:
    """The boundary of a body that begins with one: a form read again from the journal has no header any more."""
    match = _BOUNDARY.match(body)
    named = match[1].rstrip() if match else b""
    return named if named and b"form-data" in body[:2000].lower() else None


def _multipart(body: bytes, boundary: bytes) -> Fields:
    segments = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_FIELDS + 2)
    if len(segments) < 2:
        raise MalformedForm("The multipart body does not hold its boundary.")
    values: list[tuple[str, str]] = []
    files: list[FormFile] = []
    for segment in segments[1:]:
        if segment.startswith(b"--"):
            break
        head, blank, content = segment.partition(b"\r\n\r\n")
        if not blank:
            continue
        name, file_name, kind = _part_headers(head)
        if file_name is None:
            values.append((name, text(content)))
        elif content and len(files) < MAX_FILES:
            files.append(FormFile(name, safe_name(file_name) or f"file-{len(files) + 1}", kind, content))
    return Fields(tuple(values), tuple(files))


def _part_headers(head: bytes) -> tuple[str, str | None, str]:
    """(field, file name or None, content type) of a part."""
    name, file_name, kind = "", None, "application/octet-stream"
    for line in text(head).split("\r\n"):
        header, _, value = line.partition(":")
        match header.strip().lower():
            case "content-disposition":
                found = {
                    each[1].lower(): each[2] if each[2] is not None else each[3] for each in _PARAMETER.finditer(value)
                }
                name = _unescaped(found.get("name", ""))
                file_name = _unescaped(found["filename"]) if "filename" in found else None
                if "filename*" in found:
                    charset, _, encoded = found["filename*"].partition("''")
                    file_name = text(unquote_to_bytes(encoded), _charset(charset))
            case "content-type":
                stated = value.partition(";")[0].strip().lower()
                kind = stated if _TYPE.match(stated) else kind
    return name, file_name, kind


def _unescaped(value: str) -> str:
    """Browsers write quotes and line ends in names percent-encoded; some programs do so with all letters."""
    return text(unquote_to_bytes(value)) if value.isascii() else value.replace("%22", '"')


def safe_name(name: str) -> str:
    """A file's name without folders and without characters that mislead or do harm."""
    plain = _BAD_IN_NAME.sub("", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    if len(plain) > _MAX_NAME:
        stem, dot, ending = plain.rpartition(".")
        plain = f"{stem[: _MAX_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) < 12 else plain[:_MAX_NAME]
    return plain
