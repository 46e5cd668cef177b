"""The wire: aiogram's types to JSON as Telegram writes it, and the check that nothing else leaves the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from aiogram.client.default import Default
from aiogram.types import Update
from pydantic import BaseModel

Json = Any
"""A JSON value."""

JsonObject = dict[str, Any]
"""A JSON object."""


class WallClock:
    """The machine's own clock, for whoever injects none."""

    def now(self) -> datetime:
        """Now, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return monotonic()


def dump(value: object) -> Json:
    """JSON of an aiogram object: aliases as on the wire, times as Unix seconds, nothing that is unset."""
    if isinstance(value, BaseModel):
        plain = {name: getattr(value, name) for name in type(value).model_fields}
        return {
            type(value).model_fields[name].alias or name: dump(item)
            for name, item in plain.items()
            if item is not None and not isinstance(item, Default)
        }
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, Mapping):
        return {key: dump(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [dump(item) for item in value]
    return value


def surplus(model: BaseModel, path: str = "") -> Iterator[str]:
    """Paths of everything in a parsed object that its type does not know (aiogram keeps such fields silently)."""
    for name in model.model_extra or {}:
        yield f"{path}{name}"
    for name in type(model).model_fields:
        value = getattr(model, name)
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, BaseModel):
                where = f"{path}{name}[{index}]." if isinstance(value, list) else f"{path}{name}."
                yield from surplus(item, where)


def checked_update(update: JsonObject) -> JsonObject:
    """The update itself, after aiogram understood it completely; ValueError otherwise."""
    parsed = Update.model_validate(update)
    unknown = list(surplus(parsed))
    if unknown:
        raise ValueError(f"not in the Bot API: {', '.join(unknown)}")
    if len(update) != 2:
        raise ValueError("an update carries its id and exactly one content")
    return update


def utf16_length(text: str) -> int:
    """The length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
