"""The real clock and the driven one keep the same promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from crm_core.ports import Clock
from hub.clock import SystemClock
from tests.fakes.clock import START, DrivenClock


@pytest.mark.parametrize("clock", [SystemClock(), DrivenClock()])
def test_the_time_is_aware_and_in_utc_and_never_runs_back(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC
    first = clock.monotonic()
    assert clock.monotonic() >= first


def test_the_system_clock_tells_the_time() -> None:
    before = datetime.now(UTC)
    assert before <= SystemClock().now() <= datetime.now(UTC)


def test_a_driven_clock_stands_still_until_moved() -> None:
    clock = DrivenClock()
    started = clock.monotonic()
    assert clock.now() == clock.now() == START
    assert clock.advance(timedelta(hours=24)) == START + timedelta(days=1)
    assert clock.advance(0.5) == clock.now()
    assert clock.monotonic() == started + 86400.5


def test_jumps_move_the_wall_clock_alone() -> None:
    clock = DrivenClock()
    started = clock.monotonic()
    assert clock.jump(timedelta(days=-3)) == START - timedelta(days=3)
    assert clock.set(START.astimezone(timezone(timedelta(hours=3)))) == START
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() == started


def test_what_a_driven_clock_refuses() -> None:
    clock = DrivenClock()
    with pytest.raises(ValueError, match="jump"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="aware"):
        clock.set(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive time is what is refused
