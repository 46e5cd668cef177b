"""The history of records: which of their columns are tracked, and what changed between two versions of one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from crm_core.model.records import ContactRecord, DealRecord, LeadRecord
from crm_core.model.selling import CompanyRecord, LineItemRecord, PaymentRecord, ProductRecord
from crm_core.model.task import TaskRecord

Json = Any


class ChangeRecord(NamedTuple):
    """Who changed what of a record, in one transaction: `changes` is `[[column or "fields.key", old, new], …]`."""

    id: int
    kind: str
    subject_id: int
    at: datetime
    author: str
    changes: Json


class Change(NamedTuple):
    """A record that was put since the last look: `before` is None where it is new, `after` None where it is gone."""

    before: Any
    after: Any


# Kinds by which records are named in history, links, rules and the API.
KIND_OF: dict[type, str] = {
    ContactRecord: "contact",
    CompanyRecord: "company",
    LeadRecord: "lead",
    DealRecord: "deal",
    TaskRecord: "task",
    ProductRecord: "product",
    LineItemRecord: "line_item",
    PaymentRecord: "payment",
}
# What a person or a rule changes; the rest is bookkeeping of the hub.
_UNTRACKED = frozenset(
    {
        *("id", "created_at", "updated_at", "search", "name_key", "marks", "version", "last_signal_at"),
        *("last_contact_at", "first_fact_at", "stage_since", "rung", "overdue_at"),
    }
)
_TRACKED: dict[type, tuple[tuple[int, str], ...]] = {
    kind: tuple((index, name) for index, name in enumerate(kind._fields) if name not in _UNTRACKED)  # type: ignore[attr-defined]  # all are named tuples
    for kind in KIND_OF
}
_FIELDS = "fields"


def differences(before: Any, after: Any) -> list[list[Any]]:
    """What differs between two versions of a tracked record: `[[name, old, new], …]`; custom fields one by one."""
    found: list[list[Any]] = []
    for index, name in _TRACKED[type(after)]:
        old, new = before[index], after[index]
        if old == new:
            continue
        if name == _FIELDS:
            keys = [*old, *(key for key in new if key not in old)]
            found.extend(
                [f"{_FIELDS}.{key}", plain(old.get(key)), plain(new.get(key))]
                for key in keys
                if old.get(key) != new.get(key)
            )
        else:
            found.append([name, plain(old), plain(new)])
    return found


def plain(value: Any) -> Any:
    """A value as JSON holds it."""
    return value.isoformat() if isinstance(value, datetime) else value
