"""Lines of a CSV file, one at a time: whatever separates its cells, in whatever encoding, however quoted."""

from __future__ import annotations

import csv
import itertools
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from crm_core.errors import InvalidInput
from crm_core.model.importing import Line
from hub.exchange.encodings import Encoding

SEPARATORS = (";", ",", "\t", "|")
_LONGEST_LINE = 1_000_000
_LONGEST_CELL = 200_000
_MOST_JOINED = 200  # lines of a cell with line breaks
_LOOKED_AT = 20
_OPEN_END = "unexpected end of data"
UNCLOSED = "unclosed"
"""The flaw of a line whose quotation marks are wrong."""

csv.field_size_limit(_LONGEST_CELL)


def read_csv(path: Path, encoding: Encoding, separator: str | None = None) -> tuple[str, Iterator[Line]]:
    """The separator of a file and its lines, the blank ones left out. Raises InvalidInput, also in the middle."""
    if separator is not None and separator not in SEPARATORS:
        raise InvalidInput("separator: one of «;» «,» «|» or a tab")
    first = list(itertools.islice(_physical(path, encoding), _LOOKED_AT))
    said = _said(first[0]) if first else None
    chosen = separator or said or _separator([each for each in first if each.strip()])
    return chosen, _lines(path, encoding, chosen, skip=said is not None)


def _physical(path: Path, encoding: Encoding) -> Iterator[str]:
    with path.open(encoding=encoding.name, newline="", errors="replace") as file:
        while line := file.readline(_LONGEST_LINE):
            if len(line) >= _LONGEST_LINE:
                raise InvalidInput("a line is longer than {most} characters: this is no table", most=_LONGEST_LINE)
            yield line.replace("\x00", "")


def _said(first: str) -> str | None:
    """What a spreadsheet says of itself: `sep=;`."""
    text = first.strip("\r\n\ufeff ")
    return text[4:5] or "\t" if text.lower().startswith("sep=") and text[4:5] in {"", *SEPARATORS} else None


def _separator(lines: list[str]) -> str:
    """Whatever cuts the first lines into the most and most equal cells."""

    def cells(separator: str) -> tuple[int, int]:
        counts = [_count(line, separator) for line in lines] or [0]
        # Of a title above the headings nothing can be told: then the other lines tell, most of them alike.
        usual = max(counts, key=counts.count)
        count = counts[0] if counts[0] > 1 or counts.count(usual) * 2 <= len(counts) else usual
        return (count if count > 1 else 0), counts.count(count)

    return max(SEPARATORS, key=cells)


def _count(line: str, separator: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return 1


def _lines(path: Path, encoding: Encoding, separator: str, *, skip: bool) -> Iterator[Line]:
    source = enumerate(_physical(path, encoding), start=1)
    waiting: deque[tuple[int, str]] = deque()
    if skip:
        next(source, None)

    def following() -> tuple[int, str] | None:
        return waiting.popleft() if waiting else next(source, None)

    while (found := following()) is not None:
        number, text = found
        taken = [found]
        cells, closed = _cells([text], separator)
        while not closed and len(taken) < _MOST_JOINED and (more := following()) is not None:
            taken.append(more)
            if sum(len(each) for _, each in taken) > _LONGEST_CELL:
                break
            # only a line with a mark in it can close the cell
            if '"' in more[1]:
                cells, closed = _cells([each for _, each in taken], separator)
        if cells is None:
            # Behind a mark that is not closed reading begins anew, so that it swallows no line but its own.
            waiting.extendleft(reversed(taken[1:]))
            yield Line(number, (text.strip(),), UNCLOSED)
        elif any(cell.strip() for cell in cells):
            yield Line(number, tuple(cells))


def _cells(lines: list[str], separator: str) -> tuple[list[str] | None, bool]:
    """The cells of a line that may go on in the next ones; None where its marks are wrong. Whether it is at its end."""
    try:
        return next(csv.reader(lines, delimiter=separator, strict=True), []), True
    except csv.Error as err:
        return None, _OPEN_END not in str(err)
