"""Which clients the list shows: what stands behind the `?` of its address, read, made a filter of, written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from multidict import MultiMapping

from crm_core.model.definitions import Catalogue
from crm_core.model.fields import Field, fields_of
from crm_core.model.filters import Filter, filter_of
from crm_core.model.user import Staff
from hub.web.filtering.asking import Terms, address_of, count_of, of_own, of_span, of_staff, typed
from hub.web.filtering.own_fields import terms_of

DEALS: Mapping[str, Mapping[str, Any]] = {
    "open": {"field": "deals", "op": "any", "value": {"field": "state", "value": "open"}},
    "none": {"field": "deals", "op": "none", "value": {"field": "state", "value": "open"}},
    "won": {"field": "deals", "op": "any", "value": {"field": "state", "value": "won"}},
}
"""What may be asked of a client's deals, of those that are seen."""

_FLAGS = ("waiting", "idle", "out")
_EXACT = ("status", "list")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, as it was typed: texts are empty where nothing is asked. `manager` is a login or `NOBODY`,
    `group` of the staff, `source` that of a lead, `segment` an id, `silent` a day since which there was no contact,
    `deals` one of `DEALS`; `waiting` for an answer, `idle` without an open task, `out` of mailings. `fields` by `key`,
    `key.from`, `key.to` of own fields."""

    q: str = ""
    manager: str = ""
    group: str = ""
    tag: str = ""
    source: str = ""
    status: str = ""
    segment: str = ""
    list: str = ""
    city: str = ""
    deals: str = ""
    silent: str = ""
    made_from: str = ""
    made_to: str = ""
    waiting: bool = False
    idle: bool = False
    out: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, query: MultiMapping[str]) -> Wanted:
        """What an address asks for; raises InvalidInput for a NUL character."""
        return cls(**typed(query, _TEXTS, _FLAGS))

    @property
    def address(self) -> str:
        """The same as a query string, without `?`; empty where nothing is asked."""
        return address_of(((name, getattr(self, name)) for name in (*_TEXTS, *_FLAGS)), self.fields)

    @property
    def count(self) -> int:
        """How many things are asked for besides the text, which stands in a field of its own."""
        return count_of(self.address, "q")

    def filter(self, catalogue: Catalogue, staff: Staff) -> Filter:
        """As a filter of the record, without the text and the segment. Raises InvalidInput that says what makes no
        sense."""
        terms = [*self._terms(staff), *of_own(terms_of(self.fields, asked_fields(catalogue)))]
        return filter_of({"all": terms}) if terms else Filter()

    def _terms(self, staff: Staff) -> Terms:
        yield from of_staff(self.manager, self.group, staff)
        if self.tag:
            yield {"field": "tags", "value": self.tag}
        if self.source:
            yield {"field": "leads", "op": "any", "value": {"field": "source", "value": self.source}}
        yield from ({"field": name, "value": value} for name in _EXACT if (value := getattr(self, name)))
        if self.city:
            yield {"field": "city", "op": "contains", "value": self.city}
        if self.deals in DEALS:
            yield DEALS[self.deals]
        if self.silent:
            before = {"field": "last_contact_at", "op": "<", "value": self.silent}
            yield {"any": [before, {"field": "last_contact_at", "op": "empty"}]}
        yield from of_span("created_at", self.made_from, self.made_to)
        if self.waiting:
            yield {"field": "open_case", "value": True}
        if self.idle:
            yield {"field": "open_task", "value": False}
        if self.out:
            yield {"field": "opted_out", "value": True}


_TEXTS = tuple(each.name for each in fields(Wanted) if each.name not in {*_FLAGS, "fields"})


def asked_fields(catalogue: Catalogue) -> Sequence[Field]:
    """The own fields of clients that can be asked for: those that stand in an index."""
    return [each for each in fields_of(catalogue, "contact").by_key.values() if each.body.kept_apart]
