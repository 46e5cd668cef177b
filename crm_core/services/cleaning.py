"""Texts from outside made storable: no NUL, no lone surrogates, nothing boundless. The raw fact keeps what came."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from crm_core.messages import InboundEvent

_LONGEST = 1_000_000
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
    return cleaned


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


_FIELDS: dict[type, tuple[str, ...]] = {}


def _fields(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that may hold text; none of anything else."""
    known = _FIELDS.get(kind)
    if known is None:
        fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
        known = _FIELDS[kind] = tuple(field.name for field in fields if field.name not in _KEPT_BYTES)
    return known
