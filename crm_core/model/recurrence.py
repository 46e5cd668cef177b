"""Recurrence as calendars write it (RFC 5545 RRULE): checked, and the next time worked out, always within bounds."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from crm_core.wording import Sentence

_LONGEST = 300
_LASTS = timedelta(days=3660)
_MOST_TIMES = 1000
_MOST_INTERVAL = 999
_OFTENER_THAN_DAILY = re.compile(r"FREQ=(HOURLY|MINUTELY|SECONDLY)|BYHOUR|BYMINUTE|BYSECOND|BYEASTER")
_PARTS = re.compile(r"(?:[A-Z]+=[A-Z0-9,+\-]+)(?:;[A-Z]+=[A-Z0-9,+\-]+)*\Z", re.ASCII)
_UNTIL = re.compile(r"UNTIL=(\d{8}T\d{6})Z")
_COUNT = re.compile(r";?COUNT=(\d+)")
_INTERVAL = re.compile(r"INTERVAL=([^;]+)")
# A rule that never comes true is followed by the library to the end of all years. So a series is put, calendars being
# the same every 28 years between two centuries, where that end is near.
_NEAR_THE_END = range(9960, 9988)
_FIRST_YEAR, _LAST_YEAR = 1971, 2080


def checked_recurrence(text: str, first: datetime, zone: ZoneInfo) -> str:
    """The rule in one form (`FREQ=WEEKLY;BYDAY=MO`), for a series whose first time is `first`.

    Raises ValueError in words where it can't be read, comes oftener than daily, or never comes again.
    """
    plain = text.strip().upper().removeprefix("RRULE:")
    if len(plain) > _LONGEST or not _PARTS.match(plain):
        raise ValueError(
            Sentence("«{text}» is not a recurrence: write it like FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", text=text[:80])
        )
    found = _OFTENER_THAN_DAILY.search(plain)
    if found is not None:
        raise ValueError(Sentence("«{found}»: a task recurs daily at most", found=found[0]))
    for name, pattern, most in (("COUNT", _COUNT, _MOST_TIMES), ("INTERVAL", _INTERVAL, _MOST_INTERVAL)):
        given = pattern.search(plain)
        if given is not None and not (given[1].isdecimal() and 1 <= int(given[1][:9]) <= most):
            raise ValueError(Sentence("{name}: from 1 to {most}", name=name, most=most))
    if not _FIRST_YEAR <= first.year <= _LAST_YEAR:
        raise ValueError(
            Sentence(
                "a series begins between the years {first_year} and {last_year}",
                first_year=_FIRST_YEAR,
                last_year=_LAST_YEAR,
            )
        )
    if next_time(plain, first, first, zone) is None:
        raise ValueError(Sentence("«{plain}» never comes again within ten years", plain=plain))
    return plain


def next_time(text: str, first: datetime, after: datetime, zone: ZoneInfo) -> datetime | None:
    """The first time of the series after a moment, UTC; None where it is over: a series lasts ten years at most.

    The time of day is that of `first` in `zone`, summer and winter. Raises ValueError where the rule can't be read.
    """
    counted = _COUNT.search(text)
    most = int(counted[1]) if counted is not None else None
    start, since = (each.astimezone(zone).replace(tzinfo=None, microsecond=0) for each in (first, after))
    away = _away(start)
    number = 1
    time: datetime
    try:
        for time in _rule(text, start, away, zone):
            if time == start + away:
                continue
            number += 1
            if (most is not None and number > most) or time > start + _LASTS + away:
                return None
            if time - away > since:
                return (time - away).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, KeyError, AttributeError, IndexError) as err:
        raise ValueError(Sentence("«{text}» is not a recurrence: {why}", text=text[:80], why=err)) from err
    return None


def _rule(text: str, start: datetime, away: timedelta, zone: ZoneInfo) -> rrule:
    """The rule over local times, so far away."""
    plain = _COUNT.sub("", _UNTIL.sub(lambda found: f"UNTIL={_local(found[1], zone)}", text)).lstrip(";")
    parsed = rrulestr(plain, dtstart=start + away)
    if not isinstance(parsed, rrule):
        raise ValueError(Sentence("one rule, no set of rules"))  # noqa: TRY004 - told as every other fault of the text
    until: datetime | None = parsed._until  # noqa: SLF001 - the library gives it no other way
    return parsed.replace(until=min(until, start + _LASTS) + away) if until is not None else parsed


def _away(start: datetime) -> timedelta:
    """How far away is the same day of a year near the end with the same calendar."""
    leap, weekday = start.year % 4, date(start.year, 1, 1).weekday()
    year = next(each for each in _NEAR_THE_END if each % 4 == leap and date(each, 1, 1).weekday() == weekday)
    return date(year, 1, 1) - date(start.year, 1, 1)


def _local(moment: str, zone: ZoneInfo) -> str:
    found = datetime.strptime(moment, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return found.astimezone(zone).strftime("%Y%m%dT%H%M%S")
