"""Word files with placeholders: read with care, filled in place, also where Word cut a placeholder into pieces."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from docx import Document
from docx.opc.exceptions import OpcError
from docx.opc.part import XmlPart
from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement, parse_xml

from crm_core.errors import InvalidInput
from crm_core.model.templates import TemplateError, checked, names, paths

_MOST_PARTS = 2000
_LARGEST_WHOLE = 100 * 1024 * 1024
_LARGEST_PART = 40 * 1024 * 1024
_ACTIVE = ("vbaproject", "vbadata", "activex", "macroenabled", "oleobject", "embeddings/", "attachedtoolbars")
_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
# What Word makes of plain quotes and spaces while people type.
_TYPED = str.maketrans({**dict.fromkeys("“”„‟«»", '"'), **dict.fromkeys("‘’‚‛", "'"), "\u00a0": " ", "\u202f": " "})
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# A row that names one of these is repeated for each of the others.
_REPEATED = {"item": "items", "payment": "payments"}

Fill = Callable[[str, Mapping[str, Any]], str]


def opened(content: bytes) -> Any:
    """A Word file read, or InvalidInput that says why it is none, or not a harmless one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _harmless(archive)
        document = Document(io.BytesIO(content))
    except (zipfile.BadZipFile, OpcError, KeyError, ValueError, SyntaxError, NotImplementedError) as err:
        raise InvalidInput("docx: this is no Word file (.docx): {why}", why=str(err)[:200]) from err
    return document


def tried(content: bytes) -> frozenset[tuple[str, ...]]:
    """What the placeholders of a Word file ask for, step by step; raises InvalidInput, TemplateError with the
    paragraph."""
    found: set[tuple[str, ...]] = set()
    for paragraph in _paragraphs(opened(content)):
        text = _text_of(paragraph)
        if "{{" in text or "{%" in text:
            plain = _plain_tags(text)
            try:
                checked(plain)
                found |= paths(plain)
            except TemplateError as err:
                raise TemplateError("«{text}»: {why}", text=text[:80], why=err) from err
    return frozenset(found)


def filled(content: bytes, values: Mapping[str, Any], fill: Fill) -> bytes:
    """The Word file with its placeholders filled in. Raises InvalidInput, TemplateError with the paragraph."""
    document = opened(content)
    for part in _parts(document):
        for row in list(part.element.iter(qn("w:tr"))):
            _repeat(row, values, fill)
        for paragraph in list(part.element.iter(qn("w:p"))):
            _fill(paragraph, values, fill)
    found = io.BytesIO()
    document.save(found)
    return found.getvalue()


# ---------------------------------------------------------------- reading with care


def _harmless(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    if len(parts) > _MOST_PARTS:
        raise InvalidInput("docx: more than {most} parts", most=_MOST_PARTS)
    if sum(each.file_size for each in parts) > _LARGEST_WHOLE or any(each.file_size > _LARGEST_PART for each in parts):
        raise InvalidInput("docx: it unpacks to more than a document could be")
    for each in parts:
        name = each.filename.casefold()
        if any(word in name for word in _ACTIVE):
            raise InvalidInput(
                "docx: it holds something that could run ({filename}): save it without macros", filename=each.filename
            )
    types = archive.read("[Content_Types].xml") if "[Content_Types].xml" in archive.namelist() else b""
    if b"macroenabled" in types.lower():
        raise InvalidInput("docx: it is a document with macros: save it as .docx")
    for each in parts:
        if each.filename.endswith(".rels"):
            _no_strangers(each.filename, archive.read(each))


def _no_strangers(name: str, content: bytes) -> None:
    """Nothing that Word would fetch from elsewhere when somebody opens it; links to be clicked are fine."""
    try:
        root = parse_xml(content)
    except SyntaxError as err:  # of XML, as its parser calls it
        raise InvalidInput("docx: {name} can't be read", name=name) from err
    for each in root:
        kind = str(each.get("Type", "")).rpartition("/")[2]
        if each.get("TargetMode") == "External" and kind != "hyperlink":
            raise InvalidInput(
                "docx: it would fetch something from elsewhere ({kind}): save it with all that it shows", kind=kind
            )


# ---------------------------------------------------------------- filling in


def _parts(document: Any) -> Iterator[Any]:
    """The body, headers, footers, footnotes: whatever holds paragraphs."""
    seen: set[int] = set()
    for part in document.part.package.iter_parts():
        if isinstance(part, XmlPart) and id(part) not in seen:
            seen.add(id(part))
            yield part


def _paragraphs(document: Any) -> Iterator[Any]:
    for part in _parts(document):
        yield from part.element.iter(qn("w:p"))


def _pieces(paragraph: Any) -> list[Any]:
    """The texts of a paragraph in order, without those of paragraphs within it (text boxes)."""
    return [
        each
        for each in paragraph.iter(qn("w:t"))
        if next(each.iterancestors(qn("w:p"))) is paragraph and each.text is not None
    ]


def _text_of(paragraph: Any) -> str:
    return "".join(each.text for each in _pieces(paragraph))


def _plain_tags(text: str) -> str:
    return _TAG.sub(lambda found: found[0].translate(_TYPED), text)


def _fill(paragraph: Any, values: Mapping[str, Any], fill: Fill) -> None:
    pieces = _pieces(paragraph)
    text = "".join(each.text for each in pieces)
    if "{{" not in text and "{%" not in text:
        return
    try:
        if "{%" in text:
            # A condition spans what stands in between: the paragraph is one text, in the form of its first piece.
            _put(pieces, 0, len(text), fill(_plain_tags(text), values))
            return
        checked(_TAG.sub("", text))  # a tag without an end is told like any other fault
        for found in reversed(list(_TAG.finditer(text))):
            _put(pieces, found.start(), found.end(), fill(found[0].translate(_TYPED), values))
    except TemplateError as err:
        raise TemplateError("«{text}»: {why}", text=text[:80], why=err) from err


def _put(pieces: Sequence[Any], start: int, end: int, value: str) -> None:
    """Replace a stretch of the pieces' text: the value stands where the stretch began, in that piece's form."""
    place = 0
    written = False
    for piece in pieces:
        text = piece.text or ""
        first, last = max(start - place, 0), min(end - place, len(text))
        place += len(text)
        if first >= last:
            continue
        piece.text = text[:first] + ("" if written else _UNPRINTABLE.sub("", value)) + text[last:]
        written = True
        _kept_spaces(piece)


def _kept_spaces(piece: Any) -> None:
    """Lines and spaces as they are: a new line of a value becomes one of the document."""
    piece.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    lines = (piece.text or "").replace("\r\n", "\n").split("\n")
    if len(lines) == 1:
        return
    piece.text = lines[0]
    last = piece
    for line in lines[1:]:
        pause, text = OxmlElement("w:br"), OxmlElement("w:t")
        text.text = line
        text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        last.addnext(pause)
        pause.addnext(text)
        last = text


def _repeat(row: Any, values: Mapping[str, Any], fill: Fill) -> None:
    """A row that names an item, once for each of them."""
    text = _plain_tags(" ".join(_text_of(each) for each in row.iter(qn("w:p"))))
    if "{{" not in text:
        return
    asked = names(text)
    for one, many in _REPEATED.items():
        if one not in asked:
            continue
        for each in values.get(many) or ():
            fresh = deepcopy(row)
            row.addprevious(fresh)
            for paragraph in list(fresh.iter(qn("w:p"))):
                _fill(paragraph, {**values, one: each}, fill)
        row.getparent().remove(row)
        return
