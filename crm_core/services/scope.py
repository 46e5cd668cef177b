"""What expressions and templates see of a record and of what belongs to it, worked out when it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from enum import Enum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from crm_core.model.definitions import Catalogue
from crm_core.model.definitions.fields import FieldType
from crm_core.model.expressions import Program
from crm_core.model.fields import FieldSet, fields_of, in_scope
from crm_core.model.history import KIND_OF
from crm_core.model.identity import IdentityKind, stored_identity
from crm_core.model.money import digits_of
from crm_core.model.records import ContactRecord, DealRecord, EntryRecord, LeadRecord, LeadStatus, StageKind
from crm_core.model.selling import (
    ClientScoreRecord,
    CompanyRecord,
    LineItemRecord,
    PaymentRecord,
    ProductRecord,
)
from crm_core.model.task import TaskRecord, TaskState
from crm_core.services.desk import Desk
from crm_core.wording import Sentence

Record = TypeVar("Record", bound=tuple[Any, ...])


def scope_of(desk: Desk, record: Any, **more: Any) -> Scope:
    """What an expression about a record may name: `deal`, `contact`, `company`, `lead`, `task`, `payment`, `client`
    (their score), `now` (in the office's zone), `fields` of the record itself, and whatever is given besides (a record
    too).

    Each has its columns, `tags` and `fields`; money is in major units. What is not there is null.
    """
    return Scope(desk, record, more)


def kind_of(record: Any) -> str:
    """The kind under which a record's fields are declared: a card's is its type."""
    return record.type if isinstance(record, DealRecord) else KIND_OF.get(type(record), "")


class Scope(Mapping[str, Any]):
    """The variables of an expression, each made when it is asked for."""

    def __init__(self, desk: Desk, record: Any, more: Mapping[str, Any] | None = None) -> None:
        self._desk = desk
        self._record = record
        self._more = dict(more or {})
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*_VARIABLES, *self._more)))

    def __len__(self) -> int:
        return len(set(_VARIABLES) | self._more.keys())

    def __contains__(self, name: object) -> bool:
        return name in self._more or name in _VARIABLES

    def record(self, name: str) -> Any:
        """The record that a variable stands for, None where there is none."""
        return _RECORDS[name](self._desk, self._record)

    def _make(self, name: str) -> Any:
        if name in self._more:
            return shown(self._desk, self._more[name])
        if name == "now":
            return self._desk.now.astimezone(ZoneInfo(self._desk.office.time_zone))
        if name == "fields":
            values = getattr(self._record, "fields", None) or {}
            return Fields(self._desk, fields_of(self._desk.catalogue, kind_of(self._record)), values)
        if name not in _RECORDS:
            raise KeyError(name)
        return shown(self._desk, self.record(name))


def shown(desk: Desk, value: Any) -> Any:
    """A value of the record as an expression sees it: records by their columns, moments in the office's zone."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return Columns(desk, value)
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(desk.office.time_zone))
    return value.value if isinstance(value, Enum) else value


class Columns(Mapping[str, Any]):
    """A record by its columns, and by what is worked out of them."""

    def __init__(self, desk: Desk, record: Any) -> None:
        self._desk = desk
        self._record = record
        self._worked_out = _WORKED_OUT.get(type(record), {})

    def __getitem__(self, name: str) -> Any:
        make = self._worked_out.get(name)
        if make is not None:
            return shown(self._desk, make(self._desk, self._record))
        if name not in self._record._fields:
            raise KeyError(name)
        value = getattr(self._record, name)
        if name == "fields":
            return Fields(self._desk, fields_of(self._desk.catalogue, kind_of(self._record)), value or {})
        return shown(self._desk, value)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._record._fields, *self._worked_out)))

    def __len__(self) -> int:
        return len(set(self._record._fields) | self._worked_out.keys())

    def __contains__(self, name: object) -> bool:
        return name in self._worked_out or name in self._record._fields


class Fields(Mapping[str, Any]):
    """The custom fields of a record: all that are declared, and whatever else stands there."""

    def __init__(self, desk: Desk, of: FieldSet, values: Mapping[str, Any]) -> None:
        self._desk = desk
        self._of = of
        self._values = values

    def __getitem__(self, key: str) -> Any:
        value = self._values.get(key)
        declared = self._of.by_key.get(key)
        if declared is not None:
            found = in_scope(declared, value)
            if declared.type is FieldType.DATE and isinstance(found, datetime):
                # The day begins where the office is.
                return found.replace(tzinfo=ZoneInfo(self._desk.office.time_zone))
            return found
        if key not in self._values:
            raise KeyError(key)
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._of.by_key, *self._values)))

    def __len__(self) -> int:
        return len(self._of.by_key.keys() | self._values.keys())

    def __contains__(self, key: object) -> bool:
        return key in self._of.by_key or key in self._values


