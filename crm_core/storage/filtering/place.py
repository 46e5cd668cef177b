"""Where a term of a filter stands: the kinds of records, their tables, and what the terms have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeAlias

from sqlalchemy import Table, and_
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.access import Sight
from crm_core.model.definitions import Catalogue, RecordTypeBody, Section
from crm_core.model.filters import Op
from crm_core.storage import tables

Condition = ColumnElement[bool]
Special: TypeAlias = "Callable[[Place, Op, Any, bool], Condition | None]"

TABLES: Mapping[str, Table] = {
    "contact": tables.contact,
    "company": tables.company,
    "lead": tables.lead,
    "deal": tables.deal,
    "task": tables.task,
    "product": tables.product,
}
HIDDEN = frozenset({"search", "marks", "name_key", "merged_into", "deleted_at", "type", "stage_id", "pipeline_id"})
COMPARED: dict[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: lambda one, other: one == other,
    Op.NE: lambda one, other: one != other,
    Op.LT: lambda one, other: one < other,
    Op.LE: lambda one, other: one <= other,
    Op.GT: lambda one, other: one > other,
    Op.GE: lambda one, other: one >= other,
}


@dataclass(frozen=True, slots=True)
class Asking:
    """What a filter is read with: the catalogue, the moment, the office's zone and the region of its numbers. Cards
    that are not in `sight` count as none: who asks does not see them."""

    catalogue: Catalogue
    now: datetime
    zone: tzinfo = UTC
    region: str = "RU"
    sight: Sight | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a term stands: the kind of records and their table."""

    kind: str
    table: Table
    asking: Asking

    @property
    def id(self) -> Any:
        """The records' own id."""
        return self.table.c.id

    @property
    def contact_id(self) -> Any:
        """Whose they are; None where they are nobody's."""
        return self.table.c.id if self.table is tables.contact else self.table.c.get("contact_id")


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
        raise InvalidInput("there is no kind of records «{kind}»", kind=written.brief(kind))
    return tables.deal


def stands_in(column: Any, wanted: Any) -> Condition:
    """That a column is one of the values that are asked for."""
    found: Condition = column.in_(wanted)
    return found


def yes(value: Any) -> bool:
    """What a flag of a filter says."""
    return True if value is None else written.flag(value)
