"""Durations as people write them: `500ms 2s 5m 24h 7d`."""

from __future__ import annotations

import re
from datetime import timedelta

from crm_core.wording import Sentence

_WRITTEN = re.compile(r"([0-9]{1,18})\s*(ms|s|m|h|d)\Z")
_STEPS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_LONGEST = timedelta(days=3660)


class TooLong(ValueError):
    """A duration of more than ten years."""


def duration(text: str) -> timedelta:
    """The duration written so, at most ten years; raises ValueError that says how to write it, TooLong."""
    found = _WRITTEN.match(text.strip())
    if found is None:
        raise ValueError(
            Sentence('«{text}» is not a duration: write "500ms", "2s", "5m", "24h" or "7d"', text=text[:50])
        )
    count, step = int(found[1]), _STEPS[found[2]]
    if count > _LONGEST // step:
        raise TooLong(f"«{text[:50]}» is longer than ten years")
    return count * step


def shown(value: timedelta) -> str:
    """The same duration as it is written, in the largest unit that fits whole."""
    for unit, step in _STEPS.items():
        if value >= step and value % step == timedelta(0):
            return f"{value // step}{unit}"
    return f"{value // _STEPS['ms']}ms"
