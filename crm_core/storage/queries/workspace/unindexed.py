"""Cards by custom fields that stand in no index: looked for among a bounded number of cards, the newest.

A field that is not indexed lies in the card's own JSON, which no engine can look up: every card has to be read. So the
rest of a filter, which indexes answer, comes first, and of what it leaves the newest `MOST_READ` are read, never more;
whoever needs all of them has the field indexed. Values are compared as the index compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.access import Right
from crm_core.model.definitions.fields import FieldType
from crm_core.model.fields import Field, keys_of, parse
from crm_core.model.filters import Op, day_of
from crm_core.storage.queries.pages import both
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import deal

MOST_READ = 5000
"""So many cards are read at most: some 50 ms."""


@dataclass(frozen=True, slots=True)
class Term:
    """What is asked of a field; `value` as people write it. `=`, `contains`, `>=` and `<=`."""

    field: Field
    op: Op
    value: Any


@dataclass(frozen=True, slots=True)
class Found:
    """The cards that meet all terms; `whole` says that there were no more to be read."""

    ids: tuple[int, ...]
    whole: bool

    @property
    def condition(self) -> ColumnElement[bool]:
        """These and no others."""
        return deal.c.id.in_(self.ids)


def cards_with(
    conn: Connection,
    asker: Asker,
    kind: str,
    terms: Sequence[Term],
    also: ColumnElement[bool] | None,
    *,
    pipeline_id: int | None = None,
    closed: bool = False,
) -> Found:
    """Of the cards of a type that `also` lets through, of one pipeline where it is named, open ones unless `closed`:
    those whose fields meet all terms. One statement. Raises InvalidInput for a value that makes no sense, Forbidden for
    whoever sees no sales."""
    asker.access.demand(Right.SEE_SALES)
    tests = [(each.field.key, _test(each, asker.now, asker.zone)) for each in terms]
    conditions = both(
        (
            deal.c.type == kind,
            deal.c.deleted_at.is_(None),
            deal.c.pipeline_id == pipeline_id if pipeline_id is not None else None,
            None if closed else deal.c.closed_at.is_(None),
            also,
            seen_card(asker.sight),
        )
    )
    newest = select(deal.c.id, deal.c.fields).where(*conditions).order_by(deal.c.id.desc()).limit(MOST_READ + 1)
    rows = conn.execute(newest).all()
    found = tuple(
        int(ident) for ident, held in rows[:MOST_READ] if all(test.met_by(held.get(key)) for key, test in tests)
    )
    return Found(found, len(rows) <= MOST_READ)


@dataclass(frozen=True, slots=True)
class _Test:
    field: Field
    op: Op
    text: str | None
    number: float | None

    def met_by(self, held: Any) -> bool:
        """Whether the value of a card, or one of several, is what is asked for."""
        if held is None:
            return False
        if isinstance(held, list):
            return any(self.met_by(each) for each in held)
        text, number = keys_of(self.field, held)
        if self.op is Op.CONTAINS:
            return self.text is not None and text is not None and self.text in text
        if self.field.type is FieldType.MONEY and text != self.text:
            return False  # another currency
        if self.number is not None:
            return number is not None and _compared(self.op, number, self.number)
        return text is not None and self.text is not None and _compared(self.op, text, self.text)


def _compared(op: Op, held: Any, asked: Any) -> bool:
    match op:
        case Op.GE:
            return bool(held >= asked)
        case Op.LE:
            return bool(held <= asked)
        case _:
            return bool(held == asked)


def _test(term: Term, now: datetime, zone: tzinfo) -> _Test:
    field, value = term.field, term.value
    if term.op is Op.CONTAINS:
        return _Test(field, term.op, written.one_form(str(value)), None)
    if field.type is FieldType.DATE:
        return _Test(field, term.op, *keys_of(field, day_of(value, now, zone).isoformat()))
    if field.type in {FieldType.TEXT, FieldType.LIST, FieldType.MULTI, FieldType.USER}:
        return _Test(field, term.op, *keys_of(field, str(value)))
    read = parse(field, value)
    if read is None:
        raise InvalidInput("a value to compare with; for records without one use «empty»")
    return _Test(field, term.op, *keys_of(field, read))
