"""The forms of custom fields, record types and groups of tags."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from crm_core.model.definitions.base import Body, Colour, Expression, Line, Name, Slug
from crm_core.wording import Sentence


class FieldType(StrEnum):
    """What a custom field holds.

    In a record's `fields` a value is: text, list, user: text; number: a number; money: `{amount, currency}` in minor
    units; date: `YYYY-MM-DD`; flag: true or false; multi: a list of texts; link: a record's id; formula: what its
    expression gives.
    """

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    FLAG = "flag"
    LIST = "list"
    MULTI = "multi"
    USER = "user"
    LINK = "link"
    FORMULA = "formula"


class FieldBody(Body):
    """A custom field. `of` is the kind of record it stands on (`contact`, `company`, `lead`, `deal`, `task`,
    `product`, or a custom type); the definition's name is `of.key`. `also` are other names under which forms and
    imports bring it; `options` the values of a list; `expression` what a formula works out (over the record's own
    fields); `to` the kind of record a link points to; `indexed` makes it one to filter and sort by."""

    of: Slug
    key: Slug
    title: Name
    type: FieldType = FieldType.TEXT
    group: Line = ""
    help: Line = ""
    also: Annotated[list[Name], Field(max_length=50)] = []
    options: Annotated[list[Name], Field(max_length=1000)] = []
    expression: Expression = ""
    to: Slug | None = None
    unique: bool = False
    indexed: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.type in {FieldType.LIST, FieldType.MULTI} and not self.options:
            raise ValueError(Sentence("options: a list has values to choose from, give at least one"))
        if self.type is FieldType.FORMULA and not self.expression:
            raise ValueError(Sentence("expression: a formula has one"))
        if self.type is FieldType.LINK and self.to is None:
            raise ValueError(Sentence("to: a link points to a kind of record, e.g. «contact»"))
        if self.unique and self.type in {FieldType.FLAG, FieldType.MULTI, FieldType.FORMULA}:
            raise ValueError(Sentence("unique: a field of type «{type}» can't be unique", type=self.type.value))
        return self

    @property
    def kept_apart(self) -> bool:
        """Whether its values stand in the index."""
        return self.indexed or self.unique


class RecordTypeBody(Body):
    """A custom type of records beside deals («Рекламации»), with pipelines of its own; the definition's name is the
    type's key. `title` is one of them, `titles` many."""

    title: Name
    titles: Name
    colour: Colour = ""


class TagGroupBody(Body):
    """A group of tags; the definition's name is the group's. `on` are the kinds of records that carry them."""

    tags: Annotated[list[Name], Field(max_length=500)] = []
    on: Annotated[list[Slug], Field(max_length=20)] = []
    colour: Colour = ""
    exclusive: bool = False
