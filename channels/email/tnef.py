"""winmail.dat: the envelope in which Outlook hides files and words (MS-OXTNEF), read at a bounded cost.

An own reader, for the library that there is (tnefparse) has had no release since 2021, raises whatever it likes over
broken input, and copies the rest of the file for every attribute, so that its cost grows with the square.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from channels.email.charsets import decoded
from channels.email.rtf import rtf_text, unpacked_rtf

MAX_FILES = 100
_SIGNATURE = 0x223E9F78
_HEAD = 6
_MAX_ATTRIBUTES = 5_000
_MAX_PROPERTIES = 2_000
_MAX_VALUES = 200
_MAX_TEXT = 1_000_000
_MAX_INNER = 3
# Attributes, by the low half of their number.
_BODY, _DATA, _TITLE = 0x800C, 0x800F, 0x8010
_BEGINS_FILE, _MESSAGE, _ATTACHMENT, _CODEPAGE = 0x9002, 0x9003, 0x9005, 0x9007
# Properties.
_TEXT, _RTF, _HTML = 0x1000, 0x1009, 0x1013
_SUBJECT, _DISPLAY, _CONTENT, _SHORT, _LONG, _MIME, _CID = 0x0037, 0x3001, 0x3701, 0x3704, 0x3707, 0x370E, 0x3712
_STRING, _UNICODE, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x102
_FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16, 1: 0}
_GUID = 16


@dataclass(frozen=True, slots=True)
class TnefFile:
    """A packed file; `name` as it was claimed, not made safe."""

    name: str
    content_type: str
    content: bytes
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Tnef:
    """What was packed: the words of the mail, and its files."""

    text: str
    html: str
    files: tuple[TnefFile, ...]


@dataclass(slots=True)
class _Found:
    text: str = ""
    html: str = ""
    codepage: str | None = None
    files: list[_File] = field(default_factory=list)


@dataclass(slots=True)
class _File:
    names: dict[int, str] = field(default_factory=dict)
    content: bytes = b""

    def finished(self) -> TnefFile:
        name = next((self.names[key] for key in (_LONG, _SHORT, _TITLE, _DISPLAY) if self.names.get(key)), "")
        kind = self.names.get(_MIME, "").strip().lower() or "application/octet-stream"
        return TnefFile(name, kind, self.content, self.names.get(_CID, "").strip("<>"))


def read_tnef(content: bytes, depth: int = 0) -> Tnef | None:
    """What is packed in a winmail.dat, as far as it can be read; None where it is none. Never raises."""
    if len(content) < _HEAD or struct.unpack_from("<I", content)[0] != _SIGNATURE:
        return None
    found = _Found()
    for name, data in _attributes(memoryview(content)):
        try:
            _attribute(found, name, data, depth)
        except (struct.error, ValueError, IndexError):
            continue  # this one is broken; the next begins where its length says
    files = tuple(each.finished() for each in found.files if each.content or each.names)
    return Tnef(found.text[:_MAX_TEXT], found.html[:_MAX_TEXT], files)


def _attributes(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = _HEAD
    for _ in range(_MAX_ATTRIBUTES):
        if at + 9 > len(content):
            return
        _level, number, length = struct.unpack_from("<BII", content, at)
        at += 9
        yield number & 0xFFFF, content[at : at + length]
        at += length + 2


def _attribute(found: _Found, name: int, data: memoryview, depth: int) -> None:
    match name:
        case 0x9007:
            found.codepage = f"cp{struct.unpack_from('<I', data)[0]}"
        case 0x800C if not found.text:
            found.text = _string(bytes(data), found.codepage)
        case 0x9002 if len(found.files) < MAX_FILES:
            found.files.append(_File())
        case 0x8010 if found.files:
            found.files[-1].names[_TITLE] = _string(bytes(data), found.codepage)
        case 0x800F if found.files:
            found.files[-1].content = bytes(data)
        case 0x9005 if found.files:
            _of_file(found.files[-1], data, found.codepage, depth)
        case 0x9003:
            _of_message(found, data)


def _of_message(found: _Found, data: memoryview) -> None:
    for number, kind, value in _properties(data):
        if number == _TEXT:
            found.text = _said(kind, value, found.codepage) or found.text
        elif number == _HTML:
            found.html = _said(kind, value, found.codepage)
        elif number == _RTF and not found.text:
            found.text = rtf_text(unpacked_rtf(value))


def _of_file(file: _File, data: memoryview, codepage: str | None, depth: int) -> None:
    for number, kind, value in _properties(data):
        if number in {_DISPLAY, _SHORT, _LONG, _MIME, _CID}:
            file.names[number] = _said(kind, value, codepage)
        elif number == _CONTENT and kind == _BINARY:
            file.content = value
        elif number == _CONTENT and kind == _OBJECT:
            _embedded(file, value[_GUID:], depth)


def _embedded(file: _File, content: bytes, depth: int) -> None:
    """A mail packed in the mail becomes a text file of its words."""
    inner = read_tnef(content, depth + 1) if depth < _MAX_INNER else None
    if inner is None:
        file.content = file.content or content
        return
    file.content = (inner.text or inner.html).encode("utf-8", "replace")
    file.names[_MIME] = "text/plain" if inner.text or not inner.html else "text/html"
    for key in (_LONG, _SHORT, _TITLE):
        file.names.pop(key, None)
    ending = "txt" if file.names[_MIME] == "text/plain" else "html"
    file.names[_LONG] = f"{file.names.get(_DISPLAY) or 'message'}.{ending}"


def _properties(data: memoryview) -> Iterator[tuple[int, int, bytes]]:
    """(number, type, first value) of each property."""
    (count,) = struct.unpack_from("<I", data)
    at = 4
    for _ in range(min(count, _MAX_PROPERTIES)):
        kind, number = struct.unpack_from("<HH", data, at)
        at += 4
        if number >= 0x8000:
            at = _past_name(data, at)
        plain = kind & 0xEFFF
        many = bool(kind & 0x1000) or plain in {_STRING, _UNICODE, _OBJECT, _BINARY}
        values = 1
        if many:
            (values,) = struct.unpack_from("<I", data, at)
            at += 4
        if values > _MAX_VALUES:
            raise ValueError("more values than a mail has")
        first = b""
        for position in range(values):
            value, at = _value(data, at, plain)
            first = first if position else value
        yield number, plain, first


def _past_name(data: memoryview, at: int) -> int:
    at += _GUID
    (named,) = struct.unpack_from("<I", data, at)
    at += 4
    if not named:
        return at + 4
    (length,) = struct.unpack_from("<I", data, at)
    return at + 4 + _padded(length)


def _value(data: memoryview, at: int, kind: int) -> tuple[bytes, int]:
    if kind in _FIXED:
        size = _FIXED[kind]
        return bytes(data[at : at + size]), at + size
    if kind not in {_STRING, _UNICODE, _OBJECT, _BINARY}:
        raise ValueError(f"a property of the unknown type {kind:#x}")
    (length,) = struct.unpack_from("<I", data, at)
    at += 4
    if length > len(data) - at:
        raise ValueError("a property is longer than its envelope")
    return bytes(data[at : at + length]), at + _padded(length)


def _padded(length: int) -> int:
    return length + (-length % 4)


def _said(kind: int, value: bytes, codepage: str | None) -> str:
    if kind == _UNICODE:
        return value.decode("utf-16-le", "replace").rstrip("\x00")
    return _string(value, codepage)


def _string(value: bytes, codepage: str | None) -> str:
    return decoded(value.rstrip(b"\x00"), codepage).replace("\r\n", "\n").replace("\r", "\n")
