"""Pages of records in an order of their own: by a column or an indexed field, those without a value last."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Select, Table, and_, exists, literal, not_, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.definitions.fields import FieldType
from crm_core.model.fields import Field
from crm_core.model.filters import Filter
from crm_core.storage import tables
from crm_core.storage.filtering import HIDDEN, Asking, indexed_field, led, table_of
from crm_core.storage.queries.pages import LARGEST_ID, Page, Record, Slice, all_of, number_cursor, page_of
from crm_core.storage.tables import TABLE_OF
from crm_core.storage.types import JsonText, from_micros, to_micros

_BY_NUMBER = {FieldType.NUMBER, FieldType.MONEY, FieldType.DATE, FieldType.FLAG, FieldType.LINK}


@dataclass(frozen=True, slots=True)
class _Order:
    """What is sorted by: an expression, the table it stands in besides the records' own, and how that is joined."""

    value: Any
    descending: bool
    joined: Any = None
    on: Any = None
    without: Any = None


@dataclass(frozen=True, slots=True)
class More:
    """What else a list is asked for: a condition, and an order (see `sorted_page`) with what that is read with.

    `rows` are index rows of fields that a record must have besides (see `filtering.Led`).
    """

    condition: ColumnElement[bool] | None = None
    sort: str | None = None
    asking: Asking | None = None
    rows: tuple[tuple[Any, ColumnElement[bool]], ...] = ()

    @classmethod
    def of(cls, kind: str, wanted: Filter, asking: Asking, also: ColumnElement[bool] | None = None) -> More:
        """What a filter lets through, and `also` where there is one, the newest first, for a list by `listed`."""
        found = led(kind, wanted, asking)
        return cls(found.rest if also is None else found.rest & also, None, asking, found.rows)


EVERYTHING = More()


def listed(
    conn: Connection, kind: str, record: type[Record], conditions: list[ColumnElement[bool]], where: Slice, more: More
) -> Page[Record]:
    """A page of records, in the order that `more` wants, else the newest first."""
    if more.sort is not None and more.asking is not None:
        return sorted_page(conn, kind, record, conditions, more.sort, where, more.asking)
    table = TABLE_OF[record]
    source, ident, joined = _along_rows(table, more)
    after = number_cursor(where.after)
    if after is not None:
        conditions = [*conditions, ident < after]
    statement = select(table).select_from(source).where(*joined, *conditions)
    statement = statement.order_by(ident.desc()).limit(where.limit + 1)
    return page_of(all_of(conn, record, statement), where.limit, lambda each: str(each[0]))


def _along_rows(table: Table, more: More) -> tuple[Any, Any, list[ColumnElement[bool]]]:
    """What records are read from, the id that they are sorted by, and the conditions of the join. The rows of all
    fields lie in the order of the records' ids: they are walked together, and only as far as a page needs."""
    if not more.rows:
        return table, table.c.id, []
    (first, of_first), *others = more.rows
    source, conditions = first, [of_first]
    for rows, of in others:
        source = source.join(rows, rows.c.subject_id == first.c.subject_id)
        conditions.append(of)
    return source.join(table, table.c.id == first.c.subject_id), first.c.subject_id, conditions


def sorted_page(
    conn: Connection,
    kind: str,
    record: type[Record],
    conditions: list[ColumnElement[bool]],
    sort: str,
    where: Slice,
    asking: Asking,
) -> Page[Record]:
    """A page of a kind's records; `sort` is `amount`, `-created_at` (descending), `fields.key`. At most three
    statements. Raises InvalidInput for what is no such order, and for a bad cursor."""
    table = table_of(kind, asking.catalogue)
    order = _order(conn, table, kind, sort, asking)
    nothing_left, value, last = _parsed(where.after)
    rows: list[tuple[Any, Record]] = []
    if not nothing_left:
        statement = _with_value(table, order, conditions)
        if where.after is not None:
            place = tuple_(order.value, table.c.id)
            there = tuple_(*_bound(order, table, value, last))
            statement = statement.where(place < there if order.descending else place > there)
        rows = _rows(conn, record, statement.limit(where.limit + 1))
    if len(rows) <= where.limit:
        statement = select(table).where(*conditions, order.without)
        if nothing_left:
            statement = statement.where(table.c.id < last if order.descending else table.c.id > last)
        by_id = table.c.id.desc() if order.descending else table.c.id
        missing = where.limit + 1 - len(rows)
        rows += [(None, each) for _, each in _rows(conn, record, statement.order_by(by_id).limit(missing))]
    page = page_of(rows, where.limit, lambda row: _cursor(row[0], row[1][0]))
    return page.map(lambda row: row[1])