def unknown_names(
    catalogue: Catalogue, program: Program, kind: str, more: Mapping[str, type | None] | None = None
) -> list[str]:
    """What an expression about a record of `kind` names that is not there, in words, with what was probably meant.

    `more` are further variables: the record's type, or None where anything may stand in it.
    """
    return unknown_paths(catalogue, program.paths, kind, more)


def unknown_paths(
    catalogue: Catalogue, paths: Iterable[tuple[str, ...]], kind: str, more: Mapping[str, type | None] | None = None
) -> list[str]:
    """The same of paths; with no `kind` it may be about records of any."""
    variables: dict[str, type | None] = {**_TYPES, **(more or {})}
    found: list[str] = []
    for path in sorted(paths):
        name, *steps = path
        if name not in variables and name not in {"fields", "now"}:
            meant = nearest(name, [*variables, "fields", "now"])
            found.append(Sentence("there is no «{name}»{meant}", name=name, meant=meant))
            continue
        if name == "now":
            continue
        on = kind if name == "fields" else _kind_named(name, kind)
        if name == "fields":
            steps = ["fields", *steps]
        record = variables.get(name) if name != "fields" else DealRecord
        if record is None or not steps:
            continue
        known = {*getattr(record, "_fields", ()), *_WORKED_OUT.get(record, {})}
        if steps[0] not in known:
            meant = nearest(steps[0], known)
            found.append(Sentence("«{name}» has no «{part}»{meant}", name=name, part=steps[0], meant=meant))
        elif steps[0] == "fields" and len(steps) > 1:
            declared = fields_of(catalogue, on).by_key
            if declared and steps[1] not in declared:
                meant = nearest(steps[1], declared)
                found.append(Sentence("«{kind}» has no field «{key}»{meant}", kind=on, key=steps[1], meant=meant))
    return found


def nearest(name: str, known: Any) -> str:
    """What was probably meant, in words; nothing where nothing is near."""
    close = get_close_matches(name, list(known), 1)
    return Sentence(", did you mean «{name}»?", name=close[0]) if close else ""


def _kind_named(name: str, kind: str) -> str:
    """A card of a custom type is `deal` to its own expressions."""
    return kind if name == "deal" and kind not in {"contact", "company", "lead", "task", "product", "payment"} else name


# ------------------------------------------------------------ what belongs to a record


def _contact(desk: Desk, record: Any) -> ContactRecord | None:
    if isinstance(record, ContactRecord):
        return record
    owner = getattr(record, "contact_id", None)
    if owner is None and isinstance(record, (PaymentRecord, LineItemRecord)):
        deal = _deal(desk, record)
        owner = deal.contact_id if deal is not None else None
    return desk.work.contacts([owner]).get(owner) if owner is not None else None


def _deal(desk: Desk, record: Any) -> DealRecord | None:
    if isinstance(record, DealRecord):
        return record
    return _by_id(desk, DealRecord, getattr(record, "deal_id", None))


def _lead(desk: Desk, record: Any) -> LeadRecord | None:
    if isinstance(record, LeadRecord):
        return record
    return _by_id(desk, LeadRecord, getattr(record, "lead_id", None))


def _company(desk: Desk, record: Any) -> CompanyRecord | None:
    if isinstance(record, CompanyRecord):
        return record
    own = getattr(record, "company_id", None)
    if own is None and not isinstance(record, ContactRecord):
        contact = _contact(desk, record)
        own = contact.company_id if contact is not None else None
    return _by_id(desk, CompanyRecord, own)


def _task(_desk: Desk, record: Any) -> TaskRecord | None:
    return record if isinstance(record, TaskRecord) else None


def _payment(_desk: Desk, record: Any) -> PaymentRecord | None:
    return record if isinstance(record, PaymentRecord) else None


def _client(desk: Desk, record: Any) -> ClientScoreRecord | None:
    contact = _contact(desk, record)
    return _by_id(desk, ClientScoreRecord, contact.id) if contact is not None else None


def _by_id(desk: Desk, kind: type[Record], key: int | None) -> Record | None:
    """A record by its key; that there is none is remembered too."""
    if key is None:
        return None
    known = desk.work.peek(kind, key)
    if known is not None:
        return known
    found = desk.work.related(kind, "contact_id" if kind is ClientScoreRecord else "id", [key])
    return found[0] if found else None


