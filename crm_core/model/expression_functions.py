"""The functions that expressions have beside the language's own. What is not set stays not set."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, tzinfo
from typing import Any

from crm_core.model.patterns import folded
from crm_core.wording import Sentence

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LONGEST = 100_000  # characters of a text that are looked at


def words_in(text: Any) -> set[str]:
    """The words of a text in the form in which they are compared; a word with a hyphen also by its parts."""
    found = set(_WORD.findall(folded(text[:_LONGEST])))
    return found | {part for word in found if "-" in word for part in word.split("-")}


def has_words(text: Any, wanted: list[str]) -> bool:
    """Whether a text has any of these words; «word*» is any that begins so, «two words» stand one after another."""
    if text is None:
        return False
    known = words_in(_text(text))
    plain = f" {' '.join(_WORD.findall(folded(text[:_LONGEST])))} "
    return any(_stands(folded(_text(each)).strip(), known, plain) for each in wanted)


def lower(text: Any) -> str | None:
    """A text in small letters."""
    return None if text is None else _text(text).lower()


def upper(text: Any) -> str | None:
    """A text in capital letters."""
    return None if text is None else _text(text).upper()


def trim(text: Any) -> str | None:
    """A text without spaces at its ends."""
    return None if text is None else _text(text).strip()


def join(parts: list[Any], between: str = "") -> str:
    """Texts as one."""
    return _text(between).join(_text(each) for each in parts if each is not None)


def number(value: Any) -> float | None:
    """A text as a number: «1 200,50» too; null where it is none."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return float(re.sub(r"[\s\u00a0_]", "", _text(value)).replace(",", "."))
    except ValueError:
        return None


def round_(value: Any, digits: float = 0) -> float | None:
    """A number rounded half away from zero, to so many digits after the point."""
    if value is None:
        return None
    if not -12 <= digits <= 12:
        raise ValueError(Sentence("between 12 digits before and after the point"))
    scale = 10.0 ** int(digits)
    return math.copysign(math.floor(abs(_number(value)) * scale + 0.5), value) / scale


def floor(value: Any) -> float | None:
    """The next whole number below."""
    return None if value is None else float(math.floor(_number(value)))


def ceil(value: Any) -> float | None:
    """The next whole number above."""
    return None if value is None else float(math.ceil(_number(value)))


def abs_(value: Any) -> float | None:
    """A number without its sign."""
    return None if value is None else abs(_number(value))


def min_(*values: Any) -> Any:
    """The least of values, or of a list; what is not set does not count."""
    return min(_those(values), default=None)


def max_(*values: Any) -> Any:
    """The greatest of values, or of a list; what is not set does not count."""
    return max(_those(values), default=None)


def sum_(*values: Any) -> float:
    """The sum of values, or of a list; what is not set does not count."""
    return math.fsum(_number(each) for each in _those(values))


def coalesce(*values: Any) -> Any:
    """The first value that is set."""
    return next((each for each in values if each is not None), None)


def date(text: Any, zone: tzinfo | None = None) -> datetime | None:
    """The beginning of a day, `2026-01-31`, in the office's zone."""
    if text is None:
        return None
    if isinstance(text, datetime):
        return datetime.combine(text.date(), time(), text.tzinfo)
    return datetime.combine(datetime.fromisoformat(_text(text)).date(), time(), zone or UTC)


def day(at: Any) -> float | None:
    """The day of the month of a moment, in its own zone."""
    if at is None:
        return None
    if not isinstance(at, datetime):
        raise TypeError(Sentence("day: this is asked of a moment"))
    return float(at.day)


def months(at: Any, count: Any, on: Any = None) -> datetime | None:
    """The same day and hour so many months later (earlier, below 0), or the day `on` of that month; the last day of a
    month that is too short. What comes every month on the 31st is asked for with `on`, else February makes it the 28th
    for good."""
    if at is None or count is None:
        return None
    if not isinstance(at, datetime):
        raise TypeError(Sentence("months: this counts from a moment"))
    year, month = divmod(at.year * 12 + at.month - 1 + int(_number(count)), 12)
    wanted = at.day if on is None else int(_number(on))
    if not 1 <= wanted <= 31:
        raise ValueError(Sentence("months: a day of the month is from 1 to 31"))
    return at.replace(year=year, month=month + 1, day=min(wanted, monthrange(year, month + 1)[1]))


def days(from_: Any, until: Any) -> float | None:
    """How many days lie between two moments, as a number."""
    if from_ is None or until is None:
        return None
    return float((until - from_).total_seconds() / 86_400)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs_,
    "ceil": ceil,
    "coalesce": coalesce,
    "date": date,
    "day": day,
    "days": days,
    "floor": floor,
    "has_words": has_words,
    "join": join,
    "lower": lower,
    "max": max_,
    "min": min_,
    "months": months,
    "number": number,
    "round": round_,
    "sum": sum_,
    "trim": trim,
    "upper": upper,
}


def _stands(wanted: str, known: set[str], plain: str) -> bool:
    if wanted.endswith("*"):
        begin = wanted[:-1].strip()
        return bool(begin) and f" {begin}" in plain
    if wanted in known:
        return True
    return bool(wanted) and f" {' '.join(_WORD.findall(wanted))} " in plain and bool(_WORD.findall(wanted))


def _those(values: tuple[Any, ...]) -> list[Any]:
    found = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    return [each for each in found if each is not None]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(Sentence("this takes a text"))
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(Sentence("this takes a number"))
    return value
