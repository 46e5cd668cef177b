"""When the silence of a line is unusual: against its own week, never at night, on days off, for new lines."""

from __future__ import annotations

import math
import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.model.silence import (
    LEAST_EXPECTED,
    Habits,
    Rhythm,
    expected_calls,
    rhythm_of,
    silence_of,
    slot_of,
    slot_start,
)

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Habits(MOSCOW)
H = timedelta(hours=1)
W = timedelta(weeks=1)
WORKDAYS, HOURS = range(5), range(9, 18)


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    """A moment of spring 2026 in Moscow; 2 March is a Monday."""
    return datetime(2026, month, day, hour, minute, tzinfo=MOSCOW)


def office_calls(until: datetime, weeks: int, an_hour: int, zone: ZoneInfo = MOSCOW) -> dict[int, int]:
    """A line that rings evenly on workdays from nine to six."""
    counts: dict[int, int] = {}
    for slot in range(slot_of(until - weeks * W), slot_of(until)):
        local = slot_start(slot).astimezone(zone)
        if local.weekday() in WORKDAYS and local.hour in HOURS and local.minute == 0:
            counts[slot] = an_hour
    return counts


def rhythm(until: datetime, weeks: int = 8, an_hour: int = 4, habits: Habits = OFFICE) -> Rhythm:
    found = rhythm_of(office_calls(until, weeks, an_hour, habits.zone), until, habits)
    assert found is not None
    return found


def test_a_rhythm_is_calls_an_hour_of_the_week() -> None:
    found = rhythm(at(30, 0))
    assert found.hourly[0 * 24 + 8] == 0.0
    assert found.hourly[0 * 24 + 9] == found.hourly[4 * 24 + 17] == pytest.approx(4.0)
    assert found.hourly[5 * 24 + 12] == 0.0
    assert found.weekly == pytest.approx(4 * 9 * 5)
    assert found.threshold == pytest.approx(math.log(180_000))


CASES = (
    # what, last call, now, silent
    ("a pause of two hours", at(30, 10), at(30, 12), False),
    ("half a morning without a call", at(30, 9), at(30, 12), False),
    ("twelve calls expected is on the edge", at(30, 9), at(30, 12, 1), False),
    ("thirteen and none came", at(30, 9), at(30, 12, 30), True),
    ("a whole day", at(30, 9), at(30, 17, 59), True),
    ("the evening adds nothing", at(30, 16), at(30, 23), False),
    ("nor does the night", at(30, 16), at(31, 8, 59), False),
    ("nor the weekend", at(27, 17), at(30, 9, 30), False),
    ("yesterday evening and this morning add up", at(30, 16, 30), at(31, 10, 45), True),
    ("nobody is told at night of what the day already told", at(30, 9), at(31, 3), False),
    ("nor on Saturday", at(27, 9), at(28, 12), False),
)


@pytest.mark.parametrize(("what", "last", "now", "silent"), CASES, ids=[case[0] for case in CASES])
def test_a_line_with_four_calls_an_office_hour(what: str, last: datetime, now: datetime, silent: bool) -> None:
    assert (silence_of(rhythm(at(30, 0)), last, now, OFFICE, ()) is not None) is silent


def test_a_holiday_expects_nothing_and_tells_nothing() -> None:
    off = Habits(MOSCOW, frozenset({date(2026, 3, 31)}))
    usual = rhythm(at(30, 0), habits=off)
    assert silence_of(usual, at(30, 17, 30), at(31, 16), off, ()) is None
    assert expected_calls(usual, at(31, 0), at(1, 0, month=4), off, ()) == 0.0
    assert silence_of(usual, at(30, 17, 30), at(1, 10, month=4), off, ()) is None


def test_past_holidays_do_not_thin_the_rhythm() -> None:
    off = Habits(MOSCOW, frozenset({date(2026, 3, 9)}))
    counts = {
        slot: count
        for slot, count in office_calls(at(30, 0), 8, 4).items()
        if slot_start(slot).astimezone(MOSCOW).date() not in off.days_off
    }
    found = rhythm_of(counts, at(30, 0), off)
    assert found is not None
    assert found.hourly[9] == pytest.approx(4.0, rel=0.1)


def test_time_when_nobody_listened_is_no_silence() -> None:
    usual, last, now = rhythm(at(30, 0)), at(30, 9), at(30, 17)
    assert silence_of(usual, last, now, OFFICE, ()) is not None
    away = [(at(30, 9, 15), at(30, 16)), (at(30, 12), at(30, 13)), (at(29, 0), at(30, 9, 10))]
    found = expected_calls(usual, last, now, OFFICE, away)
    assert found == pytest.approx(4 * (5 / 60 + 1))
    assert silence_of(usual, last, now, OFFICE, away) is None


@pytest.mark.parametrize("weeks", [0, 1, 2])
def test_a_new_line_has_no_rhythm(weeks: int) -> None:
    assert rhythm_of(office_calls(at(30, 0), weeks, 20), at(30, 0), OFFICE) is None


