"""The form of templates of documents: a Word file with placeholders, or HTML that becomes a PDF."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from crm_core.model.definitions.base import Body, Line, Slug, Text
from crm_core.model.definitions.templates import TemplateFile
from crm_core.model.templates import TemplateError, checked
from crm_core.wording import Sentence

LARGEST_DOCX = 10 * 1024 * 1024
LARGEST_PICTURES = 10 * 1024 * 1024


class DocumentBody(Body):
    """A template of a document: `docx`, a Word file as it was uploaded, or `html`, a page that is printed to PDF; the
    placeholders of both are Liquid (`{{ contact.name }}`, `{{ deal.amount | money_words }}`). In a Word file a row of a
    table that names `item` or `payment` is repeated for each.

    `title` is what the document is called (its number is `{{ number }}`), `file_name` what its file is, without the
    ending. `pictures` are files that the page shows by their names, and nothing else can it show. `of` is the kind of
    records it is made for: `deal`, `contact`, or a custom type.
    """

    of: Slug = "deal"
    title: Line = "Документ № {{ number }}"
    file_name: Line = ""
    docx: TemplateFile | None = None
    html: Text = ""
    pictures: Annotated[list[TemplateFile], Field(max_length=20)] = []

    @field_validator("title", "file_name")
    @classmethod
    def _readable(cls, value: str) -> str:
        return _checked(value)

    @field_validator("html")
    @classmethod
    def _readable_page(cls, value: str) -> str:
        return _checked(value, html=True)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.docx is None) == (not self.html.strip()):
            raise ValueError(Sentence("give «docx», a Word file, or «html», one of them"))
        if self.docx is not None and self.docx.size > LARGEST_DOCX:
            raise ValueError(Sentence("docx: larger than {most} MB", most=LARGEST_DOCX // 1024 // 1024))
        if sum(each.size for each in self.pictures) > LARGEST_PICTURES:
            raise ValueError(
                Sentence("pictures: larger than {most} MB together", most=LARGEST_PICTURES // 1024 // 1024)
            )
        return self

    @property
    def content_type(self) -> str:
        """Of the documents that are made of it."""
        return DOCX if self.docx is not None else PDF


DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"


def _checked(text: str, *, html: bool = False) -> str:
    try:
        checked(text, html=html)
    except TemplateError as err:
        raise ValueError(str(err)) from err
    return text
