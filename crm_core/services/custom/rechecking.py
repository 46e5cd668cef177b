"""What follows from a change of a custom field's or a scoring's definition: existing records are read anew, chunk by
chunk; fields are put into the index, and what does not fit is reported."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model.definitions import FieldBody, Section
from crm_core.model.definitions.base import DefinitionRecord
from crm_core.model.definitions.fields import FieldType
from crm_core.model.definitions.values import FieldCheckRecord, FieldCheckState, FieldValueRecord
from crm_core.model.fields import Field, field_of, fields_of, is_error, parse, rows_of, shown
from crm_core.model.history import KIND_OF, Change
from crm_core.model.records import DeadlineKind, DeadlineRecord, DealRecord
from crm_core.services.custom import regrading
from crm_core.services.custom.fields import taken_by
from crm_core.services.custom.typed import WITH_FIELDS, kind_of, living, with_formulas
from crm_core.services.desk import Desk

CHUNK = 500
# So that whoever works meanwhile hardly notices: a million clients take a quarter of an hour, a thousand a moment.
REST = timedelta(milliseconds=200)
_MOST_SAMPLES = 100
_TELLING = ("type", "options", "expression", "unique", "indexed")
_RECORD_OF = {kind: record for record, kind in KIND_OF.items()}


def noticed(desk: Desk, changes: Sequence[Change]) -> None:
    """Begin looking through the records of fields and scorings whose definition changed; raises InvalidInput where a
    field would stand elsewhere."""
    for before, after in changes:
        record = after if after is not None else before
        if isinstance(record, DefinitionRecord) and record.section is Section.SCORING:
            if regrading.tells(before, record):
                _begin(desk, record, before.body.get("grade") if before is not None else None)
            continue
        if not isinstance(record, DefinitionRecord) or record.section is not Section.FIELD:
            continue
        body = FieldBody.model_validate(record.body)
        old = FieldBody.model_validate(before.body) if before is not None else None
        if old is not None and (old.of, old.key) != (body.of, body.key):
            raise InvalidInput("key: a field keeps its key and its kind of records: put it away and add another")
        if _tells(before, old, record, body):
            _begin(desk, record, old.type if old is not None else body.type)


def check_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """Look through the next chunk; harmless where the check is over."""
    found = desk.work.related(FieldCheckRecord, "definition_id", [deadline.subject_id])
    definition = desk.work.get(DefinitionRecord, deadline.subject_id)
    if not found or found[0].state is not FieldCheckState.RUNNING:
        desk.work.remove(DeadlineRecord, deadline.key)
        return
    author, desk.work.author = desk.work.author, f"{definition.section.value}:{definition.name}"
    if definition.section is Section.SCORING:
        check = _graded(desk, found[0], definition)
    else:
        check = _cleared(desk, found[0]) if definition.archived else _looked(desk, found[0], definition)
    desk.work.author = author
    desk.work.put(check)
    if check.state is FieldCheckState.RUNNING:
        desk.work.put(deadline._replace(due_at=desk.now + REST))
    else:
        desk.work.remove(DeadlineRecord, deadline.key)


def mended(desk: Desk, changes: Sequence[Change]) -> None:
    """Take what the last look found off its list as soon as the value is another one, so that nobody mends it twice.

    Those beyond the samples stay until the next look; one statement, and only where a value did not fit.
    """
    was: dict[int, set[int]] = {}
    for before, after in changes:
        if before is None or after is None or type(before) not in WITH_FIELDS or before.fields == after.fields:
            continue
        of = fields_of(desk.catalogue, kind_of(after))
        for key, value in before.fields.items():
            field = of.by_key.get(key)
            if field is not None and after.fields.get(key) != value and _misfit(field, value):
                was.setdefault(field.id, set()).add(after.id)
    if not was:
        return
    for check in desk.work.related(FieldCheckRecord, "definition_id", was):
        left = [each for each in check.samples if each[0] not in was.get(check.definition_id, ())]
        gone = len(check.samples) - len(left)
        if gone:
            desk.work.put(check._replace(samples=left, problems=max(check.problems - gone, len(left))))


def _misfit(field: Field, value: Any) -> bool:
    """Whether a value may have been found wrong: it does not fit, or may stand with somebody else, too."""
    if field.type is FieldType.FORMULA:  # worked out, nobody mends it
        return False
    if field.body.unique:
        return True
    try:
        parse(field, value)
    except InvalidInput:
        return True
    return False


def _tells(before: DefinitionRecord | None, old: FieldBody | None, record: DefinitionRecord, body: FieldBody) -> bool:
    if before is None or old is None:
        return body.kept_apart or body.type is FieldType.FORMULA
    return before.archived != record.archived or any(getattr(old, name) != getattr(body, name) for name in _TELLING)


def _begin(desk: Desk, record: DefinitionRecord, old: Any) -> None:
    known = desk.work.related(FieldCheckRecord, "definition_id", [record.id])
    was = known[0].was if known and known[0].state is FieldCheckState.RUNNING else old
    desk.work.put(FieldCheckRecord(record.id, FieldCheckState.RUNNING, was, desk.now))
    kind = DeadlineKind.FIELD
    desk.work.put(DeadlineRecord(f"{kind}:{record.id}", kind, record.id, desk.now))


def _cleared(desk: Desk, check: FieldCheckRecord) -> FieldCheckRecord:
    """The index rows of a field that was put away go; the values stay where they are."""
    rows = desk.work.field_values(check.definition_id, "", CHUNK * 4)
    for row in rows:
        desk.work.remove(FieldValueRecord, row.key)
    return _on(desk, check, check.upto, len(rows), done=len(rows) < CHUNK * 4)


def _graded(desk: Desk, check: FieldCheckRecord, definition: DefinitionRecord) -> FieldCheckRecord:
    body = regrading.grades_of(definition.body)
    if body is None or definition.archived:
        return _on(desk, check, check.upto, 0, done=True)
    records = _stretch(desk, check, body.of)
    check = check._replace(changed=check.changed + regrading.graded(desk, check, definition, records))
    return _on(desk, check, records[-1].id if records else check.upto, len(records), done=len(records) < CHUNK)


def _stretch(desk: Desk, check: FieldCheckRecord, of: str) -> list[Any]:
    record_of = _RECORD_OF.get(of, DealRecord)
    found: list[Any] = desk.work.stretch(record_of, check.upto, CHUNK, of if record_of is DealRecord else None)
    return found


def _looked(desk: Desk, check: FieldCheckRecord, definition: DefinitionRecord) -> FieldCheckRecord:
    body = FieldBody.model_validate(definition.body)
    field, old = (
        field_of(definition.id, body),
        field_of(definition.id, body.model_copy(update={"type": FieldType(check.was)})),
    )
    records = _stretch(desk, check, body.of)
    problems: list[list[Any]] = []
    rows: list[tuple[FieldValueRecord, Any]] = []
    changed = 0
    for record in records:
        value = record.fields.get(field.key)
        read, problem = _read(desk, field, old, record, value)
        if problem:
            problems.append([record.id, shown(old, value), problem])
        if read != value:
            changed += 1
            fields = {**record.fields, field.key: read}
            desk.work.put(record._replace(fields={key: each for key, each in fields.items() if each is not None}))
        fits = field.body.kept_apart and living(record) and not problem and read is not None
        fresh = list(rows_of(field, record.id, read)) if fits else []
        rows.extend((row, read) for row in fresh)
        kept = {row.key for row in fresh}
        for position in range(max(len(value) if isinstance(value, list) else 1, 1) if value is not None else 0):
            if (key := f"{field.id}:{record.id}:{position}") not in kept:
                desk.work.remove(FieldValueRecord, key)
    problems.extend(_indexed(desk, field, rows))
    samples = [*check.samples, *problems][:_MOST_SAMPLES]
    check = check._replace(changed=check.changed + changed, problems=check.problems + len(problems), samples=samples)
    upto = records[-1].id if records else check.upto
    return _on(desk, check, upto, len(records), done=len(records) < CHUNK)


def _read(desk: Desk, field: Field, old: Field, record: Any, value: Any) -> tuple[Any, str]:
    """A record's value by the field's present definition, and what does not fit."""
    if field.type is FieldType.FORMULA:
        worked = with_formulas(fields_of(desk.catalogue, field.body.of), record).get(field.key)
        return worked, shown(field, worked) if is_error(worked) else ""
    if value is None:
        return None, ""
    try:
        given = value if old.type is field.type else shown(old, value)
        return parse(field, given), ""
    except InvalidInput as err:
        return value, str(err)


def _indexed(desk: Desk, field: Field, rows: list[tuple[FieldValueRecord, Any]]) -> list[list[Any]]:
    """Put the rows; a value that stands with another record already is reported, and filtered by all the same."""
    holders = taken_by(desk, {(row.field_id, row.unique_key): field for row, _ in rows if row.unique_key is not None})
    problems: list[list[Any]] = []
    for row, value in rows:
        if row.unique_key is not None:
            holder = holders.setdefault((row.field_id, row.unique_key), row.subject_id)
            if holder != row.subject_id:
                problems.append([row.subject_id, shown(field, value), f"stands with {field.body.of} {holder} too"])
                row = row._replace(unique_key=None)  # noqa: PLW2901 - the row as it is put
        desk.work.put(row)
    return problems


def _on(desk: Desk, check: FieldCheckRecord, upto: int, looked: int, *, done: bool) -> FieldCheckRecord:
    check = check._replace(upto=upto, looked=check.looked + looked)
    return check._replace(state=FieldCheckState.DONE, ended_at=desk.now) if done else check
