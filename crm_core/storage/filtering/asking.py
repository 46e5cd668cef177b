"""Filters as conditions of statements; and who gets through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, select, true

from crm_core.errors import InvalidInput
from crm_core.model.definitions.fields import FieldType
from crm_core.model.filters import Filter, Op
from crm_core.storage import tables
from crm_core.storage.filtering.custom import indexed_field, of_value
from crm_core.storage.filtering.place import Asking, Condition, Place, living, table_of
from crm_core.storage.filtering.terms import of_filter

_MOST_LEADING = 4


def condition(kind: str, wanted: Filter, asking: Asking) -> Condition:
    """The condition of a filter on the records of a kind (`TABLES`, or a custom type), without `living`.

    Raises InvalidInput that names the term which makes no sense.
    """
    return of_filter(Place(kind, table_of(kind, asking.catalogue), asking), wanted, negated=False)


@dataclass(frozen=True, slots=True)
class Led:
    """A filter taken apart: index rows of fields, each with its condition, that a record must have one of each, and the
    condition of all the rest. No record has two such rows of a field, so that they can be joined."""

    rows: tuple[tuple[Any, Condition], ...]
    rest: Condition


def led(kind: str, wanted: Filter, asking: Asking) -> Led:
    """The same as `condition`, for lists that are read along the index of a field's values: terms of one value each."""
    place = Place(kind, table_of(kind, asking.catalogue), asking)
    rows: list[tuple[Any, Condition]] = []
    rest: list[Condition] = []
    for term in wanted.all if wanted.all is not None else [wanted]:
        found = _leading(place, term) if len(rows) < _MOST_LEADING else None
        if found is not None:
            rows.append(found)
        else:
            rest.append(of_filter(place, term, negated=False))
    return Led(tuple(rows), and_(true(), *rest))


def _leading(place: Place, term: Filter) -> tuple[Any, Condition] | None:
    """The index rows of a term that says which one value a field has; None for every other, also for a wrong one."""
    head, _, key = (term.field or "").partition(".")
    if head != "fields" or term.op is not Op.EQ or term.value is None:
        return None
    rows = tables.field_value.alias()
    try:
        field = indexed_field(place.kind, key, place.asking.catalogue)
        if field.type is FieldType.MULTI:
            return None
        return rows, and_(rows.c.field_id == field.id, of_value(place, field, rows, term.op, term.value))
    except InvalidInput:
        return None


def matching(
    conn: Connection,
    kind: str,
    wanted: Filter,
    asking: Asking,
    *,
    above: int = 0,
    limit: int,
    also: Sequence[Condition] = (),
) -> list[int]:
    """The ids of living records that a filter lets through, behind an id, by id; one statement."""
    table = table_of(kind, asking.catalogue)
    statement = (
        select(table.c.id)
        .where(living(kind), condition(kind, wanted, asking), table.c.id > above, *also)
        .order_by(table.c.id)
        .limit(limit)
    )
    return [row[0] for row in conn.execute(statement)]


def among(conn: Connection, kind: str, wanted: Filter, asking: Asking, ids: list[int]) -> set[int]:
    """Which of these records a filter lets through; one statement."""
    table = table_of(kind, asking.catalogue)
    statement = select(table.c.id).where(table.c.id.in_(ids), living(kind), condition(kind, wanted, asking))
    return {row[0] for row in conn.execute(statement)}


def count(conn: Connection, kind: str, wanted: Filter, asking: Asking, *, also: Sequence[Condition] = ()) -> int:
    """How many living records a filter lets through."""
    table = table_of(kind, asking.catalogue)
    where = (living(kind), condition(kind, wanted, asking), *also)
    statement = select(func.count()).select_from(table).where(*where)
    return int(conn.execute(statement).scalar_one())
