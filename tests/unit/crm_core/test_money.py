"""Money of lines, instalments and payments: tables, and properties over anything that can be given."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.errors import InvalidInput
from crm_core.model.instalments import end_of, monthly, reached, split, standing
from crm_core.model.money import MOST, bounded, gross, part_of, shown
from crm_core.model.selling import PaymentKind, PaymentRecord

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MOSCOW = "Europe/Moscow"


def payment(number: int, kind: PaymentKind, amount: int, **more: Any) -> PaymentRecord:
    made = more.pop("created_at", NOW)
    return PaymentRecord(number, 1, None, kind, amount, "RUB", made, "ivan", **more)


def came(number: int, amount: int, day: int, **more: Any) -> PaymentRecord:
    at = NOW + timedelta(days=day)
    return payment(number, PaymentKind.RECEIVED, amount, at=at, created_at=at, **more)


def due(number: int, amount: int, on: str, kind: PaymentKind = PaymentKind.PLANNED, **more: Any) -> PaymentRecord:
    return payment(number, kind, amount, due_on=on, **more)


@pytest.mark.parametrize(
    ("quantity", "price", "expected"),
    [(1000, 5, 5), (500, 1, 1), (499, 1, 0), (1500, 333, 500), (1, 499, 0), (1, 500, 1), (0, 10, 0), (2500, 1, 3)],
)
def test_the_price_of_a_quantity_is_rounded_half_up(quantity: int, price: int, expected: int) -> None:
    assert gross(quantity, price) == expected


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_line_is_rounded_as_decimals_are(quantity: int, price: int) -> None:
    exact = Decimal(quantity * price) / 1000
    assert gross(quantity, price) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@given(st.integers(0, 10**15), st.integers(0, 10_000))
def test_a_discount_is_never_more_than_the_whole(amount: int, hundredths: int) -> None:
    part = part_of(amount, hundredths)
    assert 0 <= part <= amount
    assert abs(part * 10_000 - amount * hundredths) <= 5_000


def test_what_can_not_be_counted_with_is_refused() -> None:
    assert bounded(MOST, "amount") == MOST
    with pytest.raises(InvalidInput, match="amount"):
        bounded(MOST + 1, "amount")
    with pytest.raises(InvalidInput):
        bounded(-MOST - 1, "amount")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1_250_000, "RUB", "12 500,00 ₽"),
        (5, "USD", "0,05 $"),
        (-100, "EUR", "−1,00 €"),
        (1234, "JPY", "1 234 JPY"),
        (1234, "KWD", "1,234 KWD"),
    ],
)
def test_money_for_people(amount: int, currency: str, text: str) -> None:
    assert shown(amount, currency).replace("\u00a0", " ") == text


@given(st.integers(1, 600), st.integers(0, MOST))
def test_parts_come_to_the_whole(count: int, more: int) -> None:
    amount = count + more
    parts = split(amount, count)
    assert sum(parts) == amount
    assert len(parts) == count
    assert max(parts) - min(parts) <= 1
    assert min(parts) > 0


@pytest.mark.parametrize(("amount", "count"), [(1, 2), (0, 1), (-5, 1), (10, 0), (1000, 601)])
def test_what_can_not_be_parted(amount: int, count: int) -> None:
    with pytest.raises(InvalidInput):
        split(amount, count)


@given(st.dates(date(1970, 1, 1), date(8900, 12, 31)), st.integers(1, 600))
def test_months_follow_one_another(first: date, count: int) -> None:
    days = monthly(first, count)
    assert days[0] == first
    months = [day.year * 12 + day.month for day in days]
    assert months == list(range(months[0], months[0] + count))
    assert all(day.day == first.day or (day.day < first.day and (day + timedelta(1)).day == 1) for day in days)


def test_the_last_of_january_is_the_last_of_february() -> None:
    assert monthly(date(2028, 1, 31), 3) == [date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31)]


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        ("2026-03-10", MOSCOW, "2026-03-10T21:00:00+00:00"),
        ("2026-12-31", "Asia/Vladivostok", "2026-12-31T14:00:00+00:00"),
        ("2026-03-28", "Europe/Berlin", "2026-03-28T23:00:00+00:00"),
        ("2026-03-29", "Europe/Berlin", "2026-03-29T22:00:00+00:00"),
        ("2026-10-24", "America/Havana", "2026-10-25T04:00:00+00:00"),
    ],
)
def test_a_day_ends_at_midnight_of_its_zone(day: str, zone: str, end: str) -> None:
    assert end_of(day, zone).isoformat() == end


def test_money_covers_the_earliest_instalments_first() -> None:
    plan = [due(1, 100, "2026-03-10"), due(2, 100, "2026-04-10"), due(3, 100, "2026-05-10")]
    found = standing([*plan, came(4, 60, 1), came(5, 90, 2)], 300, MOSCOW)
    assert found.paid == 150
    assert dict(found.covered) == {1: 100, 2: 50, 3: 0}
    assert [each.settled_at for each in found.payments[:3]] == [NOW + timedelta(days=2), None, None]
    assert found.pay_by == end_of("2026-04-10", MOSCOW)
    assert found.next_mark == found.pay_by
    assert standing([*plan, came(4, 300, 1)], 300, MOSCOW).pay_by is None


def test_money_that_was_paid_back_opens_an_instalment_again() -> None:
    plan = [due(1, 100, "2026-03-10")]
    back = came(3, -40, 5)
    found = standing([*plan, came(2, 100, 1), back], 100, MOSCOW)
    assert (found.paid, found.payments[0].settled_at) == (60, None)
    again = standing([*plan, came(2, 100, 1), back, came(4, 40, 9)], 100, MOSCOW)
    assert again.payments[0].settled_at == NOW + timedelta(days=9)


def test_deleted_payments_do_not_count() -> None:
    found = standing([due(1, 100, "2026-03-10"), came(2, 100, 1, deleted_at=NOW)], 100, MOSCOW)
    assert (found.paid, found.covered[1], len(found.payments)) == (0, 0, 1)


def test_nothing_is_due_where_nobody_waits() -> None:
    found = standing([due(1, 100, "2026-03-10")], 100, MOSCOW, watched=False)
    assert (found.pay_by, found.next_mark) == (None, None)


def test_a_promise_is_kept_by_money_that_comes_after_it() -> None:
    promise = due(1, 100, "2026-03-10", PaymentKind.PROMISED, created_at=NOW + timedelta(days=3))
    before, after = came(2, 100, 1), came(3, 100, 4)
    assert standing([promise, before], 1000, MOSCOW).payments[0].settled_at is None
    assert standing([promise, before, after], 1000, MOSCOW).payments[0].settled_at == after.at
    # whatever was promised of a deal that is paid was kept
    assert standing([promise, before], 100, MOSCOW).payments[0].settled_at == before.at


def test_one_bit_of_money_keeps_one_promise() -> None:
    promises = [due(1, 50, "2026-03-10", PaymentKind.PROMISED), due(2, 50, "2026-03-20", PaymentKind.PROMISED)]
    found = standing([*promises, came(3, 70, 1)], 1000, MOSCOW)
    assert dict(found.covered) == {1: 50, 2: 20}
    assert [each.settled_at is None for each in found.payments[:2]] == [False, True]


def test_a_new_promise_takes_the_place_of_a_broken_one() -> None:
    broken = NOW + timedelta(days=10)
    first = due(1, 50, "2026-03-10", PaymentKind.PROMISED, broken_at=broken)
    second = due(2, 50, "2026-03-20", PaymentKind.PROMISED, created_at=broken + timedelta(hours=1))
    alone = standing([first], 1000, MOSCOW)
    assert (alone.pay_by, alone.next_mark) == (end_of("2026-03-10", MOSCOW), None)
    both = standing([first, second], 1000, MOSCOW)
    assert both.pay_by == both.next_mark == end_of("2026-03-20", MOSCOW)
    kept = standing([first, second, came(3, 50, 12)], 1000, MOSCOW)
    assert [each.settled_at is not None for each in kept.payments[:2]] == [False, True]
    assert kept.pay_by is None


amounts = st.integers(1, 10**9)
received = st.lists(
    st.builds(lambda amount, day: (amount, day), amounts | amounts.map(lambda each: -each), st.integers(0, 60)),
    max_size=12,
)
planned = st.lists(st.builds(lambda amount, day: (amount, day), amounts, st.integers(0, 60)), max_size=8)


@given(received, planned, st.integers(0, 10**10), st.randoms(use_true_random=False))
def test_what_is_covered_adds_up_whatever_the_order(
    money: list[tuple[int, int]], plan: list[tuple[int, int]], amount: int, random: Any
) -> None:
    payments = [came(number, each, day) for number, (each, day) in enumerate(money)]
    payments += [
        due(100 + number, each, (NOW + timedelta(days=day)).date().isoformat())
        for number, (each, day) in enumerate(plan)
    ]
    found = standing(payments, amount, MOSCOW)
    assert found.paid == sum(each for each, _ in money)
    whole = sum(each for each, _ in plan)
    assert sum(found.covered.values()) == min(max(found.paid, 0), whole)
    for each in found.payments:
        if each.kind is PaymentKind.PLANNED:
            assert (each.settled_at is not None) == (found.covered[each.id] == each.amount)
    shuffled = list(payments)
    random.shuffle(shuffled)
    again = standing(shuffled, amount, MOSCOW)
    assert {each.id: each for each in again.payments} == {each.id: each for each in found.payments}
    # a second look finds what the first one made
    assert {each.id: each for each in standing(found.payments, amount, MOSCOW).payments} == {
        each.id: each for each in found.payments
    }


@given(received)
def test_an_amount_is_reached_when_it_is_reached_for_good(money: list[tuple[int, int]]) -> None:
    ordered = sorted((came(number, each, day) for number, (each, day) in enumerate(money)), key=lambda p: (p.at, p.id))
    total = sum(each.amount for each in ordered)
    if total < 1:
        assert reached(ordered, 1) is None
        return
    since = reached(ordered, 1)
    assert since is not None
    running = 0
    last_below = None
    for each in ordered:
        running += each.amount
        if running < 1:
            last_below = each.at
    assert last_below is None or since >= last_below
