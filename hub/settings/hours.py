"""Working hours as they are written: `mon-fri = "09:00-18:00"`, and the days off of a country."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from itertools import pairwise

from crm_core.model.calendar import DayHours
from crm_core.wording import Sentence
from hub.settings.errors import BadValueError, Fault
from hub.settings.nearest import nearest
from hub.settings.values import Parser, shown, text, wrong_type

Week = dict[int, tuple[DayHours, ...]]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_IN_RUSSIAN = dict(zip(("пн", "вт", "ср", "чт", "пт", "сб", "вс"), DAYS, strict=True))
_YEARS_BACK = 1
_YEARS_AHEAD = 6
_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*[-–]\s*([0-9]{1,2}):([0-9]{2})\Z")
_MIDNIGHT = 24 * 60


def span(value: object) -> DayHours:
    """`09:00-18:00`; `24:00` is the end of the day."""
    return _span(text(value), shown(value))


def spans(value: object) -> tuple[DayHours, ...]:
    """`09:00-18:00`, or several openings of a day: `09:00-13:00, 14:00-18:00`."""
    found = sorted((_span(part, shown(value)) for part in text(value).split(",")), key=lambda each: each.start)
    for earlier, later in pairwise(found):
        if earlier.end == time(0) or later.start < earlier.end:
            raise BadValueError(
                Sentence("the openings in {value} overlap", value=shown(value)), Sentence("Write one after the other")
            )
    return tuple(found)


def week(value: object) -> Week:
    """A table of days and their openings: `mon`, `mon-fri`, `"mon,wed"`, also `"пн-пт"`; 0 is Monday. Days not named
    are closed."""
    mend = 'Write it like { mon-fri = "09:00-18:00", sat = "10:00-15:00" }'
    if not isinstance(value, dict):
        raise wrong_type("a table of days", value, mend)
    if not value:
        raise BadValueError(Sentence("no day is named"), mend)
    found: Week = {}
    faults: list[Fault] = []
    for key, hours in value.items():
        try:
            days, openings = _days(str(key), named=set(found)), spans(hours)
        except BadValueError as err:
            faults.extend(Fault(each.what, each.mend, (str(key), *each.at)) for each in err.faults)
            continue
        found.update(dict.fromkeys(days, openings))
    if faults:
        raise BadValueError("the days have faults", faults=tuple(faults))
    return dict(sorted(found.items()))


def days_off(today: date) -> Parser[frozenset[date]]:
    """A country's holidays (`RU`, or `DE-BY` for a part of it), single dates, or a list of both.

    Countries are resolved for the years around `today`. Source: the `holidays` package.
    """

    def parse(value: object) -> frozenset[date]:
        found: set[date] = set()
        faults: list[Fault] = []
        for position, element in enumerate(value if isinstance(value, list) else [value]):
            try:
                found |= _days_off(element, today.year)
            except BadValueError as err:
                at = (position,) if isinstance(value, list) else ()
                faults.extend(Fault(each.what, each.mend, at) for each in err.faults)
        if faults:
            raise BadValueError("the days off have faults", faults=tuple(faults))
        return frozenset(found)

    return parse


def _span(part: str, whole: str) -> DayHours:
    mend = Sentence('Write it like "09:00-18:00"')
    found = _SPAN.match(part.strip())
    if not found:
        raise BadValueError(Sentence("{value} is not a span of hours", value=whole), mend)
    start, end = (int(found[at]) * 60 + int(found[at + 1]) for at in (1, 3))
    if int(found[2]) > 59 or int(found[4]) > 59 or end > _MIDNIGHT or start >= _MIDNIGHT:
        raise BadValueError(Sentence("{value} names a time that does not exist", value=whole), mend)
    if start >= end:
        raise BadValueError(
            Sentence("{value} ends before it begins", value=whole),
            Sentence("Over midnight, write two days: until 24:00 and from 00:00"),
        )
    return DayHours(_time(start), _time(end % _MIDNIGHT))


def _time(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


def _days(key: str, named: set[int]) -> tuple[int, ...]:
    found: list[int] = []
    for part in key.lower().split(","):
        first, dash, last = part.partition("-")
        start = _day(first, key)
        count = (_day(last, key) - start) % 7 if dash else 0
        for day in ((start + step) % 7 for step in range(count + 1)):
            if day in named or day in found:
                raise BadValueError(Sentence("{day} is named twice", day=DAYS[day]), Sentence("Leave it in one place"))
            found.append(day)
    return tuple(found)


def _day(word: str, key: str) -> int:
    word = word.strip()
    named = _IN_RUSSIAN.get(word, word)
    if named not in DAYS:
        close = nearest(word, DAYS)
        mend = Sentence("Days are {days}, spans like mon-fri", days=" ".join(DAYS))
        if close:
            mend = Sentence("Did you mean {close}? {mend}", close=close, mend=mend)
        raise BadValueError(Sentence("{value} names no day", value=shown(key)), mend)
    return DAYS.index(named)


def _days_off(element: object, year: int) -> frozenset[date]:
    if isinstance(element, datetime):
        raise wrong_type("a date without a time", element, 'Write it like "2026-12-31"')
    if isinstance(element, date):
        return frozenset({element})
    found = text(element).strip()
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", found):
        try:
            return frozenset({date.fromisoformat(found)})
        except ValueError:
            raise BadValueError(
                Sentence("{value} is a date that does not exist", value=shown(element)),
                Sentence('Write it like "2026-12-31"'),
            ) from None
    import holidays  # here, for it is heavy and few offices name a country

    country, _, part = found.upper().partition("-")
    known = holidays.list_supported_countries()
    if country not in known or (part and part not in known[country]):
        raise BadValueError(
            Sentence("{value} is no country whose holidays are known", value=shown(element)),
            Sentence('Write two letters like "RU", or a date'),
        )
    years = range(year - _YEARS_BACK, year + _YEARS_AHEAD)
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=years))
