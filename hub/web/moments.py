"""Moments and days as the fields of a browser give them, on the clock of the office."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm_core.model import written

_END_OF_DAY = time(18)


def moment_of(text: str, zone: ZoneInfo) -> datetime | None:
    """A moment, in the office's zone where it names none; None where it is empty. Raises InvalidInput."""
    return written.moment(text, zone) if text else None


def deadline_of(text: str, zone: ZoneInfo) -> datetime | None:
    """The same; a day alone is its end."""
    found = moment_of(text, zone)
    return datetime.combine(found.date(), _END_OF_DAY, zone) if found is not None and "T" not in text else found


def start_of(text: str, zone: ZoneInfo, days: int = 0) -> datetime | None:
    """The first moment of a day, or of that `days` later; None for what is no day."""
    with suppress(ValueError, OverflowError):
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(), zone)
    return None