_RECORDS: Mapping[str, Callable[[Desk, Any], Any]] = {
    "deal": _deal,
    "contact": _contact,
    "company": _company,
    "lead": _lead,
    "task": _task,
    "payment": _payment,
    "client": _client,
}
_VARIABLES = (*_RECORDS, "now", "fields")
# What no type of records of the office's own may be called.
OWN_NAMES = frozenset({*_VARIABLES, *KIND_OF.values(), "entry", "call", "text", "old", "new", "tag"})
_TYPES: Mapping[str, type] = {
    "deal": DealRecord,
    "contact": ContactRecord,
    "company": CompanyRecord,
    "lead": LeadRecord,
    "task": TaskRecord,
    "payment": PaymentRecord,
    "client": ClientScoreRecord,
}


# ------------------------------------------------------------ what is worked out of columns


def _major(column: str) -> Callable[[Desk, Any], float]:
    def worked_out(_desk: Desk, record: Any) -> float:
        currency = getattr(record, "currency", None) or "RUB"
        return float(getattr(record, column) / 10 ** digits_of(currency))

    return worked_out


def _counted(column: str) -> Callable[[Desk, Any], float]:
    return lambda _desk, record: float(getattr(record, column) / 1000)


def _stage(desk: Desk, record: DealRecord) -> str | None:
    place = desk.catalogue.place(record.stage_id)
    return place[1].name if place is not None else None


def _pipeline(desk: Desk, record: DealRecord) -> str | None:
    pipeline = desk.catalogue.pipeline(record.pipeline_id)
    return pipeline.name if pipeline is not None else None


def _in_stage(*kinds: StageKind) -> Callable[[Desk, DealRecord], bool]:
    def worked_out(desk: Desk, record: DealRecord) -> bool:
        place = desk.catalogue.place(record.stage_id)
        return place is not None and place[1].record.kind in kinds

    return worked_out


def _position(desk: Desk, record: DealRecord) -> int | None:
    place = desk.catalogue.place(record.stage_id)
    return place[1].record.position if place is not None else None


def _utm(_desk: Desk, record: Any) -> dict[str, str]:
    if isinstance(record, LeadRecord):
        return {each: getattr(record, f"utm_{each}") for each in _UTM}
    known = record.utm or {}
    return {each: str(known.get(each) or known.get(f"utm_{each}") or "") for each in _UTM}


def _first(kind: IdentityKind) -> Callable[[Desk, ContactRecord], str | None]:
    def worked_out(desk: Desk, record: ContactRecord) -> str | None:
        held = desk.work.identities([record.id]).get(record.id, [])
        found = (stored_identity(each.key) for each in held)
        return next((each.value for each in found if each.kind is kind), None)

    return worked_out


_UTM = ("source", "medium", "campaign", "content", "term")
_WORKED_OUT: Mapping[type, Mapping[str, Callable[[Desk, Any], Any]]] = {
    DealRecord: {
        "amount": _major("amount"),
        "paid": _major("paid"),
        "balance": lambda _desk, record: float((record.amount - record.paid) / 10 ** digits_of(record.currency)),
        "overdue": lambda desk, record: record.pay_by is not None and record.pay_by <= desk.now,
        "stage": _stage,
        "stage_position": _position,
        "pipeline": _pipeline,
        "open": _in_stage(StageKind.OPEN),
        "won": _in_stage(StageKind.WON),
        "lost": _in_stage(StageKind.LOST),
        "utm": _utm,
        "manager_name": lambda desk, record: desk.name_of(record.manager) if record.manager else None,
    },
    LeadRecord: {
        "open": lambda _desk, record: record.status in {LeadStatus.NEW, LeadStatus.TAKEN},
        "utm": _utm,
        "manager_name": lambda desk, record: desk.name_of(record.manager) if record.manager else None,
    },
    ContactRecord: {
        "phone": _first(IdentityKind.TEL),
        "email": _first(IdentityKind.MAILTO),
        "called": lambda desk, record: record.name or desk.handle(record.id) or f"№ {record.id}",
        "manager_name": lambda desk, record: desk.name_of(record.manager) if record.manager else None,
    },
    TaskRecord: {"open": lambda _desk, record: record.state is TaskState.OPEN},
    ProductRecord: {"price": _major("price")},
    PaymentRecord: {"amount": _major("amount")},
    LineItemRecord: {
        "quantity": _counted("quantity"),
        "price": _major("price"),
        "discount": _major("discount"),
        "total": _major("total"),
    },
    ClientScoreRecord: {"revenue": _major("revenue")},
    EntryRecord: {"by_client": lambda _desk, record: record.direction.value == "in"},
}
