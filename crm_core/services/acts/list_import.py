"""Numbers of a special list from a CSV file: read, judged line by line, written set by set.

The file has the columns `number` and `reason` (in Russian too), in any order, or no heading and these two. Whatever a
spreadsheet makes of it is read: `;`, `,` or tabs, UTF-8 with or without a mark, windows-1251. A line that can't be used
is told with its number and how to mend it; the others are imported. Importing a file again changes nothing.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from crm_core.errors import InvalidInput
from crm_core.model.identity import caller
from crm_core.model.records import ListedNumberRecord
from crm_core.model.rights import Right
from crm_core.services.clients.contacts import known_list
from crm_core.services.desk import Desk

LARGEST = 20 * 1024 * 1024
"""Bytes of a file."""

AT_ONCE = 2000
"""Numbers a transaction."""

_LONGEST_REASON = 300
_NUMBERS = frozenset({"number", "phone", "phone_number", "tel", "telephone", "номер", "телефон"})
_REASONS = frozenset({"reason", "comment", "note", "причина", "комментарий", "примечание"})
_SHORTENED = re.compile(r"\d+([.,]\d+)?E\+?\d+\Z", re.IGNORECASE)
_DIGITS = re.compile(r"\d")
_BETWEEN = re.compile(r"[,;/|\r\n]|(?<=\d)\s+(?=\+)")
_MOST_DIGITS = 15
_SHOWN = 60


class Fault(StrEnum):
    """What is wrong with a line."""

    EMPTY = "empty"
    HIDDEN = "hidden"
    SHORT = "short"
    SHORTENED = "shortened"
    SEVERAL = "several"
    UNCLOSED = "unclosed"
    NO_NUMBER = "no_number"


_WORDS: dict[str, dict[Fault, str]] = {
    "ru": {
        Fault.EMPTY: "номер не указан: впишите его или удалите строку",
        Fault.HIDDEN: "скрытый номер внести нельзя: удалите строку; скрытые номера настраивает anonymous у [[line]]",
        Fault.SHORT: "короткий номер бывает только внутренним: впишите номер с кодом города или страны",
        Fault.SHORTENED: "таблица сократила номер, и цифры пропали: сделайте столбец текстовым и впишите номер заново",
        Fault.SEVERAL: "в ячейке несколько номеров: впишите каждый в свою строку",
        Fault.UNCLOSED: "кавычка не закрыта или стоит посреди ячейки: уберите её или удвойте",
        Fault.NO_NUMBER: "это не номер телефона: впишите его цифрами, например +79161234567",
    },
    "en": {
        Fault.EMPTY: "there is no number: write it, or remove the line",
        Fault.HIDDEN: "a hidden number can't be listed: remove the line; anonymous of the [[line]] decides on those",
        Fault.SHORT: "so short a number is an internal one: write it with its area or country code",
        Fault.SHORTENED: "the spreadsheet shortened the number and its digits are lost: make the column a text",
        Fault.SEVERAL: "there are several numbers in the cell: give each a line of its own",
        Fault.UNCLOSED: "a quotation mark is not closed, or stands inside a cell: remove it or double it",
        Fault.NO_NUMBER: "this is not a telephone number: write it in digits, like +79161234567",
    },
}


@dataclass(frozen=True, slots=True)
class Row:
    """A number to be listed: the line of the file (from 1), the identity, why."""

    line: int
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was left out: its number, what stands there, what is wrong and how to mend it."""

    line: int
    text: str
    problem: str


@dataclass(frozen=True, slots=True)
class ListFile:
    """A file as it was understood: each number once, the first line of it; `repeated` counts the others."""

    rows: tuple[Row, ...]
    bad: tuple[BadLine, ...]
    repeated: int


@dataclass(frozen=True, slots=True)
class Written:
    """What an import changed (or would): new numbers, numbers that stood on another list, new reasons, no change."""

    added: int = 0
    moved: int = 0
    changed: int = 0
    same: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(
            self.added + other.added,
            self.moved + other.moved,
            self.changed + other.changed,
            self.same + other.same,
        )


