"""Which cards a page shows: what stands behind the `?` of its address, read, turned into a filter and written again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from multidict import MultiMapping

from crm_core.model.definitions import Catalogue
from crm_core.model.definitions.fields import FieldType
from crm_core.model.fields import Field, fields_of
from crm_core.model.filters import Filter, filter_of
from crm_core.model.user import Staff
from crm_core.storage.filtering import Asking
from crm_core.storage.queries.boards import BoardOrder
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.unindexed import Term
from hub.web.filtering.asking import Terms, address_of, count_of, of_own, of_span, of_staff, typed
from hub.web.filtering.own_fields import plain, terms_of

_MOST_TAGS = 20
_TEXTS = ("q", "manager", "group", "sum_from", "sum_to", "made_from", "made_to", "due_from", "due_to", "sort")
_FLAGS = ("late", "stepless", "closed")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, as it was typed: texts are empty where nothing is asked. `fields` by `key`, `key.from`,
    `key.to` of custom fields; `manager` a login or `NOBODY`; `late` is beyond a deadline, `stepless` has no plan."""

    q: str = ""
    manager: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()
    sum_from: str = ""
    sum_to: str = ""
    made_from: str = ""
    made_to: str = ""
    due_from: str = ""
    due_to: str = ""
    late: bool = False
    stepless: bool = False
    closed: bool = False
    sort: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, query: MultiMapping[str]) -> Wanted:
        """What an address asks for."""
        tags = [plain(each) for each in query.getall("tag", [])]
        chosen = tuple(dict.fromkeys(each for each in tags if each))[:_MOST_TAGS]
        return cls(tags=chosen, **typed(query, _TEXTS, _FLAGS))

    @property
    def address(self) -> str:
        """The same as a query string, without `?`; empty where nothing is asked."""
        pairs = ((name, getattr(self, name)) for name in (*_TEXTS, *_FLAGS))
        return address_of((*pairs, *(("tag", each) for each in self.tags)), self.fields)

    def sorted(self, by: str) -> Wanted:
        """The same in another order."""
        return replace(self, sort=by)

    @property
    def order(self) -> BoardOrder:
        """How the cards of a stage are sorted."""
        return BoardOrder(self.sort) if self.sort in set(BoardOrder) else BoardOrder.UPDATED

    @property
    def count(self) -> int:
        """How many things are asked for besides the order."""
        return count_of(self.address, "sort")

    def filter(self, kind: str, catalogue: Catalogue, staff: Staff) -> Filter:
        """As a filter of the record. Raises InvalidInput that says what makes no sense."""
        terms = [*self._plain(staff), *self._spans(), *of_own(self._indexed(kind, catalogue))]
        return filter_of({"all": terms}) if terms else Filter()

    def _plain(self, staff: Staff) -> Terms:
        if self.q:
            yield {"field": "q", "value": self.q}
        yield from of_staff(self.manager, self.group, staff)
        for each in self.tags:
            yield {"field": "tags", "value": each}
        if self.late:
            due = {"field": "due_at", "op": "<", "value": "now"}
            yield {"any": [due, {"field": "overdue_task", "value": True}]}
        if self.stepless:
            yield {"field": "next_step", "value": False}

    def _spans(self) -> Terms:
        yield from of_span("amount", self.sum_from, self.sum_to)
        yield from of_span("created_at", self.made_from, self.made_to)
        yield from of_span("due_at", self.due_from, self.due_to)

    def _indexed(self, kind: str, catalogue: Catalogue) -> Iterator[Term]:
        return (each for each in self._terms(kind, catalogue) if each.field.body.kept_apart)

    def unindexed(self, kind: str, catalogue: Catalogue) -> tuple[Term, ...]:
        """What is asked of fields that no index answers."""
        return tuple(each for each in self._terms(kind, catalogue) if not each.field.body.kept_apart)

    def _terms(self, kind: str, catalogue: Catalogue) -> Iterator[Term]:
        return terms_of(self.fields, asked_fields(kind, catalogue))


def asked_fields(kind: str, catalogue: Catalogue) -> Sequence[Field]:
    """The fields of a kind that cards can be asked for by: all but formulas that are in no index, for these stand
    nowhere."""
    return [
        each
        for each in fields_of(catalogue, kind).by_key.values()
        if each.body.kept_apart or each.type is not FieldType.FORMULA
    ]


def asking_of(asker: Asker) -> Asking:
    """What filters are read with."""
    office = asker.office
    return Asking(asker.catalogue, asker.now, ZoneInfo(office.time_zone), office.region, asker.sight)


def sorted_by(text: str) -> str | None:
    """A column that a table may be sorted by, `-` before it for the largest first; None for what is none."""
    if text.removeprefix("-") not in SORTED:
        return None
    return text


SORTED = ("title", "amount", "manager", "grade", "stage_since", "due_at", "created_at", "updated_at")
