"""Which records are wanted, as data: `{"all": [{"field": "city", "value": "Москва"}, {"not": {…}}]}`.

A filter is one of: `all` of several, `any` of several, `not` one, or a term `{field, op, value}`; an empty one lets
everything through. What a field may be is said by `crm_core.storage.filtering`; values are as people write them:
relative moments (`-30d`, `today`, `month`), sums in major units («150 000 ₽»), days in either way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, JsonValue, ValidationError, model_validator

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.shaped import Shaped
from crm_core.wording import Sentence

_DEEPEST = 8
_MOST_TERMS = 100
_MOST_VALUES = 10_000
_LONGEST_TEXT = 1000
_RELATIVE = re.compile(r"(now|today|yesterday|tomorrow|week|month|year)?\s*(?:([+-]\s*\d{1,5})\s*(min|h|d|w|mo|y))?\Z")
_STEPS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_HELP = "write a moment like 2026-03-12T10:00:00Z, a day like 2026-03-12, or -30d, today, month, year"


class Op(StrEnum):
    """How a field is compared. `any` and `none` take a filter of the related records as their value."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    CONTAINS = "contains"
    STARTS = "starts"
    EMPTY = "empty"
    ANY = "any"
    NONE = "none"


class Filter(Shaped):
    """A filter; exactly one of `all`, `any`, `not` and `field`, or none at all."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    all: Annotated[list[Filter] | None, Field(max_length=_MOST_TERMS)] = None
    any: Annotated[list[Filter] | None, Field(max_length=_MOST_TERMS)] = None
    not_: Filter | None = Field(default=None, alias="not")
    field: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    op: Op = Op.EQ
    value: JsonValue = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        given = [name for name in ("all", "any", "not_", "field") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(Sentence("one of all, any, not and field, put the others inside of it"))
        if self.field is None and (self.value is not None or self.op is not Op.EQ):
            raise ValueError(Sentence("field: a term names the field that it compares"))
        if isinstance(self.value, str) and len(self.value) > _LONGEST_TEXT:
            raise ValueError(Sentence("value: at most {most} characters", most=_LONGEST_TEXT))
        if isinstance(self.value, list) and len(self.value) > _MOST_VALUES:
            raise ValueError(Sentence("value: at most {most} values", most=_MOST_VALUES))
        if self.op is Op.IN and not isinstance(self.value, list):
            raise ValueError(Sentence("value: «in» takes a list of values"))
        return self

    @property
    def everything(self) -> bool:
        """Whether it lets everything through."""
        return self == Filter()

    def terms(self, depth: int = 1) -> Iterator[Filter]:
        """All terms in it; raises InvalidInput where it is nested too deeply."""
        if depth > _DEEPEST:
            raise InvalidInput("filter: nested more than {most} times", most=_DEEPEST)
        if self.field is not None:
            yield self
        for each in (*(self.all or ()), *(self.any or ()), *((self.not_,) if self.not_ is not None else ())):
            yield from each.terms(depth + 1)


EVERYTHING = Filter()


def filter_of(given: object) -> Filter:
    """The filter that JSON says, as text or parsed; raises InvalidInput in words."""
    if isinstance(given, Filter):
        return bounded(given)
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as err:
            raise InvalidInput("filter: this is no JSON") from err
    if isinstance(given, list):
        given = {"all": given}
    try:
        return bounded(Filter.model_validate(given))
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(each) for each in first["loc"][:12])
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidInput("filter{what}{where}: {why}", what="." if where else "", where=where, why=message) from err
    except RecursionError as err:
        raise InvalidInput("filter: nested more than {most} times", most=_DEEPEST) from err


def bounded(wanted: Filter) -> Filter:
    """The same filter, where it is of a sensible size; raises InvalidInput."""
    if sum(1 for _ in wanted.terms()) > _MOST_TERMS:
        raise InvalidInput("filter: at most {most} terms", most=_MOST_TERMS)
    return wanted


def span(value: Any, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The moments that a value means, first and beyond: of a day all of it, of a moment (`-30d`) itself twice."""
    if isinstance(value, str):
        text = value.strip().lower()
        found = _RELATIVE.match(text) if text else None
        if found is not None:
            return _relative(found, now, zone)
        if ":" in text:
            try:
                moment = datetime.fromisoformat(value.strip())
            except ValueError as err:
                raise InvalidInput("«{value}» is no moment: {help}", value=written.brief(value), help=_HELP) from err
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
            return moment, moment
        return _day(date.fromisoformat(written.day(value)), zone)
    raise InvalidInput("«{value}» is no moment: {help}", value=written.brief(value), help=_HELP)


def day_of(value: Any, now: datetime, zone: tzinfo) -> date:
    """The day that a value means, in the office's zone."""
    first, _ = span(value, now, zone)
    return first.astimezone(zone).date()


def _relative(found: re.Match[str], now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    base, count, unit = found[1], found[2], found[3]
    local = now.astimezone(zone)
    days = {"today": 0, "yesterday": -1, "tomorrow": 1}.get(base or "", 0)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0) + timedelta(days=days)
    match base:
        case "week":
            midnight -= timedelta(days=midnight.weekday())
        case "month":
            midnight = midnight.replace(day=1)
        case "year":
            midnight = midnight.replace(month=1, day=1)
    start = local if base in {None, "now"} else midnight
    if count is not None:
        start = _shifted(start, int(count.replace(" ", "")), unit)
    if base in {"today", "yesterday", "tomorrow"} and unit not in {"min", "h"}:
        return _day(start.date(), zone)
    return start, start


def _shifted(start: datetime, count: int, unit: str) -> datetime:
    try:
        if unit in _STEPS:
            return start + count * _STEPS[unit]
        months = count * (12 if unit == "y" else 1)
        year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
        for day in (start.day, 30, 29, 28):
            try:
                return start.replace(year=year, month=month + 1, day=day)
            except ValueError:
                continue
        raise InvalidInput("a moment within the years 1 to 9999")
    except OverflowError as err:
        raise InvalidInput("a moment within the years 1 to 9999") from err


def _day(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    first = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    return first, datetime(following.year, following.month, following.day, tzinfo=zone)
