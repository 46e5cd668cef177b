"""Numbers, sums, days, yes and no as people write them; nothing that is given makes the readers fall over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.definitions import FieldBody
from crm_core.model.definitions.fields import FieldType
from crm_core.model.fields import field_of, in_scope, parse, rows_of, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 500,50", 1500.5),
        ("1\u00a0500\u202f000", 1500000),
        ("1,500.5", 1500.5),
        ("1.500,5", 1500.5),
        ("1.500.000", 1500000),
        ("1.500", 1.5),
        ("−3", -3),
        ("15 %", 15),
        (".5", 0.5),
        (7, 7),
        (2.0, 2),
    ],
)
def test_numbers(text: Any, expected: float) -> None:
    assert written.number(text) == expected


@pytest.mark.parametrize(
    "text", ["", "много", "1,2,3", "1.50.000", "1e5", "--1", "9" * 30, True, float("nan"), [1], None]
)
def test_no_numbers(text: Any) -> None:
    with pytest.raises(InvalidInput):
        written.number(text)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("150 000,50 ₽", 15000050, "RUB"),
        ("150000", 15000000, "RUB"),
        ("1 200 руб. 50 коп.", 120050, "RUB"),
        ("150 тыс. руб.", 15000000, "RUB"),
        ("1,5 млн", 150000000, "RUB"),
        ("1.500 р", 150000, "RUB"),
        ("$1,200.50", 120050, "USD"),
        ("-5 EUR", -500, "EUR"),
        ("1000 JPY", 1000, "JPY"),
        (10.5, 1050, "RUB"),
        ({"amount": 7, "currency": "KZT"}, 7, "KZT"),
    ],
)
def test_sums(text: Any, amount: int, currency: str) -> None:
    assert written.money(text) == {"amount": amount, "currency": currency}


@pytest.mark.parametrize(
    "text",
    ["", "1,005 ₽ 3", "10,0051 ₽", "5 попугаев", 10**14, {"amount": 1.5}, {"amount": 10**16}, {"sum": 1}, True],
)
def test_no_sums(text: Any) -> None:
    with pytest.raises(InvalidInput):
        written.money(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.03.2026", "2026-03-12"),
        ("2026-03-12", "2026-03-12"),
        ("1.3.26", "2026-03-01"),
        ("1/3/99", "1999-03-01"),
        ("12 марта 2026 г.", "2026-03-12"),
        ("5 мая 2026", "2026-05-05"),
        ("2026-03-12T10:00:00Z", "2026-03-12"),
        (datetime(2026, 3, 12, 23, tzinfo=UTC), "2026-03-12"),
    ],
)
def test_days(text: Any, expected: str) -> None:
    assert written.day(text) == expected


@pytest.mark.parametrize("text", ["", "вчера", "31.02.2026", "2026-13-01", "12.03", "0001-01-01", 5, None])
def test_no_days(text: Any) -> None:
    with pytest.raises(InvalidInput):
        written.day(text)


def test_yes_and_no() -> None:
    assert [written.flag(each) for each in ("Да", "yes", 1, True, "нет", "0", False)] == [True] * 4 + [False] * 3
    with pytest.raises(InvalidInput):
        written.flag("наверное")


def field(kind: FieldType) -> Any:
    more: dict[str, Any] = {}
    if kind in {FieldType.LIST, FieldType.MULTI}:
        more["options"] = ["Да", "Нет, спасибо", "Ёлка"]
    if kind is FieldType.FORMULA:
        more["expression"] = "1"
    if kind is FieldType.LINK:
        more["to"] = "contact"
    return field_of(5, FieldBody(of="deal", key="x", title="Икс", type=kind, indexed=True, **more))


def test_options_are_found_however_they_are_written() -> None:
    assert parse(field(FieldType.LIST), " елка ") == "Ёлка"
    assert parse(field(FieldType.MULTI), "да; ёлка, ДА") == ["Да", "Ёлка"]
    assert parse(field(FieldType.MULTI), "нет, спасибо") == ["Нет, спасибо"]
    with pytest.raises(InvalidInput, match="«Да», «Нет, спасибо», «Ёлка»"):
        parse(field(FieldType.LIST), "берёза")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(list(FieldType)), _JSON | st.from_regex(r"-?[0-9 .,₽$%a-zа-я]{0,20}", fullmatch=True))
def test_whatever_is_given_is_read_or_refused_in_words(kind: FieldType, given_value: Any) -> None:
    of = field(kind)
    try:
        value = parse(of, given_value)
    except InvalidInput:
        return
    if value is None:
        return
    assert parse(of, value) == value  # what is kept reads as itself
    assert shown(of, value)
    rows = list(rows_of(of, 7, value))
    assert all(len(row.text_key or "") <= 300 for row in rows)
    in_scope(of, value)


@given(st.integers(-(10**15), 10**15), st.sampled_from(["RUB", "USD", "EUR", "KZT"]))
def test_a_sum_that_is_shown_is_read_again(amount: int, currency: str) -> None:
    of = field(FieldType.MONEY)
    value = {"amount": amount, "currency": currency}
    assert parse(of, shown(of, value)) == value


@given(st.dates(min_value=datetime(1900, 1, 1, tzinfo=UTC).date(), max_value=datetime(2999, 1, 1, tzinfo=UTC).date()))
def test_a_day_that_is_shown_is_read_again(day: Any) -> None:
    of = field(FieldType.DATE)
    assert parse(of, shown(of, day.isoformat())) == day.isoformat()
