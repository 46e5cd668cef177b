"""The filters of templates: those of the library that can't grow without bounds, and ours for money, days, numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from liquid.exceptions import FilterArgumentError, ResourceLimitError
from liquid.undefined import Undefined

from crm_core.errors import InvalidIdentity
from crm_core.model.amounts import grouped, money, money_words, number, plural, words
from crm_core.model.identity import readable, telephone

Filter = Callable[..., Any]

# Of the library; what is not named here is not there.
FILTERS = (
    *("abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "times"),
    *("append", "capitalize", "downcase", "escape", "lstrip", "newline_to_br", "prepend", "remove", "remove_first"),
    *("replace", "replace_first", "rstrip", "slice", "split", "squish", "strip", "strip_newlines", "truncate"),
    *("truncatewords", "upcase", "url_encode", "compact", "concat", "first", "join", "last", "map", "reject"),
    *("reverse", "size", "sort", "sum", "uniq", "where", "default"),
)
_LONGEST_TEXT = 200_000
_LONGEST_LIST = 10_000
_LARGEST_NUMBER = 10**18
_MOST_WORK = 5_000_000  # characters and members that all filters of one rendering may look at
_MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)
_DIRECTIVE = re.compile(r"%([-]?)([a-zA-Z%])")
_LONGEST_FORMAT = 200


@dataclass(slots=True)
class Locale:
    """Where and in which language a rendering is read, and how much it has looked at."""

    zone: ZoneInfo
    language: str
    spent: int = 0


LOCALE: ContextVar[Locale] = ContextVar("the locale of a rendering")


class Moment(datetime):
    """A moment in the reader's zone; as text a day, with its time where it has one."""

    is_day = False

    @classmethod
    def of(cls, at: datetime, zone: ZoneInfo) -> Moment:
        """A moment as clocks of that zone show it; midnight by its own clock is the day of a field, in every zone."""
        if (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0):
            return cls.of_day(at.date())
        here = at.astimezone(zone)
        return cls(*here.timetuple()[:6], here.microsecond, tzinfo=zone, fold=here.fold)

    @classmethod
    def of_day(cls, day: date) -> Moment:
        """A day without a time."""
        found = cls(day.year, day.month, day.day, tzinfo=UTC)
        found.is_day = True
        return found

    def __str__(self) -> str:
        """As people write it."""
        day = f"{self.day:02}.{self.month:02}.{self.year:04}"
        return day if self.is_day else f"{day} {self.hour:02}:{self.minute:02}"


def spend(work: int) -> None:
    """Count what a rendering looks at; raises where it is too much."""
    locale = LOCALE.get()
    locale.spent += work + 1
    if locale.spent > _MOST_WORK:
        raise ResourceLimitError("the template does too much work", token=None)


def bounded(name: str, function: Filter) -> Filter:
    """The filter, its arguments and its result measured."""

    @wraps(function)
    def run(value: object, *args: Any, **options: Any) -> Any:
        for each in (value, *args):
            _measured(each)
        if name in _GROWING:
            _grows(name, value, args)
        return _measured(function(value, *args, **options))

    return run


def _measured(value: Any) -> Any:
    if isinstance(value, str):
        size = len(value)
        if size > _LONGEST_TEXT:
            raise ResourceLimitError(f"a text of more than {_LONGEST_TEXT} characters", token=None)
    elif isinstance(value, range):
        size = max(int(value.stop) - int(value.start), 0)
    elif isinstance(value, list | tuple | Mapping):
        size = len(value)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        if not abs(float(value)) <= _LARGEST_NUMBER:
            raise ResourceLimitError("a number beyond 10^18", token=None)
        return value
    else:
        return value
    if not isinstance(value, str) and size > _LONGEST_LIST:
        raise ResourceLimitError(f"a list of more than {_LONGEST_LIST}", token=None)
    spend(size)
    return value


_GROWING = frozenset({"replace", "join"})


def _grows(name: str, value: object, args: tuple[Any, ...]) -> None:
    """Refuse what would be too long before it is made."""
    first = str(args[0]) if args else " "
    if name == "replace":
        text = _text(value)
        size = len(text) + text.count(first) * len(str(args[1]) if len(args) > 1 else "")
    else:
        members = value if isinstance(value, list | tuple | range) else [value]
        size = sum(len(str(each)) + len(first) for each in members)
    if size > _LONGEST_TEXT:
        raise ResourceLimitError(f"a text of more than {_LONGEST_TEXT} characters", token=None)


# ---------------------------------------------------------------- ours


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, Undefined) else str(value)


def _absent(value: object) -> bool:
    return value is None or isinstance(value, Undefined) or value == ""


def _number(value: object) -> Decimal:
    found = number(value)
    if found is None:
        raise FilterArgumentError(f"«{_text(value)[:50]}» is no number", token=None)
    return found


def _money(value: object, currency: object = "RUB") -> str:
    amount, named = _sum(value, currency)
    return "" if amount is None else money(amount, named)


