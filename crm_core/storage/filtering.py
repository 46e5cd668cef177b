"""Filters (`crm_core.model.filters`) as conditions of SQL, the same on both engines and led by indexes.

What a term may name: a column of the record; `fields.key` of an indexed field; `tags`; of cards `pipeline`, `stage`,
`state` (open, won, lost); of contacts, leads and cards `client.status`, `client.abc` … (scores), `opted_out`,
`identity`, `last_contact_at`; `open_task`, `overdue_task`, `next_step` (true or false); `contact.…`, `company.…` of the
record's contact and company; `deals`, `leads`, `tasks`, `sales` of a client with `any` or `none` and a filter of those;
`q`, what is typed to look for it. Sums are in major units, moments as `crm_core.model.filters.span` reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    Table,
    and_,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.definitions import Catalogue, RecordTypeBody, Section
from crm_core.model.definitions.fields import FieldType
from crm_core.model.fields import Field, fields_of, keys_of, parse
from crm_core.model.filters import Filter, Op, day_of, filter_of, span
from crm_core.model.records import StageKind
from crm_core.storage import searching, tables
from crm_core.storage.searching import like
from crm_core.storage.types import EnumText, JsonText, UtcDateTime

Condition = ColumnElement[bool]
_Special: TypeAlias = "Callable[[_Place, Op, Any, bool], Condition | None]"

TABLES: Mapping[str, Table] = {
    "contact": tables.contact,
    "company": tables.company,
    "lead": tables.lead,
    "deal": tables.deal,
    "task": tables.task,
    "product": tables.product,
}
HIDDEN = frozenset({"search", "marks", "name_key", "merged_into", "deleted_at", "type", "stage_id", "pipeline_id"})
_MONEY = frozenset({"amount", "paid", "price", "revenue"})
_ALIASES = {"contact": {"list": "list_name"}}
_COMPARED: dict[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: lambda one, other: one == other,
    Op.NE: lambda one, other: one != other,
    Op.LT: lambda one, other: one < other,
    Op.LE: lambda one, other: one <= other,
    Op.GT: lambda one, other: one > other,
    Op.GE: lambda one, other: one >= other,
}
_MOST_LEADING = 4
_TEXTUAL = {FieldType.TEXT, FieldType.LIST, FieldType.MULTI, FieldType.USER}


@dataclass(frozen=True, slots=True)
class Asking:
    """What a filter is read with: the catalogue, the moment, the office's zone and the region of its numbers."""

    catalogue: Catalogue
    now: datetime
    zone: tzinfo = UTC
    region: str = "RU"


def condition(kind: str, wanted: Filter, asking: Asking) -> Condition:
    """The condition of a filter on the records of a kind (`TABLES`, or a custom type), without `living`.

    Raises InvalidInput that names the term which makes no sense.
    """
    return _of(_Place(kind, table_of(kind, asking.catalogue), asking), wanted, negated=False)


@dataclass(frozen=True, slots=True)
class Led:
    """A filter taken apart: index rows of fields, each with its condition, that a record must have one of each, and the
    condition of all the rest. No record has two such rows of a field, so that they can be joined."""

    rows: tuple[tuple[Any, Condition], ...]
    rest: Condition


def led(kind: str, wanted: Filter, asking: Asking) -> Led:
    """The same as `condition`, for lists that are read along the index of a field's values: terms of one value each."""
    place = _Place(kind, table_of(kind, asking.catalogue), asking)
    rows: list[tuple[Any, Condition]] = []
    rest: list[Condition] = []
    for term in wanted.all if wanted.all is not None else [wanted]:
        found = _leading(place, term) if len(rows) < _MOST_LEADING else None
        if found is not None:
            rows.append(found)
        else:
            rest.append(_of(place, term, negated=False))
    return Led(tuple(rows), and_(true(), *rest))


def _leading(place: _Place, term: Filter) -> tuple[Any, Condition] | None:
    """The index rows of a term that says which one value a field has; None for every other, also for a wrong one."""
    head, _, key = (term.field or "").partition(".")
    if head != "fields" or term.op is not Op.EQ or term.value is None:
        return None
    rows = tables.field_value.alias()
    try:
        field = indexed_field(place.kind, key, place.asking.catalogue)
        if field.type is FieldType.MULTI:
            return None
        return rows, and_(rows.c.field_id == field.id, _value_condition(place, field, rows, term.op, term.value))
    except InvalidInput:
        return None


