"""One file judged: its true media type by its first bytes, and every reason to be careful."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import filetype
import imagesize

from crm_core.model.file_warning import FileWarning
from hub.inspection.archives import gzip_claims, holds_macros, within, zip_names
from hub.inspection.names import DOCUMENTS, by_ending, ending

_HEAD = 8192
_OCTETS = "application/octet-stream"
_PLAIN = "text/plain"
_MOST_PIXELS = 64_000_000
_LONGEST_SIDE = 30_000
_LOOKED_AT = 64 * 1024**2
_SHOWN_FAMILIES = ("image/", "audio/", "video/")
_RASTER = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif", "image/heic", "image/tiff"}
)
_EXECUTABLE_TYPES = frozenset(
    {"application/x-msdownload", "application/x-executable", "application/vnd.debian.binary-package"}
)
# First bytes that the library does not know.
_EXECUTABLE_HEADS = (
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xca\xfe\xba\xbe",
    b"\x00asm",
    b"dex\n",
    b"L\x00\x00\x00\x01\x14\x02\x00",
    b"ITSF",
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_MACROS = ("_VBA_PROJECT".encode("utf-16-le"), b"Attribut\x00e VB_")
_PDF_ACTIONS = (b"/JavaScript", b"/Launch")
_SHEBANG = b"#!"
# Their signatures are letters, and so is all else in them; any other type is taken for text that happens to begin so.
_TEXTUAL = frozenset({"application/pdf", "application/rtf", "application/postscript"})
_ADAPTIVE_AUDIO = b"#!AMR"
_MARKUP = (
    (b"<svg", "image/svg+xml"),
    (b"<!doctype html", "text/html"),
    (b"<html", "text/html"),
    (b"<head", "text/html"),
    (b"<body", "text/html"),
    (b"<script", "text/html"),
    (b"<iframe", "text/html"),
    (b"<?xml", "text/xml"),
)
_UNPACKABLE = frozenset(
    {"application/x-rar-compressed", "application/x-7z-compressed", "application/x-xz", "application/x-bzip2"}
    | {"application/x-lzip", "application/zstd", "application/x-compress", "application/x-tar"}
)
# What makes a program of a ZIP.
_PROGRAMS = frozenset({"META-INF/MANIFEST.MF", "AndroidManifest.xml"})
_ZIP, _GZIP, _PDF = "application/zip", "application/gzip", "application/pdf"
# One container under several names: what was declared may be the more telling one.
_SAME = (
    frozenset({"audio/ogg", "video/ogg", "application/ogg", "audio/opus"}),
    frozenset({"audio/webm", "video/webm", "video/x-matroska", "audio/x-matroska"}),
    frozenset({"audio/mp4", "video/mp4", "audio/x-m4a", "video/x-m4v", "audio/m4a", "video/quicktime", "video/3gpp"}),
    frozenset({"audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"}),
    frozenset({"audio/mpeg", "audio/mp3"}),
    frozenset({"image/heic", "image/heif", "image/avif"}),
    frozenset({"image/jpeg", "image/jpg", "image/pjpeg"}),
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The media type that a file goes by from now on, and the warnings."""

    content_type: str
    warnings: frozenset[FileWarning] = frozenset()


def judge(path: Path, name: str, declared: str) -> Judgement:
    """Look at a file. `declared` is the type that its sender gave it; raises OSError where it can't be read."""
    declared = declared.partition(";")[0].strip().lower()
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
        found = by_ending(name)
        sniffed = _sniffed(head, declared)
        found |= _by_head(head, sniffed)
        if sniffed in _RASTER:
            found |= _pixels(file)
        elif sniffed == _GZIP:
            found |= gzip_claims(file, size)
        elif sniffed in _UNPACKABLE:
            found.add(FileWarning.UNSEEN)
        elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            sniffed = _zipped(file, size, name, declared, sniffed, found)
        elif sniffed == _PDF or head.startswith(_OLE):
            found |= _active(file, size, head)
    if _contradicts(declared, sniffed, size):
        found.add(FileWarning.MISMATCH)
    return Judgement(_kept_type(declared, sniffed), frozenset(found))


def _sniffed(head: bytes, declared: str) -> str | None:
    """The type by the first bytes; None where they tell nothing."""
    kind = filetype.guess(head) if head else None
    text = _text_type(head)
    if kind is not None and (text is None or str(kind.mime) in _TEXTUAL):
        return str(kind.mime)
    if head.startswith((b"II*\x00", b"MM\x00*")):
        return "image/tiff"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and declared == "audio/mpeg":
        return declared
    return text


