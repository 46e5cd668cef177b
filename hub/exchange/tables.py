"""A file as a table: its headings, its lines one at a time, and how it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from crm_core.errors import InvalidInput
from crm_core.model.importing import Line
from crm_core.services.importing.headings import meaningful
from hub.exchange.csv_table import read_csv
from hub.exchange.encodings import detect

MOST_COLUMNS = 500
_LOOKED_AT = 10
_CLEARLY = 2


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is being read. `lines` are those below the headings; `form` says how the file is written, in
    words; `certainty` of its encoding in per cent; `total` about how many lines there are, where that is known."""

    headings: tuple[str, ...]
    lines: Iterator[Line]
    form: str
    certainty: int
    total: int | None


def open_table(
    path: Path, *, encoding: str | None = None, separator: str | None = None, sheet: str | None = None
) -> Table:
    """Open a CSV or XLSX file by its content; raises InvalidInput in words. `lines` may raise it too."""
    from hub.exchange.xlsx_table import looks_like, read_xlsx  # here, for openpyxl is heavy and tables are seldom

    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise InvalidInput("the file is empty")
    if looks_like(head):
        name, total, lines = read_xlsx(path, sheet)
        form, certainty = f"XLSX, «{name}»", 100
    else:
        found = detect(path, encoding)
        chosen, lines = read_csv(path, found, separator)
        shown = "TAB" if chosen == "\t" else chosen
        form, certainty, total = f"CSV, {found.name}, «{shown}»", found.certainty, found.lines
    first, above, lines = _headed(lines)
    if first is None or first.flaw:
        raise InvalidInput("the file has no line of headings")
    headings = tuple(" ".join(cell.replace("\ufeff", "").split())[:300] for cell in first.cells)
    if len(headings) > MOST_COLUMNS:
        raise InvalidInput("the file has more than {most} columns", most=MOST_COLUMNS)
    return Table(headings, lines, form, certainty, max(total - 1 - above, 0) if total is not None else None)


def _headed(lines: Iterator[Line]) -> tuple[Line | None, int, Iterator[Line]]:
    """The line of headings, how many stand above it (a title, headings of groups), and the lines below it."""
    first = list(islice(lines, _LOOKED_AT))
    if not first:
        return None, 0, lines
    known = [0 if each.flaw else meaningful(each.cells) for each in first]
    best = known.index(max(known))
    # Cells of people's own lines are hardly ever headings: what wins clearly are the headings.
    place = best if known[best] >= known[0] + _CLEARLY else 0
    return first[place], place, chain(first[place + 1 :], lines)


def sheets_of(path: Path) -> tuple[str, ...]:
    """The names of a spreadsheet's sheets, none of a CSV file. Raises InvalidInput."""
    from hub.exchange.xlsx_table import looks_like, sheets  # here, for openpyxl is heavy and tables are seldom

    with path.open("rb") as file:
        head = file.read(8)
    return sheets(path) if looks_like(head) else ()
