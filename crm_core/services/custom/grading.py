"""Grades of leads, deals, contacts and companies: a step that keeps grade and title as the fields say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_core.model.definitions import Catalogue, Section
from crm_core.model.definitions.scoring import GradeBody, ScoringBody
from crm_core.model.expressions import ExpressionError, compiled
from crm_core.model.grading import grade_of, titled
from crm_core.model.history import Change
from crm_core.model.records import ContactRecord, DealRecord, LeadRecord
from crm_core.model.selling import CompanyRecord
from crm_core.services.desk import Desk
from crm_core.services.scope import kind_of, scope_of

_LONGEST = 20


def settle_grades(desk: Desk, changes: Sequence[Change]) -> None:
    """Records whose kind has a scoring get the grade that their fields give, in the column and in the title.

    A grade that a person gave stays as long as the fields give none.
    """
    grades = desk.catalogue.made("grades", _grades)
    if not grades:
        return
    for before, after in changes:
        if isinstance(after, (LeadRecord, DealRecord, ContactRecord, CompanyRecord)) and after.deleted_at is None:
            for body in grades.get(kind_of(after), ()):
                graded = _graded(desk, body, before, after)
                if graded != after:
                    desk.work.put(graded)
                    after = graded  # noqa: PLW2901 - the next scoring sees what this one made


def _grades(catalogue: Catalogue) -> dict[str, list[GradeBody]]:
    found: dict[str, list[GradeBody]] = {}
    for _, body in catalogue.bodies(Section.SCORING, ScoringBody):
        if body.grade is not None:
            found.setdefault(body.grade.of, []).append(body.grade)
    return found


def _graded(desk: Desk, body: GradeBody, before: Any, after: Any) -> Any:
    grade = _worked_out(desk, body, after)
    known = after.grade if isinstance(after, (LeadRecord, DealRecord)) else after.fields.get(body.into)
    if grade is None and (body.formula or before is None or _worked_out(desk, body, before) is None):
        grade = known  # given by a person, or by nobody
    if not isinstance(after, (LeadRecord, DealRecord)):
        if grade == known:
            return after
        fields = {**after.fields, body.into: grade}
        return after._replace(fields={key: value for key, value in fields.items() if value is not None})
    graded = after._replace(grade=grade)
    if body.in_title:
        had = before.grade if before is not None else None
        graded = graded._replace(title=titled(graded.title, grade, body, had))
    return graded


def _worked_out(desk: Desk, body: GradeBody, record: Any) -> str | None:
    if not body.formula:
        return grade_of(body, record.fields)
    try:
        value = compiled(body.formula).value(scope_of(desk, record))
    except ExpressionError:
        return None  # something that it needs is not set yet
    text = str(value).strip() if value is not None else ""
    return text if 0 < len(text) <= _LONGEST and not {"[", "]"} & set(text) else None
