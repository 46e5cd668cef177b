"""Grades: worked out of what was chosen in fields, and written before a title so that they can be taken off again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from crm_core.model.definitions.scoring import GradeBody, Part

_IN_BRACKETS = re.compile(r"\A\s*\[([^\[\]]+)\]\s*")
# A grade that a formula gave: «А», «AAA», «B+».
_LIKE_A_GRADE = re.compile(r"[A-ZА-ЯЁ]{1,4}[+\-]?\Z")
_MOST_PREFIXES = 10


def grade_of(body: GradeBody, fields: Mapping[str, Any]) -> str | None:
    """The grade that these fields give; None where too little is chosen. Not for one with a formula."""
    if body.steps:
        known = [(part, chosen) for part in body.parts if (chosen := _chosen(fields.get(part.field)))]
        if not known:
            return None
        total = sum(points(part, chosen) for part, chosen in known)
        reached = [step for step in body.steps if total >= step.at_least]
        return max(reached, key=lambda step: step.at_least).grade if reached else None
    letters: list[str] = []
    for part in body.parts:
        found = next((part.letters[each] for each in _chosen(fields.get(part.field)) if each in part.letters), None)
        letters.append(found if found is not None else body.unknown)
        if not letters[-1]:
            return None
    if all(letter == body.unknown for letter in letters) and body.unknown:
        return None
    return "".join(letters)


def points(part: Part, chosen: tuple[str, ...]) -> float:
    """What these values add."""
    return part.weight * sum(part.points.get(each, 0) for each in chosen)


def titled(title: str, grade: str | None, body: GradeBody, before: str | None = None) -> str:
    """The title with the grade before it, whatever grade stood there. What people put in brackets stays, unless it
    could be a grade. `before` is the grade that the record had."""
    bare = title
    for _ in range(_MOST_PREFIXES):
        found = _IN_BRACKETS.match(bare)
        if found is None or not (found[1] in {grade, before} or could_be(body, found[1])):
            break
        bare = bare[found.end() :]
    return f"[{grade}] {bare.strip()}".rstrip() if grade else bare


def could_be(body: GradeBody, text: str) -> bool:
    """Whether a text is a grade that this definition may give."""
    return _pattern(body).match(text) is not None


def _pattern(body: GradeBody) -> re.Pattern[str]:
    if body.formula:
        return _LIKE_A_GRADE
    if body.steps:
        return _compiled("|".join(re.escape(step.grade) for step in body.steps))
    kinds = [{*part.letters.values(), body.unknown} - {""} for part in body.parts]
    return _compiled("".join(f"(?:{'|'.join(re.escape(each) for each in sorted(kind))})" for kind in kinds))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})\Z")


def _chosen(value: Any) -> tuple[str, ...]:
    """What was chosen in a list, several of it, or a flag."""
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, list):
        return tuple(str(each) for each in value if each not in (None, ""))
    return (str(value),) if value not in (None, "") else ()
