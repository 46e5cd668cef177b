"""When the visitor of a website asks to be rung back, read from the form's field `callback`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

FIELD = "callback"
_AT_ONCE = frozenset({"1", "true", "yes", "on", "now", "asap", "да", "сейчас", "сразу"})
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])\Z")
_DATED = ("%d.%m.%Y %H:%M", "%d.%m.%Y, %H:%M")


def callback_at(text: str, received_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment (UTC) that a visitor named; None where the field asks for nothing or is not understood.

    `now` and its like mean at once; `15:30` the next time that the office's clock shows this; else a date with a time
    (`2026-11-22T15:30`, `22.11.2026 15:30`), the office's unless it names a zone.
    """
    word = " ".join(text.split()).casefold()
    if word in _AT_ONCE:
        return received_at.astimezone(UTC)
    local = received_at.astimezone(zone)
    clock = _CLOCK.match(word)
    if clock:
        at = local.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        return (at if at >= local.replace(second=0, microsecond=0) else at + timedelta(days=1)).astimezone(UTC)
    dated = _dated(" ".join(text.split()))
    if dated is None:
        return None
    return (dated if dated.tzinfo is not None else dated.replace(tzinfo=zone)).astimezone(UTC)


def _dated(text: str) -> datetime | None:
    for form in _DATED:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 — the zone is the office's
        except ValueError:
            continue
    if len(text) < len("2026-11-22T15:30"):
        return None  # a date without a time is no moment
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
