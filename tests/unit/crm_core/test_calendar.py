"""Working time: lunch, midnight, days off, clocks that change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from crm_core.model.calendar import ALWAYS, DayHours, WorkingHours
from crm_core.model.ladder import BUILT_IN_STEPS, Ladder, LadderEvent, Ladders, LadderStep, Told

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
MORNING, AFTERNOON = DayHours(time(9), time(13)), DayHours(time(14), time(18))
OFFICE = WorkingHours("office", MOSCOW, dict.fromkeys(range(5), (MORNING, AFTERNOON)), frozenset({date(2026, 3, 9)}))
H = timedelta(hours=1)


def moscow(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=MOSCOW)


def test_lunch_does_not_count() -> None:
    assert OFFICE.add(moscow(2, 12), 2 * H) == moscow(2, 15)
    assert not OFFICE.is_open(moscow(2, 13))
    assert OFFICE.is_open(moscow(2, 14))
    assert not OFFICE.is_open(moscow(2, 18))


def test_the_evening_goes_on_in_the_morning() -> None:
    assert OFFICE.add(moscow(2, 17), 2 * H) == moscow(3, 10)
    assert OFFICE.add(moscow(2, 23), H) == moscow(3, 10)


def test_weekends_and_days_off_are_skipped() -> None:
    # Friday 17:00, then Saturday, Sunday and a Monday off.
    assert OFFICE.add(moscow(6, 17), 2 * H) == moscow(10, 10)


def test_a_whole_opening_ends_at_its_closing() -> None:
    assert OFFICE.add(moscow(2, 9), 8 * H) == moscow(2, 18)


def test_midnight_ends_the_day() -> None:
    late = WorkingHours("late", MOSCOW, {0: (DayHours(time(20), time(0)),), 1: (DayHours(time(0), time(2)),)})
    assert late.is_open(moscow(2, 23, 59))
    assert late.is_open(moscow(3, 0))
    assert late.add(moscow(2, 23), 2 * H) == moscow(3, 1)


def test_elapsed_time_counts_where_clocks_change() -> None:
    # 29 March 2026, 02:00 becomes 03:00 in Berlin: the night shift is an hour shorter.
    night = WorkingHours("night", BERLIN, {6: (DayHours(time(0), time(6)),)})
    start = datetime(2026, 3, 29, 0, tzinfo=BERLIN)
    assert night.add(start, 5 * H) == datetime(2026, 3, 29, 6, tzinfo=BERLIN)
    # 25 October 2026, 03:00 becomes 02:00: an hour longer.
    start = datetime(2026, 10, 25, 0, tzinfo=BERLIN)
    assert night.add(start, 7 * H) == datetime(2026, 10, 25, 6, tzinfo=BERLIN)


def test_days_are_working_days() -> None:
    day = timedelta(days=1)
    assert OFFICE.due(moscow(2, 11), day) == moscow(3, 11)
    assert OFFICE.due(moscow(2, 11), 3 * day) == moscow(5, 11)
    # Friday, then a weekend and a Monday off.
    assert OFFICE.due(moscow(6, 17), day) == moscow(10, 17)
    # What comes at night or at lunch is as if it came at the opening.
    assert OFFICE.due(moscow(2, 23), day) == moscow(4, 9)
    assert OFFICE.due(moscow(2, 13, 30), day) == moscow(3, 14)
    # Less than days is working time, and so is more than whole days.
    assert OFFICE.due(moscow(2, 17), 2 * H) == OFFICE.add(moscow(2, 17), 2 * H)
    assert OFFICE.due(moscow(2, 17), 25 * H) == OFFICE.add(moscow(2, 17), 25 * H)
    assert OFFICE.due(moscow(2, 11), -day) == moscow(2, 11)


def test_a_short_day_is_over_when_it_closes() -> None:
    week: dict[int, tuple[DayHours, ...]] = {4: (DayHours(time(9), time(18)),), 5: (DayHours(time(10), time(15)),)}
    shop = WorkingHours("shop", MOSCOW, week)
    assert shop.due(moscow(6, 17), timedelta(days=1)) == moscow(7, 15)
    assert shop.due(moscow(6, 9, 30), timedelta(days=1)) == moscow(7, 10)
    assert shop.due(moscow(6, 9, 30), timedelta(days=2)) == moscow(13, 9, 30)


def test_always_is_plain_time() -> None:
    assert ALWAYS.due(moscow(7, 3), 24 * H) == moscow(8, 3)
    assert ALWAYS.add(moscow(7, 3), 24 * H) == moscow(8, 3)
    assert ALWAYS.add(moscow(7, 3), -H) == moscow(7, 3)
    assert ALWAYS.is_open(moscow(7, 3))


def test_an_office_that_never_opens_again_counts_plain_time() -> None:
    closed = WorkingHours("closed", MOSCOW, {0: ()})
    assert closed.due(moscow(2, 9), 24 * H) == moscow(3, 9)
    assert closed.add(moscow(2, 9), H) == moscow(2, 10)


_moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
_durations = st.timedeltas(timedelta(0), timedelta(days=20))


@given(_moments, _durations, _durations)
def test_more_working_time_never_ends_earlier_and_all_of_it_ends_in_open_hours(
    start: datetime, one: timedelta, more: timedelta
) -> None:
    end = OFFICE.add(start, one)
    assert start <= end <= OFFICE.add(start, one + more)
    if one > timedelta(0):
        assert OFFICE.is_open(end - timedelta(microseconds=1))
        assert OFFICE.add(OFFICE.add(start, one), more) == OFFICE.add(start, one + more)


@given(_moments, _moments, _durations)
def test_who_starts_later_ends_no_earlier(one: datetime, other: datetime, duration: timedelta) -> None:
    first, last = sorted((one, other))
    assert OFFICE.add(first, duration) <= max(OFFICE.add(last, duration), last)


def test_a_rung_is_due_in_the_ladders_hours() -> None:
    steps = (LadderStep(timedelta(0), (Told.MANAGER,)), LadderStep(4 * H, (Told.HEAD,)))
    ladder = Ladder(LadderEvent.LEAD_UNTOUCHED, steps, OFFICE)
    opened = moscow(2, 16)
    assert [ladder.due(rung, opened) for rung in range(3)] == [opened, moscow(3, 11), None]


def test_unanswered_clients_always_have_a_ladder() -> None:
    ladders = Ladders.of(())
    for event in (LadderEvent.CALL_MISSED, LadderEvent.MESSAGE_UNANSWERED):
        ladder = ladders.get(event)
        assert ladder is not None
        assert ladder.steps == BUILT_IN_STEPS
    assert ladders.get(LadderEvent.LEAD_UNTOUCHED) is None
    own = Ladder(LadderEvent.CALL_MISSED, ())
    assert Ladders.of((own,)).get(LadderEvent.CALL_MISSED) is own
