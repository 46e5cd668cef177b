"""What every configured thing shares: its section, its row, the form of its body."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import (
    AfterValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from crm_core.model.durations import duration, shown
from crm_core.model.shaped import Shaped
from crm_core.wording import Sentence

Json = Any


class Section(StrEnum):
    """The sections of the office's configuration that live in the record."""

    RECORD_TYPE = "record_type"
    FIELD = "field"
    TAG_GROUP = "tag_group"
    RULE = "rule"
    CHAIN = "chain"
    TEMPLATE = "template"
    DOCUMENT = "document"
    SEGMENT = "segment"
    SCORING = "scoring"
    WEBHOOK = "webhook"
    MAPPING = "mapping"
    LADDER = "ladder"
    LIST = "list"
    HOURS = "hours"
    GROUP = "group"
    LINE = "line"
    ACCOUNT = "account"
    ROLE = "role"


class DefinitionRecord(NamedTuple):
    """Something configured, unique by (section, name). `body` is what the section's form says, as JSON."""

    id: int
    section: Section
    name: str
    position: int
    body: Json
    version: int
    archived: bool
    updated_at: datetime
    updated_by: str


class Body(Shaped):
    """The form of a definition: nothing unknown, nothing coerced out of shape, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _clean(value: str) -> str:
    if "\x00" in value:
        raise ValueError(Sentence("a NUL character can't be stored"))
    return value


def _delay(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError(Sentence('write a duration as text: "500ms", "2s", "5m", "24h", "7d"'))  # noqa: TRY004 - pydantic's kind
    return duration(value)


# `500ms 2s 5m 24h 7d`, and so again as JSON.
Delay = Annotated[
    timedelta,
    PlainValidator(_delay),
    PlainSerializer(shown, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(ms|s|m|h|d)$", "examples": ["5m", "24h", "7d"]}),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_clean)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000), AfterValidator(_clean)]
Text = Annotated[str, StringConstraints(max_length=100_000), AfterValidator(_clean)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Colour = Annotated[str, StringConstraints(pattern=r"^(#[0-9a-fA-F]{6})?$")]
# An expression in CEL; what it may name is said where it is used.
Expression = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), AfterValidator(_clean)]
