"""A record as it was before a change that its history tells of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

_FIELDS = "fields."


def restored(record: Any, changes: Sequence[Sequence[Any]]) -> Any:
    """The record before `[[column or "fields.key", old, new], …]`; columns that it has no more are left out."""
    columns: dict[str, Any] = {}
    fields: dict[str, Any] | None = None
    for name, old, _new in changes:
        if name.startswith(_FIELDS):
            fields = dict(record.fields or {}) if fields is None else fields
            key = name.removeprefix(_FIELDS)
            if old is None:
                fields.pop(key, None)
            else:
                fields[key] = old
        elif name in record._fields:
            columns[name] = _as_column(getattr(record, name), old, name)
    if fields is not None:
        columns["fields"] = fields
    return record._replace(**columns)


def _as_column(now: Any, old: Any, name: str) -> Any:
    """A value of JSON as the column holds it: moments are texts there, states plain words."""
    if old is None:
        return None
    if isinstance(old, str) and (isinstance(now, datetime) or name.endswith(("_at", "_by", "_since"))):
        try:
            return datetime.fromisoformat(old)
        except ValueError:
            return old
    if now is not None and isinstance(now, str) and type(now) is not str and isinstance(old, str):
        return type(now)(old)  # an enum's value
    return old
