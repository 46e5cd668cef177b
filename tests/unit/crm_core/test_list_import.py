"""Reading a file of numbers: whatever a spreadsheet saves, and what is wrong with a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.errors import InvalidInput
from crm_core.services.acts import list_import
from crm_core.services.acts.list_import import Fault, chunks, read_list

ONE, TWO = "tel:+79161234567", "tel:+74957654321"


def read(content: bytes | str) -> list_import.ListFile:
    return read_list(content.encode() if isinstance(content, str) else content, "RU", "ru", reason="импорт")


FILES: tuple[tuple[str, bytes], ...] = (
    ("a heading", "number,reason\n+79161234567,спам\n+74957654321,\n".encode()),
    ("Russian, semicolons, a mark", "\ufeffНомер;Причина\r\n89161234567;спам\r\n8 (495) 765-43-21;\r\n".encode()),
    ("without a heading", "+79161234567,спам\n84957654321\n".encode()),
    ("windows-1251", "номер;причина\n+7 916 123-45-67;спам\n+74957654321;\n".encode("cp1251")),
    ("tabs", "phone\tcomment\n+79161234567\tспам\n+74957654321\t\n".encode()),
    ("columns in another order", "имя,причина,телефон\nА,спам,+79161234567\nБ,,+74957654321".encode()),
    ("quotes, blank lines", '\n"номер","причина"\n\n"+79161234567","спам"\n" +74957654321 "\n\n'.encode()),
    ("numbers a spreadsheet took for numbers", "number,reason\n79161234567.0,спам\n74957654321,".encode()),
)  # fmt: skip


@pytest.mark.parametrize(("what", "content"), FILES, ids=[each[0] for each in FILES])
def test_files_as_they_come(what: str, content: bytes) -> None:
    found = read(content)
    assert [(row.key, row.reason) for row in found.rows] == [(ONE, "спам"), (TWO, "импорт")]
    assert found.bad == ()


LINES = (
    (",спам", Fault.EMPTY),
    ("anonymous,спам", Fault.HIDDEN),
    ("аноним,спам", Fault.HIDDEN),
    ("101,спам", Fault.SHORT),
    ("7.91612E+10,спам", Fault.SHORTENED),
    ("Иванов,спам", Fault.NO_NUMBER),
    ('"+79031234567, +79032345678",спам', Fault.SEVERAL),
    ("+79031234567 / 89032345678,спам", Fault.SEVERAL),
    ("89031234567 89032345678,спам", Fault.SEVERAL),
    ('"+79031234567,спам', Fault.UNCLOSED),
    ('+79031234567,"спам', Fault.UNCLOSED),
    ('"+79031234567" ,спам', Fault.UNCLOSED),
    ("=cmd|' /C calc'!A0,спам", Fault.NO_NUMBER),
)


@pytest.mark.parametrize(("line", "fault"), LINES)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_bad_line_is_told_with_its_number_and_how_to_mend_it(line: str, fault: Fault, language: str) -> None:
    content = f"number,reason\n+79161234567,a\n{line}\n+74957654321,b\n".encode()
    found = read_list(content, "RU", language, reason="")
    assert [row.key for row in found.rows] == [ONE, TWO]
    (bad,) = found.bad
    assert bad.line == 3
    assert bad.problem == list_import._WORDS[language][fault]


def test_every_fault_has_words_in_both_languages() -> None:
    assert {language: set(words) for language, words in list_import._WORDS.items()} == {
        "ru": set(Fault),
        "en": set(Fault),
    }


def test_a_repeated_number_counts_once() -> None:
    found = read("+79161234567,первый\n8 916 123 45 67,второй\n")
    assert [(row.line, row.reason) for row in found.rows] == [(1, "первый")]
    assert found.repeated == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("имя;причина\nА;спам\n".encode(), "there is no column"),
        (b"\x00\x01\x02\x98\xff", "not a text"),
        (b"1" * (list_import.LARGEST + 1), "larger than 20 MB"),
    ],
)
def test_what_is_no_such_table(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read(content)


def test_an_unclosed_quotation_mark_swallows_no_line_but_its_own() -> None:
    found = read('номер;причина\n"+79161234567;спам\n+74957654321;\n"+79031234567";"в две\nстроки"\n')
    assert [(row.line, row.key, row.reason) for row in found.rows] == [
        (3, TWO, "импорт"),
        (4, "tel:+79031234567", "в две строки"),
    ]
    assert [(each.line, each.text) for each in found.bad] == [(2, '"+79161234567;спам')]
    (endless,) = read(b'number,reason\n"+79161234567,' + b"x" * 200_000).bad
    assert endless.line == 2


def test_an_empty_file_has_nothing() -> None:
    assert read(b"") == read("number,reason\n") == list_import.ListFile((), (), 0)


@given(st.binary(max_size=300))
def test_no_bytes_break_it(content: bytes) -> None:
    try:
        found = read(content)
    except InvalidInput:
        return
    assert len({row.key for row in found.rows}) == len(found.rows)


@given(st.lists(st.text(max_size=40), max_size=20))
def test_every_line_is_a_row_a_repeat_a_bad_one_or_blank(cells: list[str]) -> None:
    import csv
    import io

    out = io.StringIO()
    csv.writer(out).writerows([["number", "reason"], *([cell, "x"] for cell in cells)])
    content = out.getvalue()
    if "\x00" in content or any(0xD800 <= ord(char) < 0xE000 for char in content):
        return
    found = read(content)
    assert len(found.rows) + found.repeated + len(found.bad) == len(cells)


def test_rows_are_written_in_portions() -> None:
    found = read("\n".join(f"+7916{number:07d}" for number in range(1, 5001)))
    assert [len(part) for part in chunks(found.rows)] == [2000, 2000, 1000]
