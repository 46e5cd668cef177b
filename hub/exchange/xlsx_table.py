"""Rows of a spreadsheet, one at a time at constant memory: its shared texts lie on disk, and nothing it says of its own
size is believed."""

from __future__ import annotations

import tempfile
import zipfile
from array import array
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import ParseError, iterparse

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import WorkSheetParser

from crm_core.errors import InvalidInput
from crm_core.model.importing import Line

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_MOST_ROWS = 1_048_576
_MOST_COLUMNS = 1000
_MOST_PARTS = 5000
_UNPACKED = 4 * 1024**3
_HONEST = 64 * 1024**2  # what is smaller may be packed as it likes
_MOST_PACKED = 200
_LONGEST_TEXT = 200_000
_STRINGS = "xl/sharedStrings.xml"
_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def looks_like(head: bytes) -> bool:
    """Whether a file that begins so is a spreadsheet, or wants to be one. Raises InvalidInput for those of old."""
    if head.startswith(_OLE):
        raise InvalidInput(
            "this is an old or a protected spreadsheet (.xls): save it as XLSX without a password, or CSV"
        )
    return head.startswith(_ZIP)


def read_xlsx(path: Path, sheet: str | None = None) -> tuple[str, int | None, Iterator[Line]]:
    """The sheet's name, how many rows it says to have, and the rows that are not blank. Raises InvalidInput, also in
    the middle."""
    _guard(path)
    reader = _Reader(path)
    try:
        reader.read()
    except (InvalidFileException, KeyError, ValueError, ParseError, zipfile.BadZipFile, OSError, TypeError) as err:
        reader.close()
        raise InvalidInput("the spreadsheet can't be read: open it and save it once more as XLSX") from err
    book = reader.wb
    names = [each.title for each in book.worksheets]
    visible = [each for each in book.worksheets if each.sheet_state == "visible"]
    if sheet is not None and sheet not in names:
        reader.close()
        raise InvalidInput("sheet: there is none «{sheet}», only {names}", sheet=sheet, names=", ".join(names)[:300])
    chosen = book[sheet] if sheet is not None else (visible or book.worksheets or [None])[0]
    if chosen is None:
        reader.close()
        raise InvalidInput("the spreadsheet has no sheet with rows")
    said = chosen.max_row if isinstance(chosen.max_row, int) and 0 < chosen.max_row <= _MOST_ROWS else None
    return chosen.title, said, _lines(reader, chosen)


class _Reader(ExcelReader):  # type: ignore[misc]  # openpyxl comes without types
    """openpyxl's reader, with the shared texts on disk."""

    def __init__(self, path: Path) -> None:
        # By its content, for files of the store have no name that openpyxl would know them by.
        self._source: IO[bytes] = path.open("rb")
        try:
            super().__init__(self._source, read_only=True, data_only=True, keep_links=False)
        except BaseException:
            self._source.close()
            raise
        self.shared_strings: Any = _Texts()

    def read_strings(self) -> None:
        """Put the shared texts away, one by one."""
        if _STRINGS in self.archive.namelist():
            with self.archive.open(_STRINGS) as source:
                self.shared_strings.take(source)

    def close(self) -> None:
        """Let go of the files."""
        self.shared_strings.close()
        self.archive.close()
        self._source.close()


class _Texts:
    """Texts by their number, on disk; eight bytes of memory each."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the reader
        self._places = array("Q", [0])

    def take(self, source: IO[bytes]) -> None:
        """Read them from the part of the archive that holds them."""
        place, root = 0, None
        for event, element in iterparse(source, events=("start", "end")):  # noqa: S314 - expat bounds its entities
            if root is None:
                root = element
            if event == "end" and element.tag == f"{_NS}si":
                text = "".join(_said(element))[:_LONGEST_TEXT].encode("utf-8", "replace")
                place += self._file.write(text)
                self._places.append(place)
                root.clear()

    def __getitem__(self, index: int) -> str:
        start, end = self._places[index], self._places[index + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode()

    def close(self) -> None:
        """Forget them."""
        self._file.close()


def _said(element: Any) -> Iterator[str]:
    """The text of a shared string, without what tells how it is read aloud."""
    for child in element:
        if child.tag == f"{_NS}t":
            yield child.text or ""
        elif child.tag == f"{_NS}r":
            yield from (part.text or "" for part in child if part.tag == f"{_NS}t")


def _rows(sheet: Any) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The rows that the file holds with their numbers. openpyxl's own iteration makes up a row for every number that is
    left out and a cell for every column, a million of a thousand where a file of a few bytes says so."""
    book = sheet.parent
    with sheet._get_source() as source:  # noqa: SLF001 - openpyxl has no door to rows as they are
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,  # noqa: SLF001
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,  # noqa: SLF001
            timedelta_formats=book._timedelta_formats,  # noqa: SLF001
        )
        above = 0
        for number, cells in parser.parse():
            if number > _MOST_ROWS:
                return
            if number > above:
                above = number
                yield number, cells


def _lines(reader: _Reader, sheet: Any) -> Iterator[Line]:
    try:
        for number, cells in _rows(sheet):
            texts = [""] * min(max((cell["column"] for cell in cells), default=0), _MOST_COLUMNS)
            for cell in cells:
                if cell["column"] <= _MOST_COLUMNS:
                    texts[cell["column"] - 1] = _text(cell["value"])
            if any(texts):
                yield Line(number, _without_tail(tuple(texts)))
    except (
        KeyError,
        IndexError,
        ValueError,
        ParseError,
        zipfile.BadZipFile,
        OverflowError,
        TypeError,
        EOFError,
    ) as err:
        raise InvalidInput("the spreadsheet is damaged: open it and save it once more as XLSX") from err
    finally:
        reader.close()


def _without_tail(cells: tuple[str, ...]) -> tuple[str, ...]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case datetime():
            return value.isoformat(sep=" ") if value.time() != time() else value.date().isoformat()
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)[:_LONGEST_TEXT]


def _guard(path: Path) -> None:
    """Refuse what unpacks to more than a table of people can be."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as err:
        raise InvalidInput("the spreadsheet is cut off or damaged: save it once more as XLSX") from err
    if "xl/workbook.xml" not in {each.filename for each in parts}:
        raise InvalidInput("this archive is no XLSX spreadsheet: save the table as XLSX or CSV")
    whole = sum(each.file_size for each in parts)
    dense = any(each.file_size > _HONEST and each.file_size > _MOST_PACKED * each.compress_size for each in parts)
    if len(parts) > _MOST_PARTS or whole > _UNPACKED or dense:
        raise InvalidInput("the spreadsheet unpacks to far more than it holds; it is not opened: save it as CSV")


def sheets(path: Path) -> tuple[str, ...]:
    """The names of all sheets, in their order. Raises InvalidInput."""
    _guard(path)
    reader = _Reader(path)
    try:
        reader.read()
        return tuple(each.title for each in reader.wb.worksheets)
    except (InvalidFileException, KeyError, ValueError, ParseError, zipfile.BadZipFile, OSError, TypeError) as err:
        raise InvalidInput("the spreadsheet can't be read: open it and save it once more as XLSX") from err
    finally:
        reader.close()
