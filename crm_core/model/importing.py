"""What is brought in from files: kinds, how lines are dealt with, what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class ImportKind(StrEnum):
    """What the lines of a file are."""

    CONTACTS = "contacts"
    COMPANIES = "companies"
    LEADS = "leads"
    DEALS = "deals"
    PRODUCTS = "products"
    SALES = "sales"
    PAYMENTS = "payments"
    TASKS = "tasks"

    @property
    def of(self) -> str:
        """The kind of record, as history and links name it."""
        return _RECORDS[self]


_RECORDS = {
    ImportKind.CONTACTS: "contact",
    ImportKind.COMPANIES: "company",
    ImportKind.LEADS: "lead",
    ImportKind.DEALS: "deal",
    ImportKind.PRODUCTS: "product",
    ImportKind.SALES: "sale",
    ImportKind.PAYMENTS: "payment",
    ImportKind.TASKS: "task",
}


class Policy(StrEnum):
    """What becomes of a record that is there already: only its gaps are filled, the file wins, or it stays."""

    FILL = "fill"
    OVERWRITE = "overwrite"
    SKIP = "skip"


class Became(StrEnum):
    """What became of a line."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: its number in the file (from 1) and its cells; `flaw` says why it can't be read."""

    number: int
    cells: tuple[str, ...]
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line; `notes` say why it failed, or what of it could not be taken in."""

    line: int
    became: Became
    subject_id: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class How:
    """How an import is done. `system` names whose ids the file has; `rules` lets rules, chains and webhooks hear of
    it; `values` replaces values of a column's meaning: `{"stage": {"Первичный контакт": "Новая"}}`; `manager` looks
    after what has nobody."""

    system: str = "file"
    policy: Policy = Policy.FILL
    rules: bool = False
    author: str = ""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    manager: str | None = None
    pipeline: str | None = None
    separator: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file and what it is: a target's name, `fields.key`, or empty where it is left out."""

    heading: str
    target: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How the columns of a file are understood; `system` is the program whose export it was recognised as, `remembered`
    says that somebody mapped such headings before."""

    kind: ImportKind
    columns: Sequence[Column]
    system: str
    remembered: bool = False