def living(kind: str) -> Condition:
    """That a record is neither deleted, nor merged into another, and of this kind."""
    table = TABLES.get(kind, tables.deal)
    conditions: list[Condition] = [table.c.deleted_at.is_(None)]
    if table is tables.contact:
        conditions.append(table.c.merged_into.is_(None))
    if table is tables.deal:
        conditions.append(table.c.type == kind)
    return and_(*conditions)


def table_of(kind: str, catalogue: Catalogue) -> Table:
    """The table of a kind of records; raises InvalidInput for one that is none."""
    found = TABLES.get(kind)
    if found is not None:
        return found
    if catalogue.body(Section.RECORD_TYPE, kind, RecordTypeBody) is None:
        raise InvalidInput(f"there is no kind of records «{written.brief(kind)}»")
    return tables.deal


def matching(conn: Connection, kind: str, wanted: Filter, asking: Asking, *, above: int = 0, limit: int) -> list[int]:
    """The ids of living records that a filter lets through, behind an id, by id; one statement."""
    table = table_of(kind, asking.catalogue)
    statement = (
        select(table.c.id)
        .where(living(kind), condition(kind, wanted, asking), table.c.id > above)
        .order_by(table.c.id)
        .limit(limit)
    )
    return [row[0] for row in conn.execute(statement)]


def among(conn: Connection, kind: str, wanted: Filter, asking: Asking, ids: list[int]) -> set[int]:
    """Which of these records a filter lets through; one statement."""
    table = table_of(kind, asking.catalogue)
    statement = select(table.c.id).where(table.c.id.in_(ids), living(kind), condition(kind, wanted, asking))
    return {row[0] for row in conn.execute(statement)}


