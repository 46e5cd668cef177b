"""A clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, noon in Moscow


class DrivenClock:
    """A `Clock` that stands still until told to move. The wall clock may jump, the monotonic one never goes back."""

    def __init__(self, now: datetime = START) -> None:
        self._monotonic = 1000.0
        self._now = START
        self.set(now)

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return self._monotonic

    def advance(self, by: timedelta | float) -> datetime:
        """Let time pass, for both clocks (a number is seconds); returns the new wall time."""
        passed = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if passed < timedelta(0):
            raise ValueError("time does not pass backwards; to set the wall clock back there is jump()")
        self._monotonic += passed.total_seconds()
        self._now += passed
        return self._now

    def set(self, now: datetime) -> datetime:
        """Set the wall clock alone, forth or back; returns it."""
        if now.tzinfo is None:
            raise ValueError("the time has to be aware")
        self._now = now.astimezone(UTC)
        return self._now

    def jump(self, by: timedelta) -> datetime:
        """Set the wall clock alone, by this much, forth or back; returns it."""
        return self.set(self._now + by)