def _text_type(head: bytes) -> str | None:
    if not head or b"\x00" in head:
        return None
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:512].lower()
    for mark, media in _MARKUP:
        if start.startswith(mark):
            return "image/svg+xml" if media == "text/xml" and b"<svg" in head.lower() else media
    try:
        # The piece may end within a letter.
        head.decode("utf-8") if len(head) < _HEAD else head[:-4].decode("utf-8", "strict")
    except UnicodeDecodeError as err:
        if len(head) < _HEAD or err.start < len(head) - 8:
            return None
    return f"{_PLAIN}; charset=utf-8"


def _by_head(head: bytes, sniffed: str | None) -> set[FileWarning]:
    found: set[FileWarning] = set()
    if sniffed in _EXECUTABLE_TYPES or head.startswith(_EXECUTABLE_HEADS):
        found.add(FileWarning.EXECUTABLE)
    scripted = head.startswith(_SHEBANG) and not head.startswith(_ADAPTIVE_AUDIO)
    markup = sniffed in {"text/html", "image/svg+xml", "text/xml"}
    if scripted or (markup and any(mark in head.lower() for mark in (b"<script", b"javascript:", b" onload="))):
        found.add(FileWarning.SCRIPT)
    return found


def _pixels(file: BinaryIO) -> set[FileWarning]:
    """Images by what their header claims; they are never decoded."""
    file.seek(0)
    try:
        width, height = imagesize.get(file)
    except Exception:  # noqa: BLE001 - whatever a header makes the library raise, it is no picture to be shown
        return {FileWarning.MISMATCH}
    if width <= 0 or height <= 0:
        return {FileWarning.MISMATCH}
    absurd = width * height > _MOST_PIXELS or max(width, height) > _LONGEST_SIDE
    return {FileWarning.PIXELS} if absurd else set()


def _zipped(file: BinaryIO, size: int, name: str, declared: str, sniffed: str | None, found: set[FileWarning]) -> str:
    names, warnings = zip_names(file, size)
    found |= warnings
    document = ending(name) in DOCUMENTS or "officedocument" in declared or "opendocument" in declared
    if holds_macros(names):
        found.add(FileWarning.MACROS)
    if not document:
        found |= within(names)
    if any(each in _PROGRAMS for each in names) and not document:
        found.add(FileWarning.EXECUTABLE)
    return sniffed or _ZIP


def _active(file: BinaryIO, size: int, head: bytes) -> set[FileWarning]:
    """Macros of old documents and actions of PDF files, by the names that they can't do without."""
    if size == 0:
        return set()
    with mmap.mmap(file.fileno(), min(size, _LOOKED_AT), access=mmap.ACCESS_READ) as content:
        if head.startswith(_OLE):
            return {FileWarning.MACROS} if any(content.find(mark) >= 0 for mark in _OLE_MACROS) else set()
        return {FileWarning.SCRIPT} if any(content.find(mark) >= 0 for mark in _PDF_ACTIONS) else set()


def _contradicts(declared: str, sniffed: str | None, size: int) -> bool:
    """Whether something is given out as a picture, sound, film or text that it is not."""
    if size == 0 or not declared:
        return False
    if declared.startswith(_SHOWN_FAMILIES):
        family = declared.partition("/")[0]
        known = sniffed is not None and (sniffed.partition("/")[0] == family or _same(declared, sniffed))
        loosely = sniffed is None and family in {"audio", "video"}
        return not (known or loosely) and declared != "image/svg+xml"
    return declared == _PLAIN and sniffed is not None and not sniffed.startswith("text/")


def _kept_type(declared: str, sniffed: str | None) -> str:
    if sniffed is None:
        shown = declared.startswith(_SHOWN_FAMILIES) or declared.startswith("text/html")
        return _OCTETS if shown or "/" not in declared else declared
    if _same(declared, sniffed):
        return declared
    if sniffed.startswith(_PLAIN):
        # What is plain text for the eye may be a table or a calendar for a program.
        usable = declared.startswith("text/") or declared in {"application/json", "message/rfc822"}
        return declared if usable and declared != _PLAIN else sniffed
    if sniffed == _ZIP and not declared.startswith((*_SHOWN_FAMILIES, "text/")) and "/" in declared:
        return declared if declared != _OCTETS else sniffed
    return sniffed


def _same(declared: str, sniffed: str) -> bool:
    return any(declared in several and sniffed in several for several in _SAME)