def read_list(content: bytes, region: str, language: str, *, reason: str) -> ListFile:
    """Understand a file; `reason` is that of lines without one. Raises InvalidInput for what is no such table."""
    words = _WORDS.get(language, _WORDS["ru"])
    rows: dict[str, Row] = {}
    bad: list[BadLine] = []
    repeated = 0
    number_at, reason_at = 0, 1
    first = True
    for line, cells in _lines(decoded(content)):
        if isinstance(cells, str):
            bad.append(BadLine(line, cells[:_SHOWN], words[Fault.UNCLOSED]))
            continue
        if first:
            first = False
            places = _heading(cells)
            if places is not None:
                number_at, reason_at = places
                continue
        number = cells[number_at].strip() if number_at < len(cells) else ""
        found = _number(number, region)
        if isinstance(found, Fault):
            bad.append(BadLine(line, ";".join(cells)[:_SHOWN], words[found]))
            continue
        why = " ".join(cells[reason_at].split()) if 0 <= reason_at < len(cells) else ""
        if found in rows:
            repeated += 1
        else:
            rows[found] = Row(line, found, why[:_LONGEST_REASON] or reason)
    return ListFile(tuple(rows.values()), tuple(bad), repeated)


def chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows in portions of a transaction; nothing is lost where one fails, for a file can be imported again."""
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


def write_list(desk: Desk, list_name: str, rows: Sequence[Row], login: str, *, dry_run: bool = False) -> Written:
    """Put numbers on a list, all at once; `dry_run` only counts. Raises InvalidInput for an unknown list."""
    desk.demand(Right.KEEP_LISTS)
    name = known_list(desk.office, list_name)
    known = desk.work.listed_numbers([row.key for row in rows])
    added = moved = changed = same = 0
    for row in rows:
        before = known.get(row.key)
        if before is None:
            added += 1
        elif before.list_name != name:
            moved += 1
        elif before.reason != row.reason:
            changed += 1
        else:
            same += 1
            continue
        if not dry_run:
            desk.work.put(ListedNumberRecord(row.key, name, row.reason, login, desk.now))
    return Written(added, moved, changed, same)


def decoded(content: bytes) -> str:
    """The text of a file; raises InvalidInput for what is none, or is too large."""
    if len(content) > LARGEST:
        raise InvalidInput("the file is larger than {most} MB: cut it into parts", most=LARGEST // 1024 // 1024)
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise InvalidInput("the file is not a text: save it as CSV (UTF-8)")


def _lines(text: str) -> Iterator[tuple[int, list[str] | str]]:
    """Lines that are not blank, with their numbers: their cells, or as they stand where the quotation marks are wrong.

    Behind such a line reading begins anew, so that a mark that is not closed swallows no line but its own.
    """
    lines = list(io.StringIO(text, newline=""))
    delimiter = _delimiter(text)
    start = 0
    while start < len(lines):
        first = start
        reader = csv.reader(itertools.islice(lines, start, None), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield first + 1, cells
                first = start + reader.line_num
            return
        except csv.Error:
            yield first + 1, lines[first].strip()
            start = first + 1


def _delimiter(text: str) -> str:
    """What separates the columns: whatever stands most often in the first line."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(";,\t", key=first.count)


def _heading(cells: Sequence[str]) -> tuple[int, int] | None:
    """Where the number and the reason stand (-1: nowhere); None where the first line is no heading."""
    names = [cell.strip().lower().replace(" ", "_") for cell in cells]
    number = next((at for at, name in enumerate(names) if name in _NUMBERS), None)
    if number is not None:
        return number, next((at for at, name in enumerate(names) if name in _REASONS), -1)
    if any(name in _REASONS for name in names) or (len(names) > 1 and not _DIGITS.search("".join(names))):
        raise InvalidInput(
            "there is no column «number» (номер) among {names}", names=", ".join(f"«{name}»" for name in names)
        )
    return None


def _several(text: str, region: str) -> bool:
    """Whether more than one number stands in a cell: none may be passed over in silence."""
    if len(_DIGITS.findall(text)) > _MOST_DIGITS:
        return True
    return sum(caller(part, region) is not None for part in _BETWEEN.split(text)) > 1


def _number(text: str, region: str) -> str | Fault:
    if not text:
        return Fault.EMPTY
    if _SHORTENED.match(text):
        return Fault.SHORTENED
    found = caller(text.removeprefix("tel:").removesuffix(".0"), region)
    if found is not None:
        return Fault.SEVERAL if _several(text, region) else str(found)
    digits = len(_DIGITS.findall(text))
    if not digits and text.strip("<>").lower() in {"anonymous", "unknown", "private", "скрыт", "скрытый", "аноним"}:
        return Fault.HIDDEN
    return Fault.SHORT if digits and not any(char.isalpha() for char in text) else Fault.NO_NUMBER
