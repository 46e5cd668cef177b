"""What the filters of all lists ask alike: read from behind the `?` of an address, written again, made terms of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlencode

from multidict import MultiMapping

from crm_core.model.user import Staff
from crm_core.storage.queries.workspace.unindexed import Term
from hub.web.filtering.own_fields import FIELD, fields_asked, plain

NOBODY = "-"
"""In place of a login: what is nobody's."""

Terms: TypeAlias = Iterator[Mapping[str, Any]]
"""Parts of a filter, all of which hold."""


def typed(query: MultiMapping[str], texts: Sequence[str], flags: Sequence[str]) -> dict[str, Any]:
    """What an address asks for by these names, empty or False where it does not; `fields` of own fields. Raises
    InvalidInput for a NUL character."""
    said: dict[str, Any] = {name: plain(query.get(name, "")) for name in texts}
    return said | {name: bool(plain(query.get(name, ""))) for name in flags} | {"fields": fields_asked(query)}


def address_of(pairs: Iterable[tuple[str, str | bool]], own: Mapping[str, str]) -> str:
    """What is asked for as a query string, without `?`: names with their values, and own fields; empty where nothing
    is asked."""
    said = [(name, "1" if value is True else value) for name, value in pairs if value]
    said += [(f"{FIELD}{name}", value) for name, value in sorted(own.items())]
    return urlencode(said)


def count_of(address: str, apart: str) -> int:
    """How many things an address asks for, but for the one that stands apart from the filter."""
    return sum(1 for each in address.split("&") if each and not each.startswith(f"{apart}="))


def of_staff(manager: str, group: str, staff: Staff) -> Terms:
    """Whose it is: a login or `NOBODY`, one of a group; empty where that is all the same."""
    if manager == NOBODY:
        yield {"field": "manager", "op": "empty"}
    elif manager:
        yield {"field": "manager", "value": manager}
    if group:
        of_group = sorted(each.login for each in staff.by_login.values() if each.group == group)
        yield {"field": "manager", "op": "in", "value": of_group}


def of_span(column: str, first: str, last: str) -> Terms:
    """From and to, both included; empty where there is no end."""
    if first:
        yield {"field": column, "op": ">=", "value": first}
    if last:
        yield {"field": column, "op": "<=", "value": last}


def of_own(terms: Iterable[Term]) -> Terms:
    """Of own fields, as the record is asked."""
    for each in terms:
        yield {"field": f"fields.{each.field.key}", "op": each.op.value, "value": each.value}
