"""When the silence of a line is unusual, judged against the line's own weekly pattern. Pure; times are aware.

The calls of the last eight weeks make a rhythm: how many come in each hour of the week. The calls to be expected since
the last one follow from it; nights, days off and times when nobody listened expect none. With so many expected and none
come, chance has a probability of exp(-expected). A line is silent where chance would do that to it less than once in a
thousand weeks; a busy line has more gaps in a week, so it takes a few more expected calls.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import mean, median
from zoneinfo import ZoneInfo

SLOT = timedelta(minutes=30)
"""Calls are counted by half hours of UTC, so that they fall into the local hours of (nearly) every zone."""

WEEKS = 8
LEAST_WEEKS = 3
"""A line that has rung for less than this is new: nobody knows its habits."""

LEAST_EXPECTED = 5.0
UNLIKELY = 0.001

_WEEK = timedelta(weeks=1)
_HOURS_OF_WEEK = 7 * 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Habits:
    """What the hours of a place are: its zone, and the days on which nobody works (they count nowhere)."""

    zone: ZoneInfo
    days_off: AbstractSet[date] = frozenset()

    def hour(self, at: datetime) -> int | None:
        """The hour of the week (0 is Monday, midnight to one) of a moment; None on a day off."""
        local = at.astimezone(self.zone)
        return None if local.date() in self.days_off else local.weekday() * 24 + local.hour


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a line usually rings: calls an hour by the hour of the week, and calls a week altogether."""

    hourly: tuple[float, ...]
    weekly: float

    @property
    def threshold(self) -> float:
        """With so many calls expected and none come, the line is silent."""
        return max(LEAST_EXPECTED, math.log(max(self.weekly, 1.0) / UNLIKELY))


@dataclass(frozen=True, slots=True)
class Silence:
    """An unusual silence: since when, and how many calls would have come."""

    since: datetime
    expected: float

    @property
    def chance(self) -> float:
        """The probability that nobody called by chance."""
        return math.exp(-self.expected)


def slot_of(at: datetime) -> int:
    """The number of the half hour of a moment."""
    return (at - _EPOCH) // SLOT


def slot_start(slot: int) -> datetime:
    """When a half hour begins."""
    return _EPOCH + slot * SLOT


def rhythm_of(counts: Mapping[int, int], now: datetime, habits: Habits) -> Rhythm | None:
    """The rhythm of a line from its inbound calls a slot, of the last `WEEKS`; None for a new or a quiet line.

    A single busy week (a campaign) must not make the others look silent: where the middle one of the weeks is below
    their mean, the whole rhythm is lowered to it.
    """
    first = min((slot for slot, count in counts.items() if count), default=None)
    if first is None:
        return None
    begin = max(slot_start(first), now - WEEKS * _WEEK)
    weeks = (now - begin) // _WEEK
    if weeks < LEAST_WEEKS:
        return None
    totals = [0] * weeks
    for slot, count in counts.items():
        back = (now - slot_start(slot)) // _WEEK
        if 0 <= back < weeks:
            totals[back] += count
    usual = median(totals)
    if not usual:
        return None
    seen, hours = [0.0] * _HOURS_OF_WEEK, [0.0] * _HOURS_OF_WEEK
    start = now - weeks * _WEEK
    for slot in range(slot_of(start), slot_of(now)):
        hour = habits.hour(slot_start(slot))
        if hour is not None:
            seen[hour] += counts.get(slot, 0)
            hours[hour] += SLOT / timedelta(hours=1)
    lowered = min(1.0, usual / mean(totals))
    hourly = tuple(lowered * calls / spent if spent else 0.0 for calls, spent in zip(seen, hours, strict=True))
    return Rhythm(hourly, sum(hourly))


def expected_calls(rhythm: Rhythm, since: datetime, until: datetime, habits: Habits, deaf: Iterable[Span]) -> float:
    """How many calls usually come between two moments, without the spans when nobody listened (`deaf`)."""
    spans = sorted((max(begin, since), min(end, until)) for begin, end in deaf)
    total, at = 0.0, since
    for begin, end in spans:
        if end <= max(at, begin):
            continue  # within another one, or outside the time asked about
        total += _between(rhythm, at, begin, habits)
        at = max(at, end)
    return total + _between(rhythm, at, until, habits)


def silence_of(rhythm: Rhythm, last: datetime, now: datetime, habits: Habits, deaf: Sequence[Span]) -> Silence | None:
    """Whether a line whose last call came at `last` is unusually silent now; None at hours when it never rings."""
    hour = habits.hour(now)
    if hour is None or not rhythm.hourly[hour]:
        return None
    expected = expected_calls(rhythm, last, now, habits, deaf)
    return Silence(last, expected) if expected >= rhythm.threshold else None


def _between(rhythm: Rhythm, since: datetime, until: datetime, habits: Habits) -> float:
    total = 0.0
    for slot in range(slot_of(since), slot_of(until) + 1) if until > since else ():
        begin = slot_start(slot)
        hour = habits.hour(begin)
        if hour is not None:
            overlap = min(begin + SLOT, until) - max(begin, since)
            total += rhythm.hourly[hour] * (overlap / timedelta(hours=1))
    return total
