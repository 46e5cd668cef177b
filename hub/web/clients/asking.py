"""Which clients the list shows: what stands behind the `?` of its address, read, made a filter of, written again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlencode

from multidict import MultiMapping

from crm_core.model.definitions import Catalogue
from crm_core.model.fields import Field, fields_of
from crm_core.model.filters import Filter, filter_of
from crm_core.model.user import Staff
from hub.web.filtering.own_fields import FIELD, fields_asked, plain, terms_of

NOBODY = "-"
"""In place of a login: clients who are nobody's."""

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
        texts: dict[str, Any] = {name: plain(query.get(name, "")) for name in _NAMES}
        flags: dict[str, Any] = {name: bool(texts.pop(name)) for name in _FLAGS}
        return cls(**texts, **flags, fields=fields_asked(query))

    @property
    def address(self) -> str:
        """The same as a query string, without `?`; empty where nothing is asked."""
        pairs = ((name, getattr(self, name)) for name in _NAMES)
        said = [(name, "1" if value is True else value) for name, value in pairs if value]
        said += [(f"{FIELD}{name}", value) for name, value in sorted(self.fields.items())]
        return urlencode(said)

    @property
    def count(self) -> int:
        """How many things are asked for besides the text, which stands in a field of its own."""
        return sum(1 for each in self.address.split("&") if each and not each.startswith("q="))

    def filter(self, catalogue: Catalogue, staff: Staff) -> Filter:
        """As a filter of the record, without the text and the segment. Raises InvalidInput that says what makes no
        sense."""
        terms = [*self._terms(staff), *self._of_fields(catalogue)]
        return filter_of({"all": terms}) if terms else Filter()

    def _terms(self, staff: Staff) -> Iterator[Mapping[str, Any]]:
        if self.manager == NOBODY:
            yield {"field": "manager", "op": "empty"}
        elif self.manager:
            yield {"field": "manager", "value": self.manager}
        if self.group:
            of_group = sorted(each.login for each in staff.by_login.values() if each.group == self.group)
            yield {"field": "manager", "op": "in", "value": of_group}
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
        if self.made_from:
            yield {"field": "created_at", "op": ">=", "value": self.made_from}
        if self.made_to:
            yield {"field": "created_at", "op": "<=", "value": self.made_to}
        if self.waiting:
            yield {"field": "open_case", "value": True}
        if self.idle:
            yield {"field": "open_task", "value": False}
        if self.out:
            yield {"field": "opted_out", "value": True}

    def _of_fields(self, catalogue: Catalogue) -> Iterator[Mapping[str, Any]]:
        for each in terms_of(self.fields, asked_fields(catalogue)):
            yield {"field": f"fields.{each.field.key}", "op": each.op.value, "value": each.value}


_NAMES = tuple(each.name for each in fields(Wanted) if each.name != "fields")


def asked_fields(catalogue: Catalogue) -> Sequence[Field]:
    """The own fields of clients that can be asked for: those that stand in an index."""
    return [each for each in fields_of(catalogue, "contact").by_key.values() if each.body.kept_apart]
