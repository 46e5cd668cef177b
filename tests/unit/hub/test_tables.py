"""Files as tables: encodings, separators, quotation marks, spreadsheets, and what only looks like one."""

from __future__ import annotations

import csv
import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from crm_core.errors import InvalidInput
from crm_core.model.importing import ImportKind, Line
from crm_core.services.importing.cells import as_written, harmless, listed, meant, moment, sum_of, thousandths
from crm_core.services.importing.headings import AMO, BITRIX, FILE, HUB, recognised, target_of
from hub.exchange.tables import open_table
from hub.exchange.xlsx_table import read_xlsx

TEXT = 'имя;телефон;город\r\nИван Петров;8 (916) 123-45-67;Москва\r\n"ООО ""Ромашка""";+7 495 765-43-21;Тверь\r\n'
CELL = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff\ufeff"), max_size=20)


def _rows(path: Path) -> list[tuple[str, ...]]:
    return [line.cells for line in open_table(path).lines]


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("cp1251", "cp1251"),
        ("koi8-r", "koi8-r"),
        ("cp866", "cp866"),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, named: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT.encode(encoding))
    table = open_table(path)
    assert table.form == f"CSV, {named}, «;»"
    assert table.headings == ("имя", "телефон", "город")
    assert table.certainty >= 60
    assert [line.cells[0] for line in table.lines] == ["Иван Петров", 'ООО "Ромашка"']


@given(
    text=st.text("абвгдежзийклмнопрстуфхцчшщъыьэюя -", min_size=1),
    encoding=st.sampled_from(["cp1251", "koi8-r", "cp866"]),
)
def test_russian_tables_are_read_whatever_stands_in_them(
    tmp_path_factory: pytest.TempPathFactory, text: str, encoding: str
) -> None:
    path = tmp_path_factory.mktemp("t") / "a.csv"
    body = "Имя;Телефон;Город\nАлександр Иванов;1;Москва\nНаталья Кузнецова;2;Санкт-Петербург\n"
    body += f"{text.strip() or 'а'};3;x\n"
    path.write_bytes(body.encode(encoding))
    assert open_table(path).headings == ("Имя", "Телефон", "Город")


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_separators(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(TEXT.replace(";", separator), encoding="utf-8")
    assert _rows(path)[0] == ("Иван Петров", "8 (916) 123-45-67", "Москва")
    said = tmp_path / "b.csv"
    said.write_text(f"sep={separator}\n" + TEXT.replace(";", separator), encoding="utf-8")
    assert open_table(said).headings == ("имя", "телефон", "город")


def test_a_mark_that_is_not_closed_swallows_its_own_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('имя;город\n"Иван;Тверь\nПётр;Тула\n"a"b;c\nОльга;"две\nстроки"\n', encoding="utf-8")
    lines = list(open_table(path).lines)
    assert [(line.number, bool(line.flaw)) for line in lines] == [(2, True), (3, False), (4, True), (5, False)]
    assert lines[-1].cells == ("Ольга", "две\nстроки")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\n\n", "no line of headings"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 100, r"\.xls"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10, "neither a text"),
        (b"PK\x03\x04 cut off", "damaged"),
        (b"a;b\n" + b"x" * 1_100_000, "no table"),
        (";".join(f"h{n}" for n in range(600)).encode(), "more than 500 columns"),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=why):
        list(open_table(path).lines)


