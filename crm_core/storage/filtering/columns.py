"""Terms of filters about columns of the record."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, and_, false, not_, or_

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.filters import Op, span
from crm_core.storage import searching
from crm_core.storage.filtering.place import COMPARED, Condition, Place, yes
from crm_core.storage.searching import like
from crm_core.storage.types import EnumText, UtcDateTime

_MONEY = frozenset({"amount", "paid", "price", "revenue"})


def of_column(place: Place, column: Column[Any], op: Op, value: Any, *, negated: bool) -> Condition:
    """The condition of a term about a column, or its opposite, which records without a value meet."""
    if op is Op.EMPTY:
        nothing = or_(column.is_(None), column == "") if _is_text(column) else column.is_(None)
        return nothing if yes(value) is not negated else not_(nothing)
    found = _positive(place, column, op, value)
    if not negated:
        return found
    return or_(column.is_(None), not_(found)) if column.nullable else not_(found)


def _positive(place: Place, column: Column[Any], op: Op, value: Any) -> Condition:
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
            raise InvalidInput("«{op}» is for texts", op=op.value)
        return _folded(column, op, value)
    if op not in COMPARED:
        raise InvalidInput("«{op}» does not go with this field", op=op.value)
    found: Condition = COMPARED[op](column, _plain(column, value))
    return found


def _moment(place: Place, column: Any, op: Op, value: Any) -> Condition:
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
            raise InvalidInput("«{op}» is for texts", op=op.value)
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
                raise InvalidInput("one of {enum}", enum=", ".join(each.value for each in enum)) from err
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
        raise InvalidInput("«{op}» wants a text", op=op.value)
    pattern = like(value.casefold())
    return searching.folded(column).like(pattern if op is Op.CONTAINS else pattern[1:], escape="\\")


def _is_text(column: Column[Any]) -> bool:
    return not isinstance(column.type, (Integer, BigInteger, Boolean, Float, UtcDateTime, EnumText))


def _is_moment(column: Column[Any]) -> bool:
    return isinstance(column.type, UtcDateTime)