def _order(conn: Connection, table: Table, kind: str, sort: str, asking: Asking) -> _Order:
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name.startswith("fields."):
        field = indexed_field(kind, name.removeprefix("fields."), asking.catalogue)
        if field.type is FieldType.MULTI:
            raise InvalidInput("sort: «{field}» has several values", field=field.title)
        rows = tables.field_value.alias()
        value = rows.c.number if _numeric(conn, field) else rows.c.text_key
        on = and_(rows.c.subject_id == table.c.id, rows.c.field_id == field.id, value.is_not(None))
        return _Order(value, descending, rows, on, not_(exists(select(1).select_from(rows).where(on))))
    if name.startswith("client.") and (table is tables.contact or "contact_id" in table.c):
        score = tables.client_score
        column = score.c.get(name.removeprefix("client."))
        if column is not None:
            owner = table.c.id if table is tables.contact else table.c.contact_id
            on = and_(score.c.contact_id == owner, column.is_not(None))
            return _Order(column, descending, score, on, not_(exists(select(1).select_from(score).where(on))))
    column = table.c.get(name)
    if column is None or name in HIDDEN or isinstance(column.type, JsonText):
        raise InvalidInput("sort: «{kind}» has no field «{name}» to sort by", kind=kind, name=written.brief(name))
    return _Order(column, descending, without=column.is_(None))


def _numeric(conn: Connection, field: Field) -> bool:
    if field.type is not FieldType.FORMULA:
        return field.type in _BY_NUMBER
    values = tables.field_value
    some = select(values.c.key).where(values.c.field_id == field.id, values.c.number.is_not(None)).limit(1)
    return conn.execute(some).first() is not None


def _with_value(table: Table, order: _Order, conditions: list[ColumnElement[bool]]) -> Select[Any]:
    statement = select(*table.columns, order.value.label("sorted_by"))
    if order.joined is not None:
        statement = statement.select_from(table.join(order.joined, order.on))
    else:
        statement = statement.where(order.value.is_not(None))
    statement = statement.where(*conditions)
    # By the joined table's own id, so that its index gives the order whole.
    ident = order.joined.c.subject_id if order.joined is not None and "subject_id" in order.joined.c else table.c.id
    if order.descending:
        return statement.order_by(order.value.desc(), ident.desc())
    return statement.order_by(order.value, ident)


def _rows(conn: Connection, record: type[Record], statement: Select[Any]) -> list[tuple[Any, Record]]:
    width = len(TABLE_OF[record].columns)
    return [(row[width] if len(row) > width else None, record(*row[:width])) for row in conn.execute(statement)]


def _bound(order: _Order, table: Table, value: Any, last: int) -> tuple[Any, Any]:
    """The place behind which a page begins, as parameters of the columns' own types."""
    kind = order.value.type
    if isinstance(value, dict):
        value = from_micros(value["at"])
    return literal(value, kind), literal(last, table.c.id.type)


def _cursor(value: Any, ident: int) -> str:
    if isinstance(value, datetime):
        value = {"at": to_micros(value)}
    return base64.urlsafe_b64encode(orjson.dumps([value is None, value, ident])).decode().rstrip("=")


def _parsed(after: str | None) -> tuple[bool, Any, int]:
    if after is None:
        return False, None, 0
    try:
        padded = after.encode("ascii") + b"=" * (-len(after) % 4)
        nothing_left, value, ident = orjson.loads(base64.urlsafe_b64decode(padded))
        if isinstance(value, dict):
            from_micros(value["at"])
    except (ValueError, UnicodeError, binascii.Error, KeyError, TypeError, OverflowError) as err:
        raise InvalidInput("«after» is not a cursor: take it from «next» of the page before") from err
    sound = isinstance(nothing_left, bool) and isinstance(ident, int) and 0 <= ident <= LARGEST_ID
    if not sound or isinstance(value, list) or (value is None) is not nothing_left:
        raise InvalidInput("«after» is not a cursor: take it from «next» of the page before")
    return nothing_left, value, ident
