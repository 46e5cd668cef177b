"""Texts from outside made storable: no NUL, no lone surrogates, nothing boundless. The raw fact keeps what came.

Names (of people, of files, subjects) also lose what misleads the eye: characters that take no room, that turn the
direction of what follows, marks piled up to towers.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import Any

from crm_core.messages import Attachment, InboundEvent, ProfileLearned

_LONGEST = 1_000_000
_LONGEST_NAME = 300
_LONGEST_FILE_NAME = 150
_LONGEST_ENDING = 12
_MOST_MARKS = 3
# Soft hyphens, fillers, blank Braille, marks and overrides of direction, joiners, all variation selectors but that of
# emoji, tags, interlinear notes, halves of surrogate pairs.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# A joiner is of use between two pictures only: a family is one sign.
_LONE_JOINER = re.compile(
    "(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d|\u200d(?![\u2600-\u27bf\U0001f000-\U0001faff])"
)
_FORBIDDEN_IN_FILES = re.compile('[<>:"|?*]')
# Names that are devices on Windows, whatever ending they have.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|clock\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|\Z)", re.IGNORECASE)
_NAMES = {"name": _LONGEST_NAME, "author_name": _LONGEST_NAME, "subject": 1000}
_KEPT_BYTES = frozenset({"raw"})
_TEXTLESS = frozenset({bool, bytes, datetime, float, int})


def clean_text(text: str) -> str:
    """The same text without what a database refuses; the very same where there is nothing of the kind."""
    if len(text) <= _LONGEST and "\x00" not in text and (text.isascii() or _is_encodable(text)):
        return text
    return text[:_LONGEST].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def clean(event: InboundEvent) -> InboundEvent:
    """The event with every text in it cleaned, however deep it lies."""
    cleaned: InboundEvent = _clean(event)
    changes: dict[str, Any] = {}
    sender, payload = cleaned.sender, cleaned.payload
    # Most names are sound, and most facts have few: nothing is built before something is to be changed.
    name, handle = clean_name(sender.name), clean_handle(sender.handle)
    if name != sender.name or handle != sender.handle:
        changes["sender"] = dataclasses.replace(sender, name=name, handle=handle)
    fresh: dict[str, Any] = {
        each: new
        for each, longest in _names_of(type(payload))
        if (old := getattr(payload, each)) and (new := clean_name(old, longest)) != old
    }
    files = getattr(payload, "attachments", ())
    if files:
        named = tuple(_renamed(file) for file in files)
        if named != files:
            fresh["attachments"] = named
    if isinstance(payload, ProfileLearned):
        fresh["names"] = tuple((identity, clean_name(each)) for identity, each in payload.names)
    if fresh:
        anything: Any = payload  # each kind of fact has fields of its own
        changes["payload"] = dataclasses.replace(anything, **fresh)
    return dataclasses.replace(cleaned, **changes) if changes else cleaned


@lru_cache(maxsize=8192)
def clean_name(name: str, longest: int = _LONGEST_NAME) -> str:
    """The name of a person or a subject on one line, without what misleads the eye; empty where nothing is left."""
    if name.isascii() and name.isprintable() and len(name) <= longest:
        return name.strip()
    plain = _seen(_CONTROLS.sub(" ", name[: 4 * longest]))
    return _without_towers(" ".join(plain.split()))[:longest].strip()


def clean_handle(handle: str) -> str:
    """What a provider calls somebody by, in one form: small letters, no `@`."""
    return clean_name(handle).removeprefix("@").lower() if handle else ""


def clean_file_name(name: str) -> str:
    """The name of a file: no folders, nothing unseen, no device, at most 150 characters, its ending kept.

    >>> clean_file_name("../../invoice\u202efdp.exe"), clean_file_name("NUL.txt"), clean_file_name("..")
    ('invoicefdp.exe', '_NUL.txt', 'file')
    """
    if not name:
        return ""
    last = name[: 4 * _LONGEST_NAME] if len(name) <= 4 * _LONGEST_NAME else name[-4 * _LONGEST_NAME :]
    bare = _seen(_CONTROLS.sub(" ", last.replace("\x00", ""))).replace("\\", "/").rpartition("/")[2]
    plain = _without_towers(" ".join(_FORBIDDEN_IN_FILES.sub("_", unicodedata.normalize("NFC", bare)).split()))
    plain = plain.strip(". ")
    if len(plain) > _LONGEST_FILE_NAME:
        stem, dot, ending = plain.rpartition(".")
        kept = dot and len(ending) <= _LONGEST_ENDING
        plain = f"{stem[: _LONGEST_FILE_NAME - len(ending) - 1]}.{ending}" if kept else plain[:_LONGEST_FILE_NAME]
    return (f"_{plain}" if _DEVICE.match(plain) else plain) or "file"


def _seen(text: str) -> str:
    return _UNSEEN.sub("", _LONE_JOINER.sub("", text) if "\u200d" in text else text)


def _without_towers(text: str) -> str:
    """At most three marks on a letter."""
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def _names_of(kind: type) -> tuple[tuple[str, int], ...]:
    """The fields of a payload that are names, and how long each may be."""
    known = _NAMES_OF.get(kind)
    if known is None:
        fields = {field.name for field in dataclasses.fields(kind)}
        known = _NAMES_OF[kind] = tuple((name, longest) for name, longest in _NAMES.items() if name in fields)
    return known


def _renamed(file: Attachment) -> Attachment:
    name = clean_file_name(file.name)
    return file if name == file.name else dataclasses.replace(file, name=name)


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _clean(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return clean_text(value)
    if kind is tuple:
        fresh = tuple(_clean(each) for each in value)
        return value if all(new is old for new, old in zip(fresh, value, strict=True)) else fresh
    changes: dict[str, Any] = {}
    for name in _fields(kind):
        old = getattr(value, name)
        # Most fields hold no text; to find that out here is cheaper than by a call.
        if old and type(old) not in _TEXTLESS:
            new = _clean(old)
            if new is not old:
                changes[name] = new
    return dataclasses.replace(value, **changes) if changes else value


_NAMES_OF: dict[type, tuple[tuple[str, int], ...]] = {}
_FIELDS: dict[type, tuple[str, ...]] = {}


def _fields(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that may hold text; none of anything else."""
    known = _FIELDS.get(kind)
    if known is None:
        fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
        known = _FIELDS[kind] = tuple(field.name for field in fields if field.name not in _KEPT_BYTES)
    return known
