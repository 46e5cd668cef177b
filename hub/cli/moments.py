"""Moments as people write them on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import typer

from crm_core.model.durations import duration

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def moment(text: str, zone: ZoneInfo, *, whole_day: bool = False) -> datetime:
    """`2026-11-22T10:00` in the office's zone, or with a zone of its own, in UTC; raises BadParameter.

    A date alone is its beginning; with `whole_day` its end, so that «until the 5th» holds the 5th.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as err:
        raise typer.BadParameter(
            f"«{text}» не время: 2026-11-22, 2026-11-22T10:00 или 2026-11-22T10:00:00+03:00"
        ) from err
    if whole_day and _DAY.match(text):
        found += timedelta(days=1)
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)


def past(text: str, now: datetime, zone: ZoneInfo = ZoneInfo("UTC")) -> datetime:  # noqa: B008 - zones are shared
    """`30d` or `12h` ago, or a moment as `moment` reads it; raises BadParameter."""
    try:
        return now - duration(text)
    except ValueError:
        return moment(text, zone)
