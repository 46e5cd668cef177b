"""Columns of records kept as JSON and given back: what was changed since by somebody else stays as they left it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm_core.ports import Record


def kept(record: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Some columns of a record as JSON; a moment as its text."""
    values = {name: getattr(record, name) for name in names}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def restored(record: Record, before: Mapping[str, Any], after: Mapping[str, Any] | None = None) -> Record:
    """The record with the columns that `kept` kept.

    `after` is what it kept once they had been changed: whatever differs from that by now was changed again since, and
    stays; of an object each key by itself, of a list what was added since.
    """
    known = record._asdict()  # type: ignore[attr-defined]  # every record is a named tuple
    now = kept(record, tuple(name for name in before if name in known and name != "id"))
    values = {name: _value(now[name], before[name], after, name) for name in now}
    changed: Record = record._replace(  # type: ignore[attr-defined]  # as above
        **{name: _moment(name, value) for name, value in values.items()}
    )
    return changed


def _value(now: Any, before: Any, after: Mapping[str, Any] | None, name: str) -> Any:
    if after is None or name not in after or now == after[name]:
        return before
    left = after[name]
    if isinstance(now, dict) and isinstance(left, dict):
        missing = object()
        keys = {*now, *before}
        parts = {
            key: before.get(key, missing) if now.get(key) == left.get(key) else now.get(key, missing) for key in keys
        }
        return {key: value for key, value in parts.items() if value is not missing}
    if isinstance(now, list) and isinstance(left, list):
        return [*before, *(each for each in now if each not in left and each not in before)]
    return now


def _moment(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name.endswith("_at") and isinstance(value, str) else value
