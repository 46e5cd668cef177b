"""When a client may be rung."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.model.calendar import DayHours
from crm_core.model.callback import CallbackReason, CallbackState, RobotRules, permitted_at

MOSCOW = "Europe/Moscow"
DAY = timedelta(days=1)
FIRST = datetime(2025, 1, 1, tzinfo=UTC)


def rules(start: time = time(9), end: time = time(21)) -> RobotRules:
    return RobotRules(client_hours=DayHours(start, end))


def local(zone: str, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("zone", "at", "permitted"),
    [
        (MOSCOW, "2026-11-22T09:00:00", "2026-11-22T09:00:00"),
        (MOSCOW, "2026-11-22T08:59:59.999999", "2026-11-22T09:00:00"),
        (MOSCOW, "2026-11-22T20:59:59.999999", "2026-11-22T20:59:59.999999"),
        (MOSCOW, "2026-11-22T21:00:00", "2026-11-23T09:00:00"),
        (MOSCOW, "2026-11-22T00:00:00", "2026-11-22T09:00:00"),
        (MOSCOW, "2026-12-31T23:00:00", "2027-01-01T09:00:00"),
        ("Asia/Vladivostok", "2026-11-22T22:00:00", "2026-11-23T09:00:00"),
        # the night in which clocks go forward is an hour shorter, the one in which they go back an hour longer
        ("Europe/Berlin", "2026-03-28T21:00:00", "2026-03-29T09:00:00"),
        ("Europe/Berlin", "2026-10-24T21:00:00", "2026-10-25T09:00:00"),
        ("America/New_York", "2026-03-08T01:30:00", "2026-03-08T09:00:00"),
    ],
)
def test_from_nine_to_nine(zone: str, at: str, permitted: str) -> None:
    found = permitted_at(rules(), ZoneInfo(zone), local(zone, at).astimezone(UTC))
    assert found == local(zone, permitted)
    assert found.utcoffset() == timedelta(0)


def test_the_same_moment_is_night_here_and_day_there() -> None:
    at = local(MOSCOW, "2026-11-22T19:00:00")
    assert permitted_at(rules(), ZoneInfo(MOSCOW), at) == at
    there = permitted_at(rules(), ZoneInfo("Asia/Novosibirsk"), at)
    assert there == local("Asia/Novosibirsk", "2026-11-23T09:00:00")


@pytest.mark.parametrize(
    ("at", "permitted"),
    [
        ("2026-11-22T23:59:59", "2026-11-22T23:59:59"),
        ("2026-11-23T00:00:00", "2026-11-23T09:00:00"),
        ("2026-11-22T08:00:00", "2026-11-22T09:00:00"),
    ],
)
def test_hours_until_the_end_of_the_day(at: str, permitted: str) -> None:
    assert permitted_at(rules(end=time(0)), ZoneInfo(MOSCOW), local(MOSCOW, at)) == local(MOSCOW, permitted)


def test_all_day_long() -> None:
    for hour in range(24):
        at = datetime(2026, 11, 22, hour, 30, tzinfo=UTC)
        assert permitted_at(rules(time(0), time(0)), ZoneInfo(MOSCOW), at) == at


def test_an_opening_that_the_clocks_leap_over_is_when_they_have_leapt() -> None:
    zone = ZoneInfo("Europe/Berlin")
    found = permitted_at(rules(start=time(2, 30)), zone, local("Europe/Berlin", "2026-03-29T00:30:00"))
    assert found == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert permitted_at(rules(start=time(2, 30)), zone, found) == found


ZONES = ("Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Asia/Anadyr")


@given(
    st.sampled_from(ZONES),
    st.integers(0, 3 * 366 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes, seconds=minutes % 60)),
    st.integers(4, 12),
    st.integers(1, 12),
)
def test_never_outside_the_hours_never_earlier_and_never_later_than_needed(
    zone: str, at: datetime, start: int, length: int
) -> None:
    end = time((start + length) % 24)
    some = rules(time(start), end)
    found = permitted_at(some, ZoneInfo(zone), at)
    clock = found.astimezone(ZoneInfo(zone)).time()
    assert clock >= time(start)
    assert end == time(0) or clock < end
    assert at <= found <= at + DAY + timedelta(hours=1)
    assert permitted_at(some, ZoneInfo(zone), found) == found
    assert some.hours_in(ZoneInfo(zone)).is_open(found)
    assert found == at or not some.hours_in(ZoneInfo(zone)).is_open(at)


def test_each_robot_is_switched_on_by_itself() -> None:
    assert not any(RobotRules().wants(reason) for reason in CallbackReason)
    for on, reason in (
        (RobotRules(on_take=True), CallbackReason.TAKEN),
        (RobotRules(on_missed=True), CallbackReason.MISSED),
        (RobotRules(on_order=True), CallbackReason.ORDERED),
    ):
        assert [each for each in CallbackReason if on.wants(each)] == [reason]


def test_what_waits_or_is_dialled_is_active() -> None:
    assert {each for each in CallbackState if each.active} == {CallbackState.WAITING, CallbackState.DIALLING}


def test_the_hours_are_every_days() -> None:
    hours = rules().hours_in(ZoneInfo(MOSCOW))
    first = date(2026, 11, 16)
    for day in range(7):
        at = datetime.combine(first + timedelta(days=day), time(10), ZoneInfo(MOSCOW))
        assert hours.is_open(at)
