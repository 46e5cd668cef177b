"""Terms of filters about custom fields, answered by their index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, exists, false, not_, or_, select
from sqlalchemy.sql.selectable import FromClause

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.definitions import Catalogue
from crm_core.model.definitions.fields import FieldType
from crm_core.model.fields import Field, fields_of, keys_of, parse
from crm_core.model.filters import Op, day_of
from crm_core.storage import tables
from crm_core.storage.filtering.place import COMPARED, Condition, Place, stands_in, yes
from crm_core.storage.searching import like

_TEXTUAL = {FieldType.TEXT, FieldType.LIST, FieldType.MULTI, FieldType.USER}


def of_field(place: Place, key: str, op: Op, value: Any, *, negated: bool) -> Condition:
    """The condition of a term about a custom field, or its opposite, which records without a value meet."""
    field = indexed_field(place.kind, key, place.asking.catalogue)
    rows = tables.field_value.alias()
    of = rows.c.field_id == field.id
    if op is Op.EMPTY:
        return _value_exists(place, rows, of, negated=yes(value) is not negated)
    wanted = of_value(place, field, rows, op, value)
    return _value_exists(place, rows, and_(of, wanted), negated=negated)


def _value_exists(place: Place, rows: Any, wanted: Condition, *, negated: bool) -> Condition:
    """As a list of ids, which may lead; negated as a look at each record, which an index answers."""
    if negated:
        return not_(exists(select(1).select_from(rows).where(rows.c.subject_id == place.id, wanted)))
    return stands_in(place.id, select(rows.c.subject_id).where(wanted))


def indexed_field(kind: str, key: str, catalogue: Catalogue) -> Field:
    """A field that stands in the index; raises InvalidInput that says how to make it one."""
    of = fields_of(catalogue, kind)
    field = of.by_key.get(key) or of.named(key)
    if field is None:
        raise InvalidInput("«{kind}» has no field «{key}»", kind=kind, key=written.brief(key))
    if not field.body.kept_apart:
        raise InvalidInput("«{field}» is not indexed: make it so to filter and sort by it", field=field.title)
    return field


def of_value(place: Place, field: Field, rows: FromClause, op: Op, value: Any) -> Condition:
    """What a term asks of the rows of a field in the index."""
    if op is Op.IN:
        return or_(false(), *(of_value(place, field, rows, Op.EQ, each) for each in value))
    if op in {Op.CONTAINS, Op.STARTS}:
        if field.type not in {*_TEXTUAL, FieldType.FORMULA} or not isinstance(value, str) or not value.strip():
            raise InvalidInput("«{op}» is for texts", op=op.value)
        if field.type is FieldType.MULTI and op is Op.CONTAINS:
            return of_value(place, field, rows, Op.EQ, value)
        pattern = like(written.one_form(value))
        if op is Op.STARTS:
            start = written.one_form(value)
            within = and_(rows.c.text_key >= start, rows.c.text_key < start + "\U0010ffff")
            return and_(within, rows.c.text_key.like(pattern[1:], escape="\\"))
        return rows.c.text_key.like(pattern, escape="\\")
    if op not in COMPARED:
        raise InvalidInput("«{op}» does not go with this field", op=op.value)
    text, number = _keys(place, field, value)
    found: Condition
    if number is not None:
        found = COMPARED[op](rows.c.number, number)
        if field.type is FieldType.MONEY and isinstance(value, Mapping):
            found = and_(found, rows.c.text_key == text)
        return found
    found = COMPARED[op](rows.c.text_key, text)
    return found


def _keys(place: Place, field: Field, value: Any) -> tuple[str | None, float | None]:
    """What a value is compared as: its text and its number."""
    match field.type:
        case FieldType.DATE:
            day = day_of(value, place.asking.now, place.asking.zone)
            return keys_of(field, day.isoformat())
        case FieldType.FORMULA:
            if isinstance(value, str):
                return keys_of(field, value)
            return keys_of(field, written.flag(value) if isinstance(value, bool) else written.number(value))
        case FieldType.MULTI | FieldType.LIST | FieldType.TEXT | FieldType.USER:
            return keys_of(field, str(value))
        case _:
            read = parse(field, value)
            if read is None:
                raise InvalidInput("a value to compare with; for records without one use «empty»")
            return keys_of(field, read)
