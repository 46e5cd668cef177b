"""Recurrence: read as calendars write it, refused in words, worked out within bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.model.recurrence import checked_recurrence, next_time

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=DAILY", 1),
        ("FREQ=DAILY;INTERVAL=3", 3),
        ("FREQ=WEEKLY", 7),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO,FR", 4),
        ("freq=weekly;interval=2;byday=mo", 14),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", 29),
        ("FREQ=MONTHLY;BYDAY=1MO", 35),
        ("FREQ=YEARLY", 365),
    ],
)
def test_when_it_comes_next(rule: str, days: int) -> None:
    plain = checked_recurrence(rule, MONDAY, MOSCOW)
    assert next_time(plain, MONDAY, MONDAY, MOSCOW) == MONDAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("", "not a recurrence"),
        ("каждый день", "not a recurrence"),
        ("FREQ=HOURLY", "daily at most"),
        ("FREQ=DAILY;BYHOUR=1", "daily at most"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;COUNT=0", "COUNT"),
        ("FREQ=DAILY;COUNT=99999999999999999999", "COUNT"),
        ("FREQ=DAILY;COUNT=1", "never"),
        ("FREQ=DAILY;UNTIL=20260301T000000Z", "never"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "never"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "never"),
        ("FREQ=DAILY;UNTIL=99999999", "not a recurrence"),
        ("FREQ=DAILY;DTSTART=20200101", "not a recurrence"),
        ("COUNT=3", "not a recurrence"),
        ("FREQ=DAILY" + ";BYDAY=MO" * 100, "not a recurrence"),
    ],
)
def test_what_is_refused(rule: str, why: str) -> None:
    begun = perf_counter()
    with pytest.raises(ValueError, match=why):
        checked_recurrence(rule, MONDAY, MOSCOW)
    assert perf_counter() - begun < 5  # a rule that never comes true is not followed through all years


def test_a_series_ends_after_its_count_or_its_day() -> None:
    assert next_time("FREQ=DAILY;COUNT=3", MONDAY, MONDAY + timedelta(days=1), MOSCOW) == MONDAY + timedelta(days=2)
    assert next_time("FREQ=DAILY;COUNT=3", MONDAY, MONDAY + timedelta(days=2), MOSCOW) is None
    until = "FREQ=DAILY;UNTIL=20260303T090000Z"
    assert next_time(until, MONDAY, MONDAY, MOSCOW) == MONDAY + timedelta(days=1)
    assert next_time(until, MONDAY, MONDAY + timedelta(days=1), MOSCOW) is None
    assert next_time("FREQ=DAILY", MONDAY, MONDAY + timedelta(days=3700), MOSCOW) is None


def test_the_hour_stays_in_summer_and_winter() -> None:
    first = datetime(2026, 3, 28, 8, 0, tzinfo=UTC)  # 9:00 in Berlin, where the clock is put forward that night
    following = next_time("FREQ=DAILY", first, first, BERLIN)
    assert following == datetime(2026, 3, 29, 7, 0, tzinfo=UTC)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - zone given
    st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")),
    st.integers(1, 12),
    st.integers(0, 400),
)
def test_the_next_time_lies_ahead_and_on_the_grid(first: datetime, often: str, interval: int, ahead: int) -> None:
    after = first + timedelta(days=ahead)
    found = next_time(f"FREQ={often};INTERVAL={interval}", first, after, MOSCOW)
    if found is None:
        assert often in {"MONTHLY", "YEARLY"}  # the 29th of February every third year …
        return
    assert found > after
    local, begun = found.astimezone(MOSCOW), first.astimezone(MOSCOW)
    assert local.time() == begun.replace(microsecond=0).time()
    if often in {"DAILY", "WEEKLY"}:
        assert (local.date() - begun.date()).days % (interval * (7 if often == "WEEKLY" else 1)) == 0
    else:
        assert local.day == begun.day
