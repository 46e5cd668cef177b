"""Texts from outside made storable: no NUL, no lone surrogates, nothing boundless. The raw fact keeps what came."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from crm_core.messages import InboundEvent

Value = TypeVar("Value")

_LONGEST = 1_000_000
_KEPT_BYTES = frozenset({"raw"})


def clean_text(text: str) -> str:
    """The same text without what a database refuses."""
    if text.isascii() and "\x00" not in text and len(text) <= _LONGEST:
        return text
    return text[:_LONGEST].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def clean(event: InboundEvent) -> InboundEvent:
    """The event with every text in it cleaned, however deep it lies."""
    cleaned: InboundEvent = _clean(event)
    return cleaned


def _clean(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return clean_text(value)
    if kind is tuple:
        fresh = tuple(_clean(each) for each in value)
        return value if all(new is old for new, old in zip(fresh, value, strict=True)) else fresh
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    changes: dict[str, Any] = {}
    for name in _fields(kind):
        old = getattr(value, name)
        new = _clean(old)
        if new is not old:
            changes[name] = new
    return dataclasses.replace(value, **changes) if changes else value


_FIELDS: dict[type, tuple[str, ...]] = {}


def _fields(kind: type) -> tuple[str, ...]:
    known = _FIELDS.get(kind)
    if known is None:
        known = tuple(field.name for field in dataclasses.fields(kind) if field.name not in _KEPT_BYTES)
        _FIELDS[kind] = known
    return known