def _money_words(value: object, currency: object = "RUB") -> str:
    amount, named = _sum(value, currency)
    return "" if amount is None else money_words(amount, named)


def _sum(value: object, currency: object) -> tuple[Decimal | None, str]:
    """A sum in major units, and of what: a number, or `{amount, currency}` in minor units."""
    if isinstance(value, Mapping):
        amount = number(value.get("amount"))
        return (amount / 100 if amount is not None else None), str(value.get("currency") or currency)[:10]
    return (None if _absent(value) else _number(value)), str(currency)[:10]


def _number_of(value: object, places: object = None) -> str:
    if _absent(value):
        return ""
    return grouped(_number(value), min(max(int(str(places)), 0), 6) if places is not None else None)


def _words(value: object) -> str:
    return "" if _absent(value) else words(int(_number(value)))


def _plural(value: object, one: object, few: object, many: object) -> str:
    """`5 | plural: "заявка", "заявки", "заявок"`."""
    return plural(int(_number(value)), (str(one), str(few), str(many)))


def _phone(value: object) -> str:
    if _absent(value):
        return ""
    try:
        return readable(telephone(_text(value)[:100]))
    except InvalidIdentity:
        return _text(value)


def _date(value: object, form: object = None) -> str:
    at = _moment(value)
    if at is None:
        return ""
    return f"{at.day:02}.{at.month:02}.{at.year:04}" if form is None else _formed(at, str(form))


def _time(value: object) -> str:
    at = _moment(value)
    return "" if at is None else f"{at.hour:02}:{at.minute:02}"


def _date_words(value: object) -> str:
    at = _moment(value)
    if at is None:
        return ""
    if LOCALE.get().language == "ru":
        return f"{at.day} {_MONTHS[at.month - 1]} {at.year} г."
    return f"{at.day} {at:%B} {at.year}"


def _add_days(value: object, days: object) -> Moment | None:
    at = _moment(value)
    count = int(_number(days))
    if at is None:
        return None
    if abs(count) > 36600:
        raise FilterArgumentError("more than a hundred years", token=None)
    moved = at + timedelta(days=count)
    found = Moment(*moved.timetuple()[:6], moved.microsecond, tzinfo=moved.tzinfo)
    found.is_day = at.is_day
    return found


def _moment(value: object) -> Moment | None:
    if isinstance(value, Moment):
        return value
    text = _text(value).strip()[:40]
    if not text:
        return None
    if text in {"now", "today"}:
        raise FilterArgumentError('write «now» without quotes: {{ now | date: "%d.%m.%Y" }}', token=None)
    for form in ("%d.%m.%Y", "%Y-%m-%d"):
        try:
            return Moment.of_day(datetime.strptime(text, form).replace(tzinfo=UTC).date())
        except ValueError:
            continue
    try:
        at = datetime.fromisoformat(text)
    except ValueError as err:
        raise FilterArgumentError(f"«{text}» is no date", token=None) from err
    zone = LOCALE.get().zone
    return Moment.of(at if at.tzinfo is not None else at.replace(tzinfo=zone), zone)


def _formed(at: datetime, form: str) -> str:
    """A moment by a format: single directives only, for a width would make a text of any length."""
    if len(form) > _LONGEST_FORMAT:
        raise FilterArgumentError(f"a format of more than {_LONGEST_FORMAT} characters", token=None)
    return _DIRECTIVE.sub(lambda found: _directive(at, found[1], found[2]), form)


def _directive(at: datetime, plain: str, letter: str) -> str:
    numbers = {
        "d": f"{at.day:02}",
        "m": f"{at.month:02}",
        "Y": f"{at.year:04}",
        "y": f"{at.year % 100:02}",
        "H": f"{at.hour:02}",
        "M": f"{at.minute:02}",
        "S": f"{at.second:02}",
        "j": f"{at.timetuple().tm_yday:03}",
        "I": f"{(at.hour % 12) or 12:02}",
        "e": str(at.day),
    }
    if letter in numbers:
        return (numbers[letter].lstrip("0") or "0") if plain else numbers[letter]
    if letter == "%":
        return "%"
    if letter == "B":
        return _MONTHS[at.month - 1] if LOCALE.get().language == "ru" else at.strftime("%B")
    raise FilterArgumentError(f"«%{letter}» is no part of a date: d m Y y H M S B j e I", token=None)


def _round(value: object, places: object = 0) -> float | int:
    digits = min(max(int(_number(places)), 0), 6)
    found = round(_number(value), digits)
    return int(found) if digits == 0 else float(found)


OWN: dict[str, Filter] = {
    "money": _money,
    "money_words": _money_words,
    "number": _number_of,
    "number_words": _words,
    "plural": _plural,
    "phone": _phone,
    "date": _date,
    "time": _time,
    "date_words": _date_words,
    "add_days": _add_days,
    "round": _round,
}
