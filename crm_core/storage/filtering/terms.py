"""Filters taken apart into their terms, and terms of what stands beyond the record: its client, their deals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, and_, exists, false, not_, or_, select, true

from crm_core.errors import InvalidInput
from crm_core.model.access import Sight
from crm_core.model.filters import Filter, Op, filter_of
from crm_core.storage import tables
from crm_core.storage.filtering.columns import of_column
from crm_core.storage.filtering.custom import of_field
from crm_core.storage.filtering.place import HIDDEN, TABLES, Condition, Place, Special, living, stands_in, yes
from crm_core.storage.filtering.special import SPECIAL
from crm_core.storage.sight import of_seen_card, seen_card
from crm_core.storage.types import JsonText

_ALIASES = {"contact": {"list": "list_name"}}


def of_filter(place: Place, wanted: Filter, *, negated: bool) -> Condition:
    """A filter or its opposite: negations go down to the terms, where an index may still lead."""
    if wanted.not_ is not None:
        return of_filter(place, wanted.not_, negated=not negated)
    if wanted.all is not None or wanted.any is not None:
        parts = [of_filter(place, each, negated=negated) for each in wanted.all or wanted.any or ()]
        together = (wanted.all is not None) is not negated
        return and_(true(), *parts) if together else or_(false(), *parts)
    if wanted.field is None:
        return false() if negated else true()
    try:
        return _term(place, wanted.field, wanted.op, wanted.value, negated=negated)
    except InvalidInput as err:
        if str(err).startswith("filter:"):
            raise
        raise InvalidInput("filter: {field}: {why}", field=wanted.field, why=err) from err


def _term(place: Place, name: str, op: Op, value: Any, *, negated: bool) -> Condition:
    if op is Op.NE:
        return _term(place, name, Op.EQ, value, negated=not negated)
    head, _, rest = name.partition(".")
    if head == "fields" and rest:
        return of_field(place, rest, op, value, negated=negated)
    if head in {"contact", "company", "client"} and rest:
        return _beyond(place, head, rest, op, value, negated=negated)
    special = _BEYOND.get(name) or SPECIAL.get(name)
    if special is not None and (found := special(place, op, value, negated)) is not None:
        return found
    column = place.table.c.get(_ALIASES.get(place.kind, {}).get(name, name))
    if column is None or name in HIDDEN or isinstance(column.type, JsonText):
        raise InvalidInput("«{kind}» has no such field to filter by", kind=place.kind)
    return of_column(place, column, op, value, negated=negated)


def _beyond(place: Place, head: str, rest: str, op: Op, value: Any, *, negated: bool) -> Condition:
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
        raise InvalidInput("«{kind}» has no {head}", kind=place.kind, head=head)
    there = Place(head, table, place.asking)
    # A status is kept on the contact; who was never looked at has no score.
    empty = (op is Op.EMPTY and yes(value)) or (op is Op.EQ and value is None)
    if empty:
        inner = _term(there, rest, op, value, negated=True)
        negated = not negated
    else:
        inner = _term(there, rest, op, value, negated=False)
    if negated:
        return not_(exists(select(1).select_from(table).where(key == reference, inner).correlate(place.table)))
    return stands_in(reference, select(key).where(inner))


def _related(kind: str, table: Table) -> Special:
    def of(place: Place, op: Op, value: Any, negated: bool) -> Condition | None:
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
        there = Place(kind, table, place.asking)
        conditions = [of_filter(there, inner, negated=False)]
        if kind in TABLES:
            conditions.append(living(kind))
        if place.asking.sight is not None and (seen := _seen(kind, table, place.asking.sight)) is not None:
            conditions.append(seen)
        if (op is Op.NONE) is not negated:
            return not_(exists(select(1).select_from(table).where(table.c[owner] == reference, *conditions)))
        return stands_in(reference, select(table.c[owner]).where(table.c[owner].is_not(None), *conditions))

    return of


def _seen(kind: str, table: Table, sight: Sight) -> Condition | None:
    if kind == "deal":
        return seen_card(sight, table)
    return of_seen_card(table.c.deal_id, sight) if "deal_id" in table.c else None


def _last_contact(place: Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.table is tables.contact or place.contact_id is None:
        return None
    return _beyond(place, "contact", "last_contact_at", op, value, negated=negated)


_BEYOND: Mapping[str, Special] = {
    "last_contact_at": _last_contact,
    "deals": _related("deal", tables.deal),
    "leads": _related("lead", tables.lead),
    "tasks": _related("task", tables.task),
    "sales": _related("sale", tables.sale),
}