def count(conn: Connection, kind: str, wanted: Filter, asking: Asking) -> int:
    """How many living records a filter lets through."""
    table = table_of(kind, asking.catalogue)
    statement = select(func.count()).select_from(table).where(living(kind), condition(kind, wanted, asking))
    return int(conn.execute(statement).scalar_one())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a term stands: the kind of records and their table."""

    kind: str
    table: Table
    asking: Asking

    @property
    def id(self) -> Any:
        return self.table.c.id

    @property
    def contact_id(self) -> Any:
        return self.table.c.id if self.table is tables.contact else self.table.c.get("contact_id")


def _of(place: _Place, wanted: Filter, *, negated: bool) -> Condition:
    """A filter or its opposite: negations go down to the terms, where an index may still lead."""
    if wanted.not_ is not None:
        return _of(place, wanted.not_, negated=not negated)
    if wanted.all is not None or wanted.any is not None:
        parts = [_of(place, each, negated=negated) for each in wanted.all or wanted.any or ()]
        together = (wanted.all is not None) is not negated
        return and_(true(), *parts) if together else or_(false(), *parts)
    if wanted.field is None:
        return false() if negated else true()
    try:
        return _term(place, wanted.field, wanted.op, wanted.value, negated=negated)
    except InvalidInput as err:
        message = str(err)
        raise InvalidInput(message if message.startswith("filter:") else f"filter: {wanted.field}: {message}") from err


def _term(place: _Place, name: str, op: Op, value: Any, *, negated: bool) -> Condition:
    if op is Op.NE:
        return _term(place, name, Op.EQ, value, negated=not negated)
    head, _, rest = name.partition(".")
    if head == "fields" and rest:
        return _custom(place, rest, op, value, negated=negated)
    if head in {"contact", "company", "client"} and rest:
        return _beyond(place, head, rest, op, value, negated=negated)
    special = _SPECIAL.get(name)
    if special is not None and (found := special(place, op, value, negated)) is not None:
        return found
    column = place.table.c.get(_ALIASES.get(place.kind, {}).get(name, name))
    if column is None or name in HIDDEN or isinstance(column.type, JsonText):
        raise InvalidInput(f"«{place.kind}» has no such field to filter by")
    return _column(place, column, op, value, negated=negated)


# ---------------------------------------------------------------- columns


def _column(place: _Place, column: Column[Any], op: Op, value: Any, *, negated: bool) -> Condition:
    if op is Op.EMPTY:
        nothing = or_(column.is_(None), column == "") if _is_text(column) else column.is_(None)
        return nothing if _yes(value) is not negated else not_(nothing)
    found = _positive(place, column, op, value)
    if not negated:
        return found
    return or_(column.is_(None), not_(found)) if column.nullable else not_(found)


def _positive(place: _Place, column: Column[Any], op: Op, value: Any) -> Condition:
    if op is Op.IN:
        return (
            column.in_([_plain(column, each) for each in value])
            if not _is_moment(column)
            else or_(false(), *(_moment(place, column, Op.EQ, each) for each in value))
        )
    if value is None and op is Op.EQ:
        return column.is_(None)
    if _is_moment(column):
        return _moment(place, column, op, value)
    if op in {Op.CONTAINS, Op.STARTS}:
        if not _is_text(column):
            raise InvalidInput(f"«{op.value}» is for texts")
        return _folded(column, op, value)
    if op not in _COMPARED:
        raise InvalidInput(f"«{op.value}» does not go with this field")
    found: Condition = _COMPARED[op](column, _plain(column, value))
    return found


def _moment(place: _Place, column: Any, op: Op, value: Any) -> Condition:
    first, beyond = span(value, place.asking.now, place.asking.zone)
    first, beyond = first.astimezone(UTC), beyond.astimezone(UTC)
    whole = beyond > first
    match op:
        case Op.EQ:
            found = and_(column >= first, column < beyond) if whole else column == first
        case Op.LT:
            found = column < first
        case Op.GE:
            found = column >= first
        case Op.LE:
            found = column < beyond if whole else column <= first
        case Op.GT:
            found = column >= beyond if whole else column > first
        case _:
            raise InvalidInput(f"«{op.value}» is for texts")
    return found


def _plain(column: Column[Any], value: Any) -> Any:
    """A value as the column holds it."""
    match column.type:
        case Boolean():
            return written.flag(value)
        case EnumText(enum=enum):
            try:
                return enum(str(value))
            except ValueError as err:
                raise InvalidInput(f"one of {', '.join(each.value for each in enum)}") from err
        case Integer() | BigInteger() | Float():
            if column.name in _MONEY:
                return written.money(value)["amount"]
            number = written.number(value)
            if isinstance(number, float) and isinstance(column.type, (Integer, BigInteger)):
                raise InvalidInput("a whole number")
            return number
        case _:
            if not isinstance(value, (str, int, float)) or isinstance(value, bool):
                raise InvalidInput("a text")
            return str(value)


def _folded(column: Any, op: Op, value: Any) -> Condition:
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"«{op.value}» wants a text")
    pattern = like(value.casefold())
    return searching.folded(column).like(pattern if op is Op.CONTAINS else pattern[1:], escape="\\")


# ---------------------------------------------------------------- custom fields


def _custom(place: _Place, key: str, op: Op, value: Any, *, negated: bool) -> Condition:
    field = indexed_field(place.kind, key, place.asking.catalogue)
    rows = tables.field_value.alias()
    of = rows.c.field_id == field.id
    if op is Op.EMPTY:
        return _value_exists(place, rows, of, negated=_yes(value) is not negated)
    wanted = _value_condition(place, field, rows, op, value)
    return _value_exists(place, rows, and_(of, wanted), negated=negated)


def _value_exists(place: _Place, rows: Any, wanted: Condition, *, negated: bool) -> Condition:
    """As a list of ids, which may lead; negated as a look at each record, which an index answers."""
    if negated:
        return not_(exists(select(1).select_from(rows).where(rows.c.subject_id == place.id, wanted)))
    return _within(place.id, select(rows.c.subject_id).where(wanted))


def indexed_field(kind: str, key: str, catalogue: Catalogue) -> Field:
    """A field that stands in the index; raises InvalidInput that says how to make it one."""
    of = fields_of(catalogue, kind)
    field = of.by_key.get(key) or of.named(key)
    if field is None:
        raise InvalidInput(f"«{kind}» has no field «{written.brief(key)}»")
    if not field.body.kept_apart:
        raise InvalidInput(f"«{field.title}» is not indexed: make it so to filter and sort by it")
    return field


def _value_condition(place: _Place, field: Field, rows: FromClause, op: Op, value: Any) -> Condition:
    if op is Op.IN:
        return or_(false(), *(_value_condition(place, field, rows, Op.EQ, each) for each in value))
    if op in {Op.CONTAINS, Op.STARTS}:
        if field.type not in {*_TEXTUAL, FieldType.FORMULA} or not isinstance(value, str) or not value.strip():
            raise InvalidInput(f"«{op.value}» is for texts")
        if field.type is FieldType.MULTI and op is Op.CONTAINS:
            return _value_condition(place, field, rows, Op.EQ, value)
        pattern = like(written.one_form(value))
        if op is Op.STARTS:
            start = written.one_form(value)
            within = and_(rows.c.text_key >= start, rows.c.text_key < start + "\U0010ffff")
            return and_(within, rows.c.text_key.like(pattern[1:], escape="\\"))
        return rows.c.text_key.like(pattern, escape="\\")
    if op not in _COMPARED:
        raise InvalidInput(f"«{op.value}» does not go with this field")
    text, number = _keys(place, field, value)
    found: Condition
    if number is not None:
        found = _COMPARED[op](rows.c.number, number)
        if field.type is FieldType.MONEY and isinstance(value, Mapping):
            found = and_(found, rows.c.text_key == text)
        return found
    found = _COMPARED[op](rows.c.text_key, text)
    return found


def _keys(place: _Place, field: Field, value: Any) -> tuple[str | None, float | None]:
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


# ---------------------------------------------------------------- beyond the record


def _beyond(place: _Place, head: str, rest: str, op: Op, value: Any, *, negated: bool) -> Condition:
    """A term of the record's contact, company or score; without one the term does not hold, nor does a filter `not`
    let it stand in the way."""
    reference = place.table.c.id if head == place.kind else place.table.c.get(f"{head}_id")
    if head == "client":
        reference, table = place.contact_id, tables.client_score
        key = table.c.contact_id
    else:
        table = TABLES[head]
        key = table.c.id
    if reference is None:
        raise InvalidInput(f"«{place.kind}» has no {head}")
    there = _Place(head, table, place.asking)
    # A status is kept on the contact; who was never looked at has no score.
    empty = (op is Op.EMPTY and _yes(value)) or (op is Op.EQ and value is None)
    if empty:
        inner = _term(there, rest, op, value, negated=True)
        negated = not negated
    else:
        inner = _term(there, rest, op, value, negated=False)
    if negated:
        return not_(exists(select(1).select_from(table).where(key == reference, inner).correlate(place.table)))
    return _within(reference, select(key).where(inner))


def _related(kind: str, table: Table) -> _Special:
    def of(place: _Place, op: Op, value: Any, negated: bool) -> Condition | None:
        reference = place.contact_id if place.table is tables.contact else None
        owner = "contact_id"
        if place.table is tables.company:
            reference, owner = place.id, "company_id"
        elif place.table is tables.deal and kind == "task":
            reference, owner = place.id, "deal_id"
        elif place.table is tables.lead and kind == "task":
            reference, owner = place.id, "lead_id"
        if reference is None or owner not in table.c:
            return None
        if op not in {Op.ANY, Op.NONE}:
            raise InvalidInput("«any» or «none» with a filter of them")
        inner = filter_of(value if value is not None else {})
        there = _Place(kind, table, place.asking)
        conditions = [_of(there, inner, negated=False)]
        if kind in TABLES:
            conditions.append(living(kind))
        if (op is Op.NONE) is not negated:
            return not_(exists(select(1).select_from(table).where(table.c[owner] == reference, *conditions)))
        return _within(reference, select(table.c[owner]).where(table.c[owner].is_not(None), *conditions))

    return of


# ---------------------------------------------------------------- special names


def _tags(place: _Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if "tags" not in place.table.c:
        return None
    tags = place.table.c.tags
    match op:
        case Op.EMPTY:
            found = searching.no_tags(tags)
            negated = negated is _yes(value)
        case Op.EQ | Op.CONTAINS:
            found = searching.has_tag(tags, str(value))
        case Op.IN:
            found = or_(false(), *(searching.has_tag(tags, str(each)) for each in value))
        case _:
            raise InvalidInput(f"«{op.value}» does not go with tags")
    return not_(found) if negated else found


def _pipeline(place: _Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.table is not tables.deal:
        return None
    names = _names(op, value)
    known = {each.name: each.id for each in place.asking.catalogue.pipelines if each.record.type == place.kind}
    found = place.table.c.pipeline_id.in_(_ids(names, known, "pipeline"))
    return not_(found) if negated else found


def _stage(place: _Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.table is not tables.deal:
        return None
    found: set[int] = set()
    stages = [
        stage
        for pipeline in place.asking.catalogue.pipelines
        if pipeline.record.type == place.kind
        for stage in pipeline.stages
    ]
    for name in _names(op, value):
        ids = {stage.id for stage in stages if name in {stage.name, str(stage.id)}}
        if not ids:
            raise InvalidInput(f"there is no stage «{written.brief(name)}»")
        found |= ids
    within = place.table.c.stage_id.in_(sorted(found))
    return not_(within) if negated else within


def _state(place: _Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.table is not tables.deal:
        return None
    wanted = set(_names(op, value))
    if wanted - {each.value for each in StageKind}:
        raise InvalidInput("one of open, won, lost")
    ids = [
        stage.id
        for pipeline in place.asking.catalogue.pipelines
        for stage in pipeline.stages
        if stage.record.kind.value in wanted
    ]
    within = place.table.c.stage_id.in_(ids)
    found = and_(place.table.c.closed_at.is_(None), within) if wanted == {StageKind.OPEN.value} else within
    return not_(found) if negated else found


def _names(op: Op, value: Any) -> list[str]:
    if op is Op.IN:
        return [str(each) for each in value]
    if op is not Op.EQ:
        raise InvalidInput(f"«{op.value}» does not go with it: «=» or «in»")
    return [str(value)]


def _ids(names: list[str], known: Mapping[str, int], what: str) -> list[int]:
    for name in names:
        if name not in known and not name.isdigit():
            raise InvalidInput(f"there is no {what} «{written.brief(name)}»")
    return [known[name] if name in known else int(name) for name in names]


def _last_contact(place: _Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.table is tables.contact or place.contact_id is None:
        return None
    return _beyond(place, "contact", "last_contact_at", op, value, negated=negated)


def _opted_out(place: _Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.contact_id is None:
        return None
    _only_flags(op)
    out = tables.opt_out
    if _yes(value) is not negated:
        return _within(place.contact_id, select(out.c.contact_id).where(out.c.contact_id.is_not(None)))
    return not_(exists(select(1).select_from(out).where(out.c.contact_id == place.contact_id)))


def _identity(place: _Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.contact_id is None:
        return None
    held = tables.identity
    if op is Op.EMPTY:
        any_at_all = exists(select(1).select_from(held).where(held.c.contact_id == place.contact_id))
        return not_(any_at_all) if _yes(value) is not negated else any_at_all
    if op not in {Op.EQ, Op.STARTS} or not isinstance(value, str) or not value:
        raise InvalidInput('«=» or «starts» with a text such as "mailto:"')
    if op is Op.EQ and not negated:
        return _within(place.contact_id, select(held.c.contact_id).where(held.c.key == value))
    within = held.c.key == value if op is Op.EQ else and_(held.c.key >= value, held.c.key < value + "\U0010ffff")
    found = exists(select(1).select_from(held).where(held.c.contact_id == place.contact_id, within))
    return not_(found) if negated else found


def _tasks(flag: str) -> _Special:
    def of(place: _Place, op: Op, value: Any, negated: bool) -> Condition | None:
        task = tables.task
        column = {"contact": "contact_id", "lead": "lead_id", "company": "company_id"}.get(place.kind)
        if place.table is tables.deal:
            column = "deal_id"
        if column is None:
            return None
        _only_flags(op)
        conditions = [task.c.state == "open", task.c.deleted_at.is_(None)]
        if flag == "overdue_task":
            conditions.append(task.c.due_at < place.asking.now)
        elif flag == "next_step":
            conditions.append(task.c.due_at >= place.asking.now)
        found = exists(select(1).select_from(task).where(task.c[column] == place.id, *conditions))
        return found if _yes(value) is not negated else not_(found)

    return of


def _typed(place: _Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if op not in {Op.EQ, Op.CONTAINS} or not isinstance(value, str) or not value.strip():
        raise InvalidInput("a text to look for")
    found = searching.found_by(place.table, value, place.asking.region)
    return not_(found) if negated else found


def _only_flags(op: Op) -> None:
    if op is not Op.EQ:
        raise InvalidInput("«=» with true or false")


_SPECIAL: Mapping[str, _Special] = {
    "tags": _tags,
    "pipeline": _pipeline,
    "stage": _stage,
    "state": _state,
    "last_contact_at": _last_contact,
    "opted_out": _opted_out,
    "identity": _identity,
    "open_task": _tasks("open_task"),
    "overdue_task": _tasks("overdue_task"),
    "next_step": _tasks("next_step"),
    "deals": _related("deal", tables.deal),
    "leads": _related("lead", tables.lead),
    "tasks": _related("task", tables.task),
    "sales": _related("sale", tables.sale),
    "q": _typed,
}


def _within(column: Any, wanted: Any) -> Condition:
    found: Condition = column.in_(wanted)
    return found


def _yes(value: Any) -> bool:
    return True if value is None else written.flag(value)


def _is_text(column: Column[Any]) -> bool:
    return not isinstance(column.type, (Integer, BigInteger, Boolean, Float, UtcDateTime, EnumText))


def _is_moment(column: Column[Any]) -> bool:
    return isinstance(column.type, UtcDateTime)
