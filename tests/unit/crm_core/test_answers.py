"""What is said to clients by itself, and when."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.model.answers import (
    Answers,
    MenuItem,
    Written,
    due,
    greeting_key,
    item_key,
    occasions,
    off_hours_key,
)
from crm_core.model.calendar import ALWAYS, DayHours, WorkingHours

MOSCOW = ZoneInfo("Europe/Moscow")
WEEKDAYS = WorkingHours(
    "office",
    MOSCOW,
    dict.fromkeys(range(5), (DayHours(time(9), time(18)),)),
    frozenset({date(2026, 11, 25)}),
)
BOTH = Answers("Здравствуйте!", "Мы закрыты", "office", (MenuItem("a", "Цены", "100"),), ask_contact=True)
PLACE = "telegram:shop:1"
GREETING = greeting_key(PLACE)


def moment(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026, Moscow's time; the 23rd is a Monday, the 25th a day off."""
    return datetime(2026, 11, day, hour, minute, tzinfo=MOSCOW).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (moment(23, 12), None),
        (moment(23, 9), None),
        (moment(23, 18), (moment(23, 18), moment(24, 9))),
        (moment(23, 3), (moment(20, 18), moment(23, 9))),
        (moment(22, 12), (moment(20, 18), moment(23, 9))),
        (moment(24, 20), (moment(24, 18), moment(26, 9))),
        (moment(25, 12), (moment(24, 18), moment(26, 9))),
    ],
)
def test_the_closed_period_around_a_moment(at: datetime, expected: tuple[datetime, datetime] | None) -> None:
    assert WEEKDAYS.closed_period(at) == expected


def test_what_never_closes_and_what_never_opens() -> None:
    assert ALWAYS.closed_period(moment(23, 3)) is None
    shut = WorkingHours("shut", MOSCOW, {0: ()})
    assert shut.closed_period(moment(23, 3)) == (None, None)


@given(st.integers(0, 365 * 24 * 60))
def test_a_closed_period_is_the_same_from_wherever_in_it_one_looks(minutes: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    period = WEEKDAYS.closed_period(at)
    assert (period is None) == WEEKDAYS.is_open(at)
    if period is not None:
        since, until = period
        assert since is not None
        assert until is not None
        assert since <= at < until
        assert WEEKDAYS.closed_period(since) == period
        assert WEEKDAYS.is_open(until)


NIGHT, DAY = moment(23, 20), moment(23, 12)
CLOSED = off_hours_key(PLACE, moment(24, 9))


@pytest.mark.parametrize(
    ("name", "at", "now", "asks", "said", "attended", "spoken_at", "expected"),
    [
        ("by day a greeting", DAY, DAY, True, set(), False, None, ("Здравствуйте!",)),
        ("by night both", NIGHT, NIGHT, True, set(), False, None, ("Здравствуйте!", "Мы закрыты")),
        ("greeted before", DAY, DAY, True, {GREETING}, False, None, ()),
        ("greeted before, by night", NIGHT, NIGHT, True, {GREETING}, False, None, ("Мы закрыты",)),
        ("told before", NIGHT, NIGHT, True, {GREETING, CLOSED}, False, None, ()),
        ("a bot was started by night", NIGHT, NIGHT, False, set(), False, None, ("Здравствуйте!",)),
        ("a person is in the conversation", DAY, DAY, True, set(), True, DAY - timedelta(days=9), ()),
        ("and it is night", NIGHT, NIGHT, True, set(), True, DAY, ("Мы закрыты",)),
        ("somebody writes to them tonight", NIGHT, NIGHT, True, set(), True, moment(23, 19), ()),
        ("quarter of an hour late", DAY, DAY + timedelta(minutes=15), True, set(), False, None, ("Здравствуйте!",)),
        ("later still", DAY, DAY + timedelta(minutes=16), True, set(), False, None, ()),
        ("from an old mailbox", moment(1, 3), DAY, True, set(), False, None, ()),
        ("written at night, taken in by day", moment(24, 8, 58), moment(24, 9, 1), True, {GREETING}, False, None, ()),
        ("written by day, taken in at night", moment(23, 17, 58), moment(23, 18, 1), True, {GREETING}, False, None, ()),
        ("a clock ahead of ours", NIGHT, NIGHT - timedelta(minutes=5), True, {GREETING}, False, None, ("Мы закрыты",)),
    ],
)  # fmt: skip
def test_when_is_what_said(
    name: str,
    at: datetime,
    now: datetime,
    asks: bool,
    said: set[str],
    attended: bool,
    spoken_at: datetime | None,
    expected: tuple[str, ...],
) -> None:
    written = Written(PLACE, at, asks)
    found = due(BOTH, WEEKDAYS, written, now, said=said, attended=attended, spoken_at=spoken_at)
    assert found.texts == expected, name
    assert found.greets == ("Здравствуйте!" in expected)
    # whatever was dealt with, said or not, is an occasion that was to be looked up, and comes no more
    assert set(found.keys) <= set(occasions(BOTH, WEEKDAYS, written, now))
    again = due(BOTH, WEEKDAYS, written, now, said=said | set(found.keys), attended=attended, spoken_at=spoken_at)
    assert again.keys == again.texts == ()


@pytest.mark.parametrize("answers", [Answers(), Answers(off_hours="Мы закрыты"), Answers("Здравствуйте!")])
def test_what_is_not_configured_is_not_said(answers: Answers) -> None:
    found = due(answers, ALWAYS, Written(PLACE, NIGHT), NIGHT, said=())
    assert found.texts == ((answers.greeting,) if answers.greeting else ())
    assert occasions(answers, ALWAYS, Written(PLACE, NIGHT), NIGHT) == found.keys


def test_the_key_of_an_item_is_its_text_not_its_place() -> None:
    assert item_key("Цены") == item_key("  цены ") != item_key("Цена")
    # Telegram gives a button 64 bytes
    assert len(f"menu:{item_key('Ц' * 40)}".encode()) <= 64
    menu = (MenuItem("a", "А"), MenuItem("b", "Б"))
    assert Answers(menu=menu).item("b") == menu[1]
    assert Answers(menu=menu).item("c") is None


@pytest.mark.parametrize(("items", "rows"), [(0, []), (1, [1]), (5, [1] * 5), (6, [2, 2, 2]), (9, [2, 2, 2, 2, 1])])
def test_the_menu_as_rows(items: int, rows: list[int]) -> None:
    menu = tuple(MenuItem(str(number), str(number)) for number in range(items))
    found = Answers(menu=menu).rows
    assert [len(row) for row in found] == rows
    assert tuple(item for row in found for item in row) == menu
