"""Conditions and formulas: what they give, what is not set, what is refused, and that none runs for ever."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_core.model.expression_text import words_of
from crm_core.model.expressions import ExpressionError, ValueMissing, compiled

NOW = datetime(2026, 1, 14, 10, 30, tzinfo=ZoneInfo("Europe/Moscow"))
SCOPE: dict[str, Any] = {
    "deal": {
        "amount": 1500.5,
        "title": "Окна ПВХ",
        "tags": ["срочно", "vk"],
        "fields": {
            "sum": 3.0,
            "comment": "Привет, МИР! Ещё вопрос",
            "unset": None,
            "since": datetime(2026, 1, 5, tzinfo=UTC),
        },
    },
    "contact": None,
    "fields": {"Сумма": 7.0},
    "now": NOW,
    "count": 4,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("deal.amount * 2", 3001.0),
        ("deal.fields.sum + 1", 4.0),
        ("5 / 2", 2.5),
        ("size(deal.tags) + 1", 3),
        ("count * 2", 8),
        ("int(deal.fields.sum) % 2", 1),
        ("deal.tags[1]", "vk"),
        ("[1, 2, 3][2]", 3.0),
        ('fields["Сумма"] - 1', 6.0),
        ("coalesce(deal.fields.unset, 5)", 5.0),
        ("round(2.5) + round(-2.5)", 0.0),
        ("round(10.0 / 3, 2)", 3.33),
        ("min(deal.amount, 9) + max([1, 2])", 11.0),
        ("sum(1, deal.fields.unset, 2)", 3.0),
        ("floor(1.7) + ceil(1.2) + abs(-1)", 4.0),
        ('lower("АБВ") + upper("где") + trim(" ё ")', "абвГДЕё"),
        ('number(" 1 200,50 ")', 1200.5),
        ('number("нет")', None),
        ('join(deal.tags, ", ")', "срочно, vk"),
        ('"А" + (deal.amount > 1000 ? "А" : "Б")', "АА"),
        ("now.getHours()", 10),
        ('months(date("2026-01-31"), 1) == date("2026-02-28")', True),
        ('months(date("2026-01-15"), -13) == date("2024-12-15")', True),
        ("months(deal.fields.unset, 1)", None),
        ('months(date("2026-02-28"), 1, 31) == date("2026-03-31")', True),
        ('months(date("2026-01-31"), 1, 31) == date("2026-02-28")', True),
        ('day(date("2026-01-31"))', 31.0),
        ("days(deal.fields.since, now)", pytest.approx(9.3125)),
        ("now - duration('7d')", NOW - timedelta(days=7)),
        ("duration('1h30m')", timedelta(minutes=90)),
        ("date('2026-01-31') - now", datetime(2026, 1, 31, tzinfo=NOW.tzinfo) - NOW),
        ("deal.tags.map(t, t + '!')", ["срочно!", "vk!"]),
        ("deal.fields.unset", None),
    ],
)
def test_what_an_expression_gives(text: str, value: Any) -> None:
    assert compiled(text).value(SCOPE) == value


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("deal.amount > 1000", True),
        ("deal.amount > 1500 && deal.amount < 1501", True),
        ('"vk" in deal.tags', True),
        ('deal.tags.exists(t, t.startsWith("сроч"))', True),
        ("deal.fields.unset > 5", False),
        ("!(deal.fields.unset > 5)", False),
        ("deal.fields.unset == null", True),
        ("deal.fields.unset == null || deal.fields.unset > 3", True),
        ("has(deal.fields.unset)", False),
        ("has(deal.fields.sum) && deal.fields.sum == 3", True),
        ("contact == null", True),
        ('contact.fields.city == "Москва"', False),
        ("size(contact.tags) > 0", False),
        ('contact.name.matches("а")', False),
        ("lead.taken_at == null", True),
        ("deal.fields.unset", False),
        ('deal.fields.comment.matches("^привет.*вопрос$")', True),
        ('deal.fields.comment.matches("еще")', True),
        ('deal.fields.comment.has_words(["мир"])', True),
        ('deal.fields.comment.has_words(["миры", "ещё"])', True),
        ('deal.fields.comment.has_words(["ми"])', False),
        ('deal.fields.comment.has_words(["вопр*"])', True),
        ('deal.fields.comment.has_words(["привет мир"])', True),
        ("now - deal.fields.since > duration('9d')", True),
        ("deal.fields.since < date('2026-01-06')", True),
        ("count == 4.0", True),
        ("count in [1, 4]", True),
    ],
)
def test_whether_a_condition_holds(text: str, *, holds: bool) -> None:
    assert compiled(text).holds(SCOPE) is holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 ==", "at character 5"),
        ("true &&\n  && false", "at line 2, character 3"),
        ("сумма > 1", "Latin letters"),
        ("foo(1)", "there is no function «foo»"),
        ("", "empty"),
        ("1" * 4001, "at most 4000 characters"),
        ("(" * 51 + "1" + ")" * 51, "at most 50 brackets"),
        ('deal.title.matches("(")', "can't be read: missing )"),
        ('matches(deal.title, "[")', "can't be read"),
        ('deal.title.matches("(?=a)")', "can't be read"),
        ("deal.title.matches('" + "a" * 501 + "')", "at most 500 characters"),
        ("[1].map(a, [1].map(b, [1].map(c, [1].map(d, 1))))", "at most 3"),
        (" || ".join(["[1].all(a, true)"] * 21), "at most 20"),
        (f"[{','.join('1' * 300)}].all(a, [{','.join('1' * 300)}].all(b, [1].all(c, a == b)))", "too many elements"),
    ],
)
def test_what_can_not_be_read_is_said_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its words are looked at below
        compiled(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('deal.amount > "а"', "kinds that don't go together"),
        ("1 / 0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("deal.amount", "no condition: it gives a number"),
        ("deal.title", "no condition: it gives a text"),
        ("round(deal.title) > 1", "takes a number"),
        ("date('завтра') > now", "date: "),
        ('deal.title.matches("(" + "")', "can't be read"),
        ("9223372036854775807 + 1 > size(deal.tags)", "no condition"),
    ],
)
def test_what_makes_no_sense_is_said_in_words(text: str, words: str) -> None:
    program = compiled(text)
    if words == "no condition" and program.holds(SCOPE):
        return
    with pytest.raises(ExpressionError) as caught:
        program.holds(SCOPE)
    assert words in str(caught.value)


def test_what_is_not_set_is_named() -> None:
    with pytest.raises(ValueMissing, match=r"not set: deal\.fields\.unset"):
        compiled("deal.fields.unset * 2").value(SCOPE)


@pytest.mark.parametrize(
    ("text", "names", "paths"),
    [
        (
            "deal.fields.sum > 1 && now > deal.created_at",
            {"deal", "now"},
            {("deal", "fields", "sum"), ("now",), ("deal", "created_at")},
        ),
        ('fields["Город"].startsWith("М")', {"fields"}, {("fields", "Город")}),
        ("deal.tags.exists(t, t == contact.city)", {"deal", "contact"}, {("deal", "tags"), ("contact", "city")}),
        ("fields[deal.title] == 1", {"fields", "deal"}, {("fields",), ("deal", "title")}),
        ('size("deal.x") > 1 // deal', set(), set()),
    ],
)
def test_what_an_expression_reads(text: str, names: set[str], paths: set[tuple[str, ...]]) -> None:
    program = compiled(text)
    assert program.names == names
    assert program.paths == paths


def test_only_what_is_read_of_a_scope_is_touched() -> None:
    class Touchy(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            assert key != "expensive"
            return super().get(key, default)

    assert compiled("deal.amount > 1").holds({"deal": Touchy(amount=2.0, expensive=object()), "other": object()})


def test_a_pattern_that_backtracks_for_ever_elsewhere_does_not() -> None:
    began = time.perf_counter()
    assert not compiled('text.matches("^(a+)+$")').holds({"text": "a" * 40_000 + "!"})
    assert time.perf_counter() - began < 2


def test_lists_within_lists_are_bounded_by_what_they_hold() -> None:
    program = compiled("items.exists(a, items.exists(b, items.exists(c, a + b + c == 0)))")
    assert program.holds({"items": [0.0, 1.0]})
    with pytest.raises(ExpressionError, match="too many elements"):
        program.holds({"items": [float(number) for number in range(1, 500)]})


@pytest.mark.parametrize(
    "text",
    [
        *("!" * 3990 + "true", "-" * 3990 + "1", "+".join("1" * 1900), "x" + ".a" * 1900, "x" + "[0]" * 1300),
        *("true?1:" * 500 + "1", "&&".join(["true"] * 600), "-" * 3000 + "x"),
    ],
    ids=["nots", "minuses", "sum", "dots", "indexes", "choices", "ands", "minus"],
)
def test_deep_expressions_do_no_harm_in_a_thread(text: str) -> None:
    ended: list[str] = []

    def work() -> None:
        try:
            ended.append(repr(compiled(text).value({"x": 1.0})))
        except (ValueError, ExpressionError) as err:
            ended.append(str(err))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert ended


@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused_in_words(text: str) -> None:
    with contextlib.suppress(ValueError, ExpressionError):
        compiled(text).value({})


_PIECES = st.sampled_from(
    [
        *("deal", ".", "fields", "tags", "amount", '"а"', "1", "2.5", "(", ")", "[", "]", ",", "+", "-", "*", "/", "%"),
        *(
            "==",
            ">",
            "&&",
            "||",
            "!",
            "?",
            ":",
            "exists",
            "map",
            "size",
            "matches",
            "has",
            "t",
            "null",
            "true",
            " ",
            "in",
        ),
    ]
)


@settings(max_examples=300)
@given(st.lists(_PIECES, max_size=14))
def test_whatever_is_put_together_is_worked_out_or_refused_in_words(pieces: list[str]) -> None:
    text = "".join(pieces)
    with contextlib.suppress(ValueError, ExpressionError):
        compiled(text).holds(SCOPE)


@given(st.text(max_size=200))
def test_words_joined_are_the_text(text: str) -> None:
    assert "".join(word.text for word in words_of(text)) == text


@given(st.floats(-1e9, 1e9), st.integers(-1000, 1000))
def test_numbers_meet_whatever_their_kind(left: float, right: int) -> None:
    scope = {"a": left, "b": right}
    assert compiled("a > b").value(scope) is (left > right)
    assert compiled(f"a + {abs(right)}").value(scope) == left + abs(right)
    assert compiled(f"b * {abs(right)}").value(scope) == right * abs(right)
