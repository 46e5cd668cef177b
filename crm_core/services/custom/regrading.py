"""What follows from a change of a scoring: existing records are graded anew, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_core.model.definitions.base import DefinitionRecord
from crm_core.model.definitions.scoring import GradeBody, ScoringBody
from crm_core.model.definitions.values import FieldCheckRecord
from crm_core.model.expressions import compiled
from crm_core.model.records import ContactRecord, LeadRecord
from crm_core.model.selling import ClientScoreRecord, CompanyRecord
from crm_core.services.custom.grading import regraded
from crm_core.services.desk import Desk


def grades_of(body: dict[str, Any]) -> GradeBody | None:
    """How a scoring grades; None for one of clients, which is worked out daily."""
    return ScoringBody.model_validate(body).grade


def tells(before: DefinitionRecord | None, after: DefinitionRecord) -> bool:
    """Whether a scoring grades otherwise than before; one that is put away leaves the grades as they are."""
    new = grades_of(after.body)
    if new is None or after.archived:
        return False
    return before is None or before.archived or grades_of(before.body) != new


def graded(desk: Desk, check: FieldCheckRecord, definition: DefinitionRecord, records: Sequence[Any]) -> int:
    """Grade these records anew; how many have another grade now. A fixed number of statements."""
    body = grades_of(definition.body)
    if body is None:
        return 0
    old = GradeBody.model_validate(check.was) if check.was is not None else None
    _read_ahead(desk, records, {name for each in (body, old) if each is not None for name in _names(each)})
    changed = 0
    for record in records:
        if getattr(record, "deleted_at", None) is None and getattr(record, "merged_into", None) is None:
            after = regraded(desk, body, old, record)
            if after != record:
                changed += 1
                desk.work.put(after)
    return changed


def _names(body: GradeBody) -> frozenset[str]:
    return compiled(body.formula).names if body.formula else frozenset()


def _read_ahead(desk: Desk, records: Sequence[Any], names: set[str]) -> None:
    """What formulas ask for, of all records at once."""
    if names & {"contact", "company", "client"}:
        owners = {each.contact_id for each in records if getattr(each, "contact_id", None) is not None}
        known = [*desk.work.contacts(owners).values(), *(each for each in records if isinstance(each, ContactRecord))]
        if "client" in names:
            desk.work.related(ClientScoreRecord, "contact_id", {each.id for each in known})
        if "company" in names:
            companies = {getattr(each, "company_id", None) for each in (*records, *known)} - {None}
            desk.work.related(CompanyRecord, "id", companies)
    if "lead" in names:
        desk.work.related(LeadRecord, "id", {getattr(each, "lead_id", None) for each in records} - {None})
