"""Regular expressions and words as people expect them, Russian ones too."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.model.expression_functions import has_words
from crm_core.model.patterns import pattern


@pytest.mark.parametrize(
    ("wanted", "text", "found"),
    [
        ("привет", "ПРИВЕТ, мир", True),
        ("ещё", "ЕЩЕ раз", True),
        ("еще", "Ещё раз", True),
        (r"\bмир\b", "ПРИВЕТ, мир!", True),
        (r"\bмир\b", "мир", True),
        (r"\bмир\b", "всемирный", False),
        (r"\bмир", "мировой", True),
        (r"мир\b", "мировой", False),
        (r"сколько\s+стоит", "Сколько  стоит?", True),
        (r"сколько\b\s+\bстоит", "Сколько  стоит?", True),
        (r"^\w+$", "Привет", True),
        (r"^\w+$", "Привет мир", False),
        (r"^[\w.]+$", "Привет.мир", True),
        (r"\W", "Приветмир", False),
        (r"\d{3}-\d{2}", "звоните 123-45", True),
        (r"(курс|тренинг)\s+(excel|эксель)", "Есть курс Excel?", True),
        (r"\\b", r"a\b", True),
        (r"[абв]{3}", "АБВ", True),
        ("^$", "", True),
    ],
)
def test_what_a_pattern_finds(wanted: str, text: str, *, found: bool) -> None:
    assert pattern(wanted).holds(text) is found


@pytest.mark.parametrize(
    "wanted", ["(", "[", "*", r"(?=a)", r"(a)\1", "a" * 501, "((a{100}){100}){100}", "(?P<a", "\\"]
)
def test_what_is_no_pattern_is_refused_in_words(wanted: str) -> None:
    with pytest.raises(ValueError, match="regular expression"):
        pattern(wanted)


@pytest.mark.parametrize("wanted", ["^(a+)+$", "(a|aa)*b$", "(.*)*x", r"(\w+\s?)*y$", "(a?){200}a{200}"])
def test_none_of_them_takes_for_ever(wanted: str) -> None:
    began = time.perf_counter()
    pattern(wanted).holds("a" * 50_000 + "!")
    assert time.perf_counter() - began < 5


@given(st.text(max_size=40), st.text(max_size=60))
def test_whatever_is_written_is_a_pattern_or_refused(wanted: str, text: str) -> None:
    try:
        compiled = pattern(wanted)
    except ValueError:
        return
    assert compiled.holds(text) in {True, False}


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20), st.text(max_size=30), st.text(max_size=30)
)
def test_a_text_is_found_where_it_stands(word: str, before: str, after: str) -> None:
    assert pattern(re.escape(word)).holds(f"{before}{word}{after}")


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["excel"], "Курс EXCEL.", True),
        (["ещё"], "еще", True),
        (["курс"], "курсы", False),
        (["курс*"], "На курсы хочу", True),
        (["тест"], "веб-тест", True),
        (["пластиковые окна"], "Нужны  пластиковые, окна!", True),
        (["окна пластиковые"], "Нужны пластиковые окна", False),
        (["*"], "что угодно", False),
        ([""], "что угодно", False),
        ([], "что угодно", False),
        (["!"], "вот!", False),
    ],
)
def test_words(words: list[str], text: str, *, found: bool) -> None:
    assert has_words(text, words) is found