def _spreadsheet(path: Path, *rows: tuple[object, ...]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_a_spreadsheet(tmp_path: Path) -> None:
    path = _spreadsheet(
        tmp_path / "a.xlsx", ("имя", "телефон"), ("Иван", 79161234567), (None, None), ("x", 1.5), ("y", True)
    )
    table = open_table(path)
    assert table.headings == ("имя", "телефон")
    assert [(line.number, line.cells) for line in table.lines] == [
        (2, ("Иван", "79161234567")),
        (4, ("x", "1.5")),
        (5, ("y", "1")),
    ]
    with pytest.raises(InvalidInput, match="there is none «Другой»"):
        open_table(path, sheet="Другой")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    good = _spreadsheet(tmp_path / "good.xlsx", ("имя",), ("Иван",))
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.infolist():
            target.writestr(item, source.read(item))
        with target.open("xl/media/zeros.bin", "w", force_zip64=True) as file:
            for _ in range(100):
                file.write(bytes(1 << 20))
    with pytest.raises(InvalidInput, match="unpacks to far more"):
        open_table(bomb)


def test_a_lie_about_dimensions_is_not_believed(tmp_path: Path) -> None:
    good = _spreadsheet(tmp_path / "good.xlsx", ("имя",), ("Иван",))
    lying = tmp_path / "lying.xlsx"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(lying, "w") as target:
        for item in source.infolist():
            content = source.read(item)
            if item.filename.startswith("xl/worksheets/"):
                content = content.replace(b'r="2"', b'r="99999999999"').replace(b'r="A2"', b'r="ZZZ99999999999"')
                content = content.replace(b'ref="A1:A2"', b'ref="A1:XFD99999999999"')
            target.writestr(item, content)
    try:
        lines = list(open_table(lying).lines)
    except InvalidInput:
        lines = []
    assert lines == []


def test_what_lies_far_below_keeps_its_number(tmp_path: Path) -> None:
    near = _spreadsheet(tmp_path / "near.xlsx", ("имя",), ("Иван",))
    far = tmp_path / "far.xlsx"
    with zipfile.ZipFile(near) as source, zipfile.ZipFile(far, "w") as target:
        for item in source.infolist():
            content = source.read(item)
            if item.filename.startswith("xl/worksheets/"):
                content = content.replace(b'r="2"', b'r="1048576"').replace(b'r="A2"', b'r="C1048576"')
            target.writestr(item, content)
    assert list(read_xlsx(far)[2]) == [Line(1, ("имя",)), Line(1_048_576, ("", "", "Иван"))]


def test_other_archives_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    with pytest.raises(InvalidInput, match="no XLSX"):
        open_table(path)


@given(rows=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=5))
def test_csv_round_trips(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    path = tmp_path_factory.mktemp("t") / "a.csv"
    buffer = io.StringIO()
    written = [[harmless(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]
    csv.writer(buffer, delimiter=";").writerows([["a", "b", "c"], *written])
    path.write_text("\ufeff" + buffer.getvalue(), encoding="utf-8", newline="")
    found = [[meant(cell) for cell in line] for line in _rows(path)]
    assert found == [row for row in rows if any(cell.strip() for cell in row)]
    assert not [cell for row in written for cell in row if cell[:1] in {"=", "+", "-", "@"} and cell]


@given(rows=st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=4))
def test_spreadsheets_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["a", "b"])
    for row in rows:
        sheet.append([harmless(cell) for cell in row])
    path = tmp_path_factory.mktemp("t") / "a.xlsx"
    book.save(path)
    wanted = [(*row,) for row in rows if any(row)]
    found = [tuple(meant(cell) for cell in (*line, "", "")[:2]) for line in _rows(path)]
    assert found == wanted


@given(st.text())
def test_harmless_cells_are_given_back(text: str) -> None:
    assert meant(harmless(text)) == text
    assert harmless(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"} or not text
    raw = harmless(text)
    assert meant(as_written(raw)) == text


def test_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    def peak(lines: int) -> int:
        path = tmp_path / f"{lines}.csv"
        path.write_text(
            "имя;телефон\n" + "".join(f"Клиент {n};+7916{n:07d}\n" for n in range(lines)), encoding="cp1251"
        )
        tracemalloc.start()
        count = sum(1 for _ in open_table(path).lines)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == lines
        return most

    small, large = peak(15_000), peak(45_000)
    assert large < small * 1.5 + 1_000_000


def test_values() -> None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Europe/Moscow")
    assert moment("01.02.2025 10:20", zone) == datetime(2025, 2, 1, 7, 20, tzinfo=UTC)
    assert moment("2025-02-01T10:20:00Z", zone) == datetime(2025, 2, 1, 10, 20, tzinfo=UTC)
    assert sum_of("1 234,50 ₽") == (123450, "RUB")
    assert sum_of("12", "USD") == (1200, "USD")
    assert thousandths("2,5") == 2500
    assert listed("а, б; в|") == ["а", "б", "в"]
    for bad in ("вчера", "", "31.02.2025"):
        with pytest.raises(InvalidInput):
            moment(bad, zone)


@pytest.mark.parametrize(
    ("heading", "target"),
    [
        ("Рабочий телефон", "phone"),
        ("Телефон 2", "phone"),
        ("Рабочий E-mail", "email"),
        ("Мобильный телефон (контакт)", "phone"),
        ("Ответственный", "manager"),
        ("ФИО", "name"),
        ("Что-то своё", ""),
        ("Примечание 3", "note"),
        ("Кем создана", "skip"),
        ("identifier", "identifier"),
    ],
)
def test_headings_of_contacts(heading: str, target: str) -> None:
    assert target_of(ImportKind.CONTACTS, heading) == target


def test_whose_export_it_is() -> None:
    assert recognised(["ID", "Имя", "Рабочий телефон", "Рабочий прямой телефон", "Примечание 1"]) == AMO
    assert recognised(["ID", "Lead title", "Responsible", "Closest task", "Last modified at"]) == AMO
    assert recognised(["ID", "Имя", "Фамилия", "Рабочий e-mail", "Доступен для всех"]) == BITRIX
    assert recognised(["ID", "First Name", "Second name", "Responsible person", "Salutation"]) == BITRIX
    assert recognised(["имя", "телефон"]) == FILE
    assert recognised(["hub_id", "name"]) == HUB
