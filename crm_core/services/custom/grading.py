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


def regraded(desk: Desk, body: GradeBody, old: GradeBody | None, record: Any) -> Any:
    """A record graded by another definition than its grade may be by. A grade that the `old` one gave goes where the
    new one gives none; one that a person gave stays."""
    if old is not None and old.in_title and not body.in_title and isinstance(record, (LeadRecord, DealRecord)):
        # Nobody keeps the grade in the title any more: one that stayed there would soon be another one.
        record = record._replace(title=titled(record.title, None, old, record.grade))
    known = _known(body, record)
    if known is not None and _worked_out(desk, body, record) is None:
        if old is None or (old.into != body.into and not isinstance(record, (LeadRecord, DealRecord))):
            return record
        return _with(body, record, None, known) if _worked_out(desk, old, record) == known else record
    return _graded(desk, body, record, record)


def _grades(catalogue: Catalogue) -> dict[str, list[GradeBody]]:
    found: dict[str, list[GradeBody]] = {}
    for _, body in catalogue.bodies(Section.SCORING, ScoringBody):
        if body.grade is not None:
            found.setdefault(body.grade.of, []).append(body.grade)
    return found


def _graded(desk: Desk, body: GradeBody, before: Any, after: Any) -> Any:
    grade, known = _worked_out(desk, body, after), _known(body, after)
    if grade is None and (body.formula or before is None or _worked_out(desk, body, before) is None):
        grade = known  # given by a person, or by nobody
    return _with(body, after, grade, _known(body, before) if before is not None else None)


def _known(body: GradeBody, record: Any) -> str | None:
    found: str | None = record.grade if isinstance(record, (LeadRecord, DealRecord)) else record.fields.get(body.into)
    return found


def _with(body: GradeBody, record: Any, grade: str | None, had: str | None) -> Any:
    """A record with a grade where it keeps it; `had` is the one that may stand in its title."""
    if not isinstance(record, (LeadRecord, DealRecord)):
        if grade == _known(body, record):
            return record
        fields = {**record.fields, body.into: grade}
        return record._replace(fields={key: value for key, value in fields.items() if value is not None})
    graded = record._replace(grade=grade)
    return graded._replace(title=titled(graded.title, grade, body, had)) if body.in_title else graded


def _worked_out(desk: Desk, body: GradeBody, record: Any) -> str | None:
    if not body.formula:
        return grade_of(body, record.fields)
    try:
        value = compiled(body.formula).value(scope_of(desk, record))
    except ExpressionError:
        return None  # something that it needs is not set yet
    text = str(value).strip() if value is not None else ""
    return text if 0 < len(text) <= _LONGEST and not {"[", "]"} & set(text) else None
