"""What a report is: one metric with one definition in words, its columns, and the query that gives its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from crm_core.model.identity import caller
from crm_core.model.office import Office

MOST_ROWS = 10_000
"""Rows of an answer at most; `Table.complete` says whether there are more."""

MOST_COUNTED = 200_000
"""Facts that a grouped report counts at most."""

Item = TypeVar("Item")


class By(StrEnum):
    """What figures can be grouped by."""

    MANAGER = "manager"
    LINE = "line"
    MONTH = "month"


class Kind(StrEnum):
    """What stands in a column: a text, a login, a client's id, a number of things, seconds, a share of one (0 to 1), a
    moment, a month (`2026-03`), ids of calls whose recordings can be heard."""

    TEXT = "text"
    LOGIN = "login"
    CLIENT = "client"
    COUNT = "count"
    SECONDS = "seconds"
    SHARE = "share"
    MOMENT = "moment"
    MONTH = "month"
    RECORDINGS = "recordings"


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    ru: str
    en: str

    def said(self, language: str) -> str:
        """In a language, Russian where there are no words of its own."""
        return self.en if language == "en" else self.ru


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    title: Words
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: facts with `since` <= time < `until`, as of `now`; grouped by `by`, or one by one without.

    `login`: only what belongs to this manager. `limit` rows at most.
    """

    since: datetime
    until: datetime
    now: datetime
    office: Office
    by: tuple[By, ...] = ()
    login: str | None = None
    limit: int = 1000

    @property
    def counted(self) -> int:
        """How many facts the query may give: one more than is shown, or as many as are counted."""
        return MOST_COUNTED if self.by else self.limit + 1

    def month(self, at: datetime) -> str:
        """The month of a moment in the office's zone."""
        return at.astimezone(ZoneInfo(self.office.time_zone)).strftime("%Y-%m")

    def line(self, pbx: str | None, dialled: str | None) -> str:
        """The configured number of a line, however it was dialled."""
        found = self.office.line(pbx or "", dialled or "")
        return found.number if found is not None else (dialled or "")

    def number(self, given: str | None) -> str:
        """A client's number in one form."""
        found = caller(given or "", self.office.region)
        return found.value if found is not None else (given or "")


@dataclass(frozen=True, slots=True)
class Table:
    """The answer; a row has a value a column. `complete` is False where rows (or facts to be counted) were left out."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    complete: bool

    @property
    def names_clients(self) -> bool:
        """Whether its rows are of single clients: a piece of the base, and not only figures."""
        return any(each.kind is Kind.CLIENT for each in self.columns)


@dataclass(frozen=True, slots=True)
class Report:
    """A metric. `definition` says what exactly is counted; `groups` what it can be grouped by, `must_group` that it is
    a figure only, so that `groups[0]` stands in where nothing is named."""

    name: str
    title: Words
    definition: Words
    groups: tuple[By, ...]
    run: Callable[[Connection, Wanted], Table]
    must_group: bool = False


MANAGER = Column("manager", Words("Менеджер", "Manager"), Kind.LOGIN)
LINE = Column("line", Words("Линия", "Line"))
MONTH = Column("month", Words("Месяц", "Month"), Kind.MONTH)
CLIENT = Column("contact_id", Words("Клиент", "Client"), Kind.CLIENT)
NAME = Column("name", Words("Имя", "Name"))
NUMBER = Column("number", Words("Номер", "Number"))
DIMENSIONS: Mapping[By, Column] = {By.MANAGER: MANAGER, By.LINE: LINE, By.MONTH: MONTH}


def grouped(
    wanted: Wanted, items: Iterable[Item], key: Callable[[Item, By], str | None]
) -> dict[tuple[str | None, ...], list[Item]]:
    """Items by the wanted dimensions, in the order of their keys; nobody and nothing stand last."""
    found: dict[tuple[str | None, ...], list[Item]] = {}
    for item in items:
        found.setdefault(tuple(key(item, by) for by in wanted.by), []).append(item)
    return dict(sorted(found.items(), key=lambda pair: tuple((each is None, each or "") for each in pair[0])))


def dimensions(wanted: Wanted) -> tuple[Column, ...]:
    """The columns of the wanted dimensions."""
    return tuple(DIMENSIONS[by] for by in wanted.by)


def nearest_rank(ordered: list[int], percent: int) -> int | None:
    """The percentile by the nearest rank: the smallest value that `percent` of all do not exceed."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None
