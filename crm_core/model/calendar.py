"""Working time: when an office is open, and when so much working time will have passed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# How the calendar that never closes is called.
ANY_HOURS = "any"
_LOOK_AHEAD_DAYS = 400
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayHours:
    """One opening of a day, local time, `start` < `end`; `end` of 00:00 is the end of the day."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """A calendar: openings per weekday (0 is Monday), days off, its zone. Without any openings it never closes."""

    name: str
    zone: ZoneInfo
    week: dict[int, tuple[DayHours, ...]] = field(default_factory=dict)
    days_off: frozenset[date] = frozenset()

    @property
    def always(self) -> bool:
        """True where the calendar never closes."""
        return not self.week

    def is_open(self, at: datetime) -> bool:
        """Whether working time runs at this moment."""
        if self.always:
            return True
        day = at.astimezone(self.zone).date()
        return any(start <= at < end for start, end in self._openings(day))

    def closed_period(self, at: datetime) -> tuple[datetime | None, datetime | None] | None:
        """From when to when (UTC) the office is closed around this moment; None where it is open.

        An end that lies more than a year away is None.
        """
        if self.is_open(at):
            return None
        day = at.astimezone(self.zone).date()
        since = until = None
        for offset in range(-1, _LOOK_AHEAD_DAYS):
            # from tomorrow backwards, then from yesterday onwards: openings may reach over midnight
            if since is None:
                ends = [end for _, end in self._openings(day - timedelta(days=offset)) if end <= at]
                since = max(ends, default=None)
            if until is None:
                starts = [start for start, _ in self._openings(day + timedelta(days=offset)) if start > at]
                until = min(starts, default=None)
            if since is not None and until is not None:
                break
        return since, until

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The moment (UTC) when `duration` of working time has passed since `start`."""
        if self.always or duration <= timedelta(0):
            return start + max(duration, timedelta(0))
        left = duration
        for opening, closing in self._from(start):
            begin = max(opening, start)
            if closing <= begin:
                continue
            if closing - begin >= left:
                return (begin + left).astimezone(UTC)
            left -= closing - begin
        return start + duration  # a calendar closed for more than a year counts plain time rather than never

    def due(self, start: datetime, duration: timedelta) -> datetime:
        """The moment (UTC) when something is due that takes `duration` from `start` on, as people of an office mean it.

        Whole days are working days: "1d" is the same hour of the next one, at the latest when it closes. Anything else
        is working time, as `add` counts it.
        """
        days, rest = divmod(duration, _DAY)
        if self.always or rest or days <= 0:
            return self.add(start, duration)
        begin = self.next_open(start)
        if begin is None:
            return start + duration
        local = begin.astimezone(self.zone)
        for offset in range(1, _LOOK_AHEAD_DAYS):
            day = local.date() + timedelta(days=offset)
            openings = list(self._openings(day))
            days -= bool(openings)
            if not days:
                at = datetime.combine(day, local.time(), self.zone).astimezone(UTC)
                reached = [min(at, closing) for opening, closing in openings if opening <= at]
                return max(reached, default=openings[0][0])
        return start + duration

    def next_open(self, at: datetime) -> datetime | None:
        """This moment where the office is open, else the next at which it opens; None where it never does."""
        if self.always:
            return at
        return next((max(opening, at) for opening, closing in self._from(at) if closing > at), None)

    def next_closed(self, at: datetime) -> datetime | None:
        """This moment where the office is closed, else the next at which it closes; None where it never does."""
        if self.always:
            return None
        for _ in range(_LOOK_AHEAD_DAYS):
            day = at.astimezone(self.zone).date()
            closing = next((end for start, end in self._openings(day) if start <= at < end), None)
            if closing is None:
                return at
            at = closing
        return None

    def _from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        first = start.astimezone(self.zone).date()
        for offset in range(_LOOK_AHEAD_DAYS):
            yield from self._openings(first + timedelta(days=offset))

    def _openings(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if day in self.days_off:
            return
        for hours in self.week.get(day.weekday(), ()):
            end_day = day + timedelta(days=1) if hours.end == time(0) else day
            begin = datetime.combine(day, hours.start, self.zone)
            end = datetime.combine(end_day, hours.end, self.zone)
            # UTC, so that differences are elapsed time also on the day a zone changes its clock
            yield begin.astimezone(UTC), end.astimezone(UTC)


ALWAYS = WorkingHours(ANY_HOURS, ZoneInfo("UTC"))
