"""The small types that requests and answers are made of."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from crm_core.model.shaped import Shaped
from crm_core.storage.queries.pages import LARGEST_ID, Slice
from crm_core.wording import Sentence

_DECODED_PLUS = re.compile(r" (\d\d:?\d\d)\Z")
_MOST_FIELDS = 200
_LARGEST_AMOUNT = 10**15

Item = TypeVar("Item", bound=BaseModel)


class Taken(Shaped):
    """What is taken in: nothing unknown, nothing coerced silently out of shape."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Query(Shaped):
    """What stands behind the `?`; unknown parameters are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Given(Shaped):
    """What is answered."""

    model_config = ConfigDict(frozen=True)


class NoQuery(Query):
    """No parameters."""


class NoBody(Taken):
    """No body."""


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError(Sentence("a NUL character can't be stored"))
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as err:
        raise ValueError(Sentence("half of a surrogate pair can't be stored")) from err
    return value


def _in_utc(value: datetime) -> datetime:
    if not 1970 <= value.year <= 9000:
        raise ValueError(Sentence("a moment between the years 1970 and 9000"))
    return value.astimezone(UTC)


def _with_plus(value: Any) -> Any:
    """In a query string a `+` of the offset may have arrived as a space."""
    if not isinstance(value, str):
        raise TypeError(Sentence("a moment as text, e.g. 2026-03-02T09:00:00Z"))
    return _DECODED_PLUS.sub(r"+\1", value)


def _text(longest: int, *, shortest: int = 0, strip: bool = True) -> Any:
    return StringConstraints(strip_whitespace=strip, min_length=shortest, max_length=longest)


Short: TypeAlias = Annotated[str, _text(300), AfterValidator(_storable)]
Named: TypeAlias = Annotated[str, _text(300, shortest=1), AfterValidator(_storable)]
Login: TypeAlias = Annotated[str, _text(64, shortest=1), AfterValidator(_storable)]
Long: TypeAlias = Annotated[str, _text(100_000, strip=False), AfterValidator(_storable)]
Tag: TypeAlias = Annotated[str, _text(100, shortest=1), AfterValidator(_storable)]
Id: TypeAlias = Annotated[int, Field(ge=1, le=LARGEST_ID, strict=True)]
QueryId: TypeAlias = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Position: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
Moment: TypeAlias = Annotated[
    AwareDatetime,
    BeforeValidator(_with_plus),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
FieldText: TypeAlias = Annotated[str, _text(10_000, strip=False), AfterValidator(_storable)]
# A sum as a field holds it: `{"amount": minor units, "currency": "RUB"}`.
FieldMoney: TypeAlias = Annotated[dict[str, int | FieldText], Field(max_length=4)]
FieldValue: TypeAlias = FieldText | bool | int | float | list[FieldText] | FieldMoney | None
Fields: TypeAlias = Annotated[dict[Named, FieldValue], Field(max_length=_MOST_FIELDS)]
Tags: TypeAlias = Annotated[list[Tag], Field(max_length=100)]


class Money(Taken):
    """An amount in minor units (kopecks, cents) of a currency (ISO 4217)."""

    amount: Annotated[int, Field(ge=-_LARGEST_AMOUNT, le=_LARGEST_AMOUNT, strict=True)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "RUB"


class PageQuery(Query):
    """Which page: `after` is the `next` of the page before."""

    after: Annotated[str | None, Field(max_length=200), AfterValidator(lambda value: value and _storable(value))] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100

    @property
    def where(self) -> Slice:
        """The same for the record."""
        return Slice(self.after, self.limit)


class Paged(Given, Generic[Item]):
    """A page; `next` is the cursor of the page behind it, null where there is none."""

    items: list[Item]
    next: str | None
