"""Grades: from fields to letters, and before a title as often as one likes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crm_core.model.definitions.scoring import ClientsBody, GradeBody, ScoringBody
from crm_core.model.grading import could_be, grade_of, titled

LETTERS = {"большой": "А", "средний": "Б", "малый": "В"}
THREE = GradeBody.model_validate(
    {"of": "deal", "parts": [{"field": name, "letters": LETTERS} for name in ("volume", "need", "time")]}
)
LOOSE = GradeBody.model_validate(
    {"of": "deal", "parts": [{"field": name, "letters": LETTERS} for name in ("volume", "need")], "unknown": "?"}
)
BANT = GradeBody.model_validate(
    {
        "of": "lead",
        "parts": [
            {"field": "budget", "points": {"есть": 2, "будет": 1}, "weight": 2},
            {"field": "decides", "points": {"true": 3}},
            {"field": "goods", "points": {"окна": 1, "двери": 1}},
        ],
        "steps": [{"at_least": 7, "grade": "A"}, {"at_least": 3, "grade": "B"}, {"at_least": 0, "grade": "C"}],
    }
)


@pytest.mark.parametrize(
    ("body", "fields", "grade"),
    [
        (THREE, {"volume": "большой", "need": "большой", "time": "большой"}, "ААА"),
        (THREE, {"volume": "большой", "need": "малый", "time": "средний"}, "АВБ"),
        (THREE, {"volume": "большой", "need": "малый"}, None),
        (THREE, {"volume": "большой", "need": "малый", "time": "другое"}, None),
        (THREE, {}, None),
        (LOOSE, {"volume": "большой"}, "А?"),
        (LOOSE, {}, None),
        (BANT, {"budget": "есть", "decides": True}, "A"),
        (BANT, {"budget": "будет", "decides": False, "goods": ["окна", "двери"]}, "B"),
        (BANT, {"decides": False}, "C"),
        (BANT, {}, None),
        (BANT, {"budget": ""}, None),
    ],
)
def test_what_fields_give(body: GradeBody, fields: dict[str, Any], grade: str | None) -> None:
    assert grade_of(body, fields) == grade


@pytest.mark.parametrize(
    ("title", "grade", "before", "expected"),
    [
        ("Окна", "ААА", None, "[ААА] Окна"),
        ("[ААА] Окна", "ААА", "ААА", "[ААА] Окна"),
        ("[АБВ] Окна", "ААА", "АБВ", "[ААА] Окна"),
        ("[АБВ] [ААА]  Окна", "ВВВ", None, "[ВВВ] Окна"),
        ("[Срочно] Окна", "ААА", None, "[ААА] [Срочно] Окна"),
        ("[ААА] [Срочно] Окна", None, "ААА", "[Срочно] Окна"),
        ("[вручную] Окна", "ААА", "вручную", "[ААА] Окна"),
        ("", "ААА", None, "[ААА]"),
        ("Окна [ААА]", None, "ААА", "Окна [ААА]"),
    ],
)
def test_a_title_is_rebuilt(title: str, grade: str | None, before: str | None, expected: str) -> None:
    assert titled(title, grade, THREE, before) == expected


@given(st.text(max_size=40), st.lists(st.sampled_from(["ААА", "АБВ", "ВВВ", None]), max_size=6))
def test_a_grade_never_stands_twice(title: str, grades: list[str | None]) -> None:
    current, before = title, None
    for grade in grades:
        current = titled(current, grade, THREE, before)
        assert titled(current, grade, THREE, grade) == current
        before = grade
    if grades and grades[-1] is not None:
        assert current.startswith(f"[{grades[-1]}]")
        rest = current[len(grades[-1]) + 2 :].strip()
        assert not any(rest.startswith(f"[{each}]") for each in ("ААА", "АБВ", "ВВВ"))


def test_what_could_be_a_grade() -> None:
    assert could_be(THREE, "АБВ")
    assert not could_be(THREE, "АБ")
    assert could_be(LOOSE, "?А")
    assert could_be(BANT, "C")
    assert not could_be(BANT, "D")
    formula = GradeBody(of="deal", formula="deal.amount > 100 ? 'A' : 'B'")
    assert could_be(formula, "A+")
    assert not could_be(formula, "Срочно")


@pytest.mark.parametrize(
    "body",
    [
        {"grade": {"of": "deal"}},
        {"grade": {"of": "deal", "parts": [{"field": "x"}]}},
        {"grade": {"of": "deal", "parts": [{"field": "x", "letters": {"a": "А"}}], "formula": "'A'"}},
        {"grade": {"of": "deal", "parts": [{"field": "x", "letters": {"a": "[А]"}}]}},
        {"grade": {"of": "deal", "formula": "1 +"}},
        {"grade": {"of": "deal", "steps": [{"at_least": 1, "grade": "A"}], "parts": [{"field": "x"}]}},
        {"clients": {"abc_a": 0.95, "abc_b": 0.8}},
        {"clients": {"relation": [{"field": "abc", "points": {"A": 0}}]}},
        {"clients": {"fresh_within": "soon"}},
        {"clients": {}, "grade": {"of": "deal", "formula": "'A'"}},
        {},
    ],
)
def test_what_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ScoringBody.model_validate(body)


def test_the_usual_values() -> None:
    body = ScoringBody.model_validate({"clients": {}})
    assert body.clients == ClientsBody()