def test_a_line_that_hardly_ever_rings_has_none_either() -> None:
    assert rhythm_of({slot_of(at(30, 0) - 6 * W): 1, slot_of(at(30, 0) - W): 1}, at(30, 0), OFFICE) is None
    assert rhythm_of({}, at(30, 0), OFFICE) is None


def test_a_quiet_line_needs_a_long_silence() -> None:
    """One call a day: half a dozen working days have to pass, and a bit."""
    counts = {slot_of(at(30, 0) - timedelta(days=back) + 11 * H): 1 for back in range(1, 57)}
    found = rhythm_of(counts, at(30, 0), OFFICE)
    assert found is not None
    last = at(29, 11)
    assert silence_of(found, last, last + timedelta(days=7), OFFICE, ()) is None
    assert silence_of(found, last, last + timedelta(days=9), OFFICE, ()) is not None


def test_one_busy_week_does_not_make_the_others_silent() -> None:
    counts = office_calls(at(30, 0), 8, 1)
    for slot in counts:
        if at(30, 0) - slot_start(slot) > 7 * W:
            counts[slot] = 100
    found = rhythm_of(counts, at(30, 0), OFFICE)
    assert found is not None
    assert found.weekly == pytest.approx(45, rel=0.05)
    assert silence_of(found, at(30, 9), at(30, 17), OFFICE, ()) is None


def test_the_day_a_zone_changes_its_clock_keeps_its_hours() -> None:
    """Sunday 29 March 2026 in Berlin; the office rings by its own clock before and after."""
    habits = Habits(BERLIN)
    until = datetime(2026, 4, 3, tzinfo=BERLIN)
    found = rhythm(until, habits=habits)
    assert found.hourly[8] == found.hourly[18] == 0.0
    assert found.hourly[9] == pytest.approx(4.0)
    day = (datetime(2026, 3, 30, tzinfo=BERLIN), datetime(2026, 3, 31, tzinfo=BERLIN))
    assert expected_calls(found, *day, habits, ()) == pytest.approx(36.0)


def test_chance_alone_hardly_ever_raises_an_alarm() -> None:
    """A hundred weeks of calls by pure chance: at the utmost one false alarm."""
    usual, alarms = rhythm(at(30, 0)), 0
    chance = random.Random(7)
    last = now = at(30, 9).astimezone(UTC)
    end = now + 100 * W
    while now < end:
        hour = OFFICE.hour(now)
        rate = usual.hourly[hour] if hour is not None else 0.0
        if chance.random() < rate / 12:
            last = now
        elif rate and now - last > 2 * H and silence_of(usual, last, now, OFFICE, ()) is not None:
            alarms, last = alarms + 1, now
        now += timedelta(minutes=5)
    assert alarms <= 1


moments = st.floats(0, 330).map(lambda days: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days))
pasts = st.dictionaries(
    st.integers(slot_of(datetime(2025, 11, 1, tzinfo=UTC)), slot_of(datetime(2026, 12, 1, tzinfo=UTC))),
    st.integers(0, 50),
    max_size=200,
)


@given(counts=pasts, now=moments, back=st.floats(0, 60 * 24), deaf=st.lists(st.tuples(moments, moments), max_size=5))
def test_whatever_was_the_judgement_keeps_its_bounds(
    counts: dict[int, int], now: datetime, back: float, deaf: list[tuple[datetime, datetime]]
) -> None:
    found = rhythm_of(counts, now, OFFICE)
    if found is None:
        return
    last = now - timedelta(hours=back)
    spans = [(min(pair), max(pair)) for pair in deaf]
    whole = expected_calls(found, last, now, OFFICE, ())
    heard = expected_calls(found, last, now, OFFICE, spans)
    assert 0.0 <= heard <= whole + 1e-6
    assert expected_calls(found, last, now, OFFICE, [(last, now)]) == 0.0
    later = expected_calls(found, last, now + H, OFFICE, spans)
    assert later >= heard - 1e-6
    silence = silence_of(found, last, now, OFFICE, spans)
    if silence is not None:
        assert silence.expected >= LEAST_EXPECTED
        assert silence.chance <= math.exp(-LEAST_EXPECTED)


def test_deafness_outside_the_time_asked_about_changes_nothing() -> None:
    usual, now = rhythm(at(30, 0)), at(30, 0)
    whole = expected_calls(usual, now - 10 * H, now, OFFICE, ())
    assert expected_calls(usual, now - 10 * H, now, OFFICE, [(now + H, now + 2 * H)]) == whole
    assert expected_calls(usual, now - 10 * H, now, OFFICE, [(now - 20 * H, now - 12 * H)]) == whole


@given(now=moments, cut=st.floats(0, 1), back=st.floats(0, 24 * 14))
def test_expectation_adds_up(now: datetime, cut: float, back: float) -> None:
    usual = rhythm(at(30, 0))
    last = now - timedelta(hours=back)
    middle = last + cut * (now - last)
    parts = expected_calls(usual, last, middle, OFFICE, ()) + expected_calls(usual, middle, now, OFFICE, ())
    assert parts == pytest.approx(expected_calls(usual, last, now, OFFICE, ()), abs=1e-6)
