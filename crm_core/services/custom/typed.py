"""What follows from a change of a record's custom fields: formulas are worked out, the index is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Catalogue, FieldBody
from crm_core.model.definitions.values import FieldValueRecord
from crm_core.model.expressions import ExpressionError, Program, ValueMissing, compiled
from crm_core.model.fields import (
    Field,
    FieldSet,
    all_in_scope,
    error,
    field_sets,
    fields_of,
    goes_in_circle,
    in_scope,
    index_rows,
    shown,
    worked_out,
)
from crm_core.model.history import KIND_OF, Change
from crm_core.model.records import ContactRecord, DealRecord
from crm_core.services.custom.fields import taken_by
from crm_core.services.desk import Desk
from crm_core.services.scope import nearest
from crm_core.services.wording import Phrase
from crm_core.wording import Sentence

_RECORD_OF = {kind: record for record, kind in KIND_OF.items()}
WITH_FIELDS = frozenset(kind for kind in KIND_OF if "fields" in kind._fields)  # type: ignore[attr-defined]  # named tuples
_CIRCLE = "formulas that need each other go in a circle"


def kind_of(record: Any) -> str:
    """The kind of a record as fields, links and the API name it; of a card its type."""
    return record.type if isinstance(record, DealRecord) else KIND_OF[type(record)]


def work_out(desk: Desk, changes: Sequence[Change]) -> None:
    """Formulas of the records that changed. An error stands in the value's place; it never stops an act."""
    if not any(each.formulas or each.circles for each in field_sets(desk.catalogue).values()):
        return
    for _, after in changes:
        if after is None or type(after) not in WITH_FIELDS:
            continue
        of = fields_of(desk.catalogue, kind_of(after))
        if not of.formulas and not of.circles:
            continue
        fields = with_formulas(of, after)
        if fields != after.fields:
            desk.work.put(after._replace(fields=fields))


def with_formulas(of: FieldSet, record: Any) -> dict[str, Any]:
    """A record's `fields` with its formulas worked out."""
    fields = dict(record.fields)
    values = all_in_scope(of, fields)
    own = {name: _plain(value) for name, value in record._asdict().items() if name not in {"fields", "marks"}}
    for name in ("amount", "paid", "price"):
        if isinstance(own.get(name), int):
            own[name] = own[name] / 100
    scope = {"fields": values, kind_of(record): {**own, "fields": values}, **own}
    if isinstance(record, DealRecord):
        scope["deal"] = scope[record.type]
    for each in of.formulas:
        value = _value(each, scope)
        if value is None:
            fields.pop(each.key, None)
        else:
            fields[each.key] = value
        values[each.key] = in_scope(each, value)
    for each in of.circles:
        fields[each.key] = error(_CIRCLE)
    return fields


def unseen_by_formula(catalogue: Catalogue, program: Program, body: FieldBody) -> str:
    """What a formula names and can't see, in words, or that it needs itself; nothing where all is well. It sees its
    record's columns and fields, of nothing else."""
    record = _RECORD_OF.get(body.of, DealRecord)
    declared = fields_of(catalogue, body.of)
    columns = {*record._fields, "fields"} - {"marks"}  # type: ignore[attr-defined]  # all are named tuples
    itself = {body.of, "deal"} if record is DealRecord else {body.of}
    for name, *steps in sorted(program.paths):
        of_record = name in itself
        column, *rest = steps if of_record and steps else [name, *steps]
        if of_record and not steps:
            continue
        if column not in columns:
            return Sentence(
                "a formula sees its own record alone, and that has no «{column}»{meant}",
                column=column,
                meant=nearest(column, columns),
            )
        if column == "fields" and rest and declared.by_key and rest[0] not in {*declared.by_key, body.key}:
            meant = nearest(rest[0], declared.by_key)
            return Sentence("«{kind}» has no field «{key}»{meant}", kind=body.of, key=rest[0], meant=meant)
    return _CIRCLE if goes_in_circle(declared, body) else ""


def index(desk: Desk, changes: Sequence[Change]) -> None:
    """Keep the index of the fields that are filtered by or unique; only what differs is written.

    A unique value that another record has by now stands beside the field, as text, and is told of: whoever gave it by
    hand was refused before.
    """
    sets = field_sets(desk.catalogue)
    if not any(each.apart for each in sets.values()):
        return
    removed: list[str] = []
    put: dict[str, tuple[Any, Any]] = {}
    for before, after in changes:
        record = after if after is not None else before
        if type(record) not in WITH_FIELDS:
            continue
        of = sets.get(kind_of(record))
        if of is None or not of.apart:
            continue
        old = _rows(of, before)
        new = _rows(of, after)
        removed.extend(key for key in old if key not in new)
        put.update((key, (row, after)) for key, row in new.items() if old.get(key) != row)
    for key in removed:
        desk.work.remove(FieldValueRecord, key)
    refused = _refused(desk, put)
    for key, (row, _) in put.items():
        if key not in refused:
            desk.work.put(row)
    _set_aside(desk, [put[key] for key in refused])


def living(record: Any) -> bool:
    """Whether a record is one of those that are shown and looked for."""
    if record is None or getattr(record, "deleted_at", None) is not None:
        return False
    return not (isinstance(record, ContactRecord) and record.merged_into is not None)


def _rows(of: FieldSet, record: Any) -> dict[str, Any]:
    if not living(record):
        return {}
    return {row.key: row for row in index_rows(of, record.id, record.fields)}


def _refused(desk: Desk, put: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """The rows whose value stands with another record already."""
    wanted = [(key, row) for key, (row, _) in put.items() if row.unique_key is not None]
    if not wanted:
        return []
    fields = {each.id: each for of in field_sets(desk.catalogue).values() for each in of.apart}
    holders = taken_by(desk, {(row.field_id, row.unique_key): fields[row.field_id] for _, row in wanted})
    refused = []
    for key, row in wanted:
        holder = holders.setdefault((row.field_id, row.unique_key), row.subject_id)
        if holder != row.subject_id:
            refused.append(key)
    return refused


def _set_aside(desk: Desk, refused: Iterable[tuple[Any, Any]]) -> None:
    fields = {each.id: each for of in field_sets(desk.catalogue).values() for each in of.apart}
    for row, record in refused:
        field: Field = fields[row.field_id]
        current: Any = desk.work.peek(type(record), record.id) or record
        values = dict(current.fields)
        value = values.pop(field.key, None)
        if value is None:
            continue
        said = shown(field, value)
        values[f"{field.key}_text"] = said
        desk.work.remove(FieldValueRecord, row.key)
        desk.work.put(current._replace(fields=values))
        contact_id = current.id if isinstance(current, ContactRecord) else getattr(current, "contact_id", None)
        if contact_id is not None:
            desk.note(contact_id, desk.say(Phrase.FIELD_TAKEN, field=field.title, value=said))


def _value(field: Field, scope: Mapping[str, Any]) -> Any:
    try:
        return worked_out(compiled(field.body.expression).value(scope))
    except ValueMissing:
        return None
    except (ExpressionError, InvalidInput, ValueError) as err:
        return error(str(err))


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
