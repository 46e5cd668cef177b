"""From what TOML holds to what the hub means: one small parser per kind of value.

A parser takes the value as read and returns it typed, or raises BadValueError saying what was expected, what it got
and how to mend it. A text filled in from the environment is shown as it stands in the file, never as filled.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time, timedelta
from enum import Enum
from typing import Self, TypeVar
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers

from crm_core.model import durations
from crm_core.wording import Sentence
from hub.settings.errors import BadValueError, Fault
from hub.settings.nearest import nearest
from hub.settings.secret import Secret

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
Parser = Callable[[object], T]

_SHOWN = 60
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAME = re.compile(r"[\w.-]{1,64}\Z")
_ADDRESS = re.compile(r"[^\s@<>\"(),:;]+@[^\s@<>\"(),:;]+\Z")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_SIZE = re.compile(r"([0-9]{1,12})\s*([KMG]?)B?\Z", re.IGNORECASE)
_SIZE_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


class Filled(str):
    """A text with `${NAME}` filled in; `raw` is how it stood in the file."""

    __slots__ = ("raw",)
    raw: str

    def __new__(cls, text: str, raw: str) -> Self:
        filled = super().__new__(cls, text)
        filled.raw = raw
        return filled


def shown(value: object) -> str:
    """A value for an error message: short, on one line, nothing that came from the environment."""
    text = f'"{value.raw if isinstance(value, Filled) else value}"' if isinstance(value, str) else str(value)
    text = _CONTROL.sub("·", text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, Sentence("true or false")),  # before int, of which it is a kind
    (str, Sentence("a text")),
    (int, Sentence("a whole number")),
    (float, Sentence("a number")),
    (list, Sentence("a list")),
    (dict, Sentence("a table")),
    (date, Sentence("a date")),
    (time, Sentence("a time")),
)


def kind(value: object) -> str:
    """What TOML calls a value's type."""
    return next((name for each, name in _KINDS if isinstance(value, each)), type(value).__name__)


def wrong_type(expected: str, got: object, mend: str = "") -> BadValueError:
    """The error for a value of another type than wanted; it shows the types alone, for the value may be a secret."""
    return BadValueError(Sentence("expected {expected}, got {got}", expected=expected, got=kind(got)), mend)


def text(value: object) -> str:
    """Any text that is not empty and has no control characters."""
    if not isinstance(value, str):
        raise wrong_type(Sentence("a text"), value, Sentence('Write it in quotes: "…"'))
    if not value.strip():
        empty = Sentence(" ({raw} stands for nothing)", raw=value.raw) if isinstance(value, Filled) else ""
        raise BadValueError(
            Sentence("the text is empty{empty}", empty=empty), Sentence("Give it a value or remove the key")
        )
    if _CONTROL.search(value):
        raise BadValueError(
            Sentence("the text holds a line break or another control character"), Sentence("Write it on one line")
        )
    return str(value)


def secret(value: object) -> Secret:
    """A text that is never shown."""
    return Secret(text(value))


def header_secret(value: object) -> Secret:
    """A secret of up to 256 letters, digits, `_` and `-`, as Telegram wants it in a header."""
    found = text(value)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", found):
        raise BadValueError(
            Sentence("the secret has marks that Telegram refuses"),
            Sentence("Use 1 to 256 Latin letters, digits, _ and -"),
        )
    return Secret(found)


def path_secret(value: object) -> Secret:
    """A secret that stands in the path of an address: no blanks and none of `/ ? # %`."""
    found = text(value).strip()
    if re.search(r"[\s/?#%]", found):
        raise BadValueError(
            Sentence("the token holds a blank or one of / ? # %"), Sentence("Copy it again, without quotes and blanks")
        )
    return Secret(found)


def bot_token(value: object) -> Secret:
    """A Telegram bot's token."""
    found = text(value).strip()
    if not re.fullmatch(r"[0-9]{1,20}:[A-Za-z0-9_-]{3,}", found):
        raise BadValueError(
            Sentence("this is not a bot's token"), Sentence("It looks like 123456:AbC-dEf; copy it from BotFather")
        )
    return Secret(found)


def name(value: object) -> str:
    """A name that can stand in an address: letters, digits, `.`, `_`, `-`."""
    found = text(value)
    if not _NAME.match(found):
        raise BadValueError(
            Sentence("{value} is not usable as a name", value=shown(value)),
            Sentence("Use up to 64 letters, digits and the marks . _ - alone"),
        )
    return found


def mail_address(value: object) -> str:
    """A mail address, in lower case."""
    found = text(value).strip().lower()
    if len(found) > 254 or not _ADDRESS.match(found):
        raise BadValueError(
            Sentence("{value} is not a mail address", value=shown(value)), Sentence('Write it like "sales@example.org"')
        )
    return found


def flag(value: object) -> bool:
    """`true` or `false`; also as a text where it was filled in from the environment."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Filled) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    raise wrong_type(Sentence("true or false"), value, Sentence("Write true or false without quotes"))


def whole(low: int, high: int) -> Parser[int]:
    """A whole number between the two; also as a text where it was filled in from the environment."""

    def parse(value: object) -> int:
        number = value
        if isinstance(value, Filled) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
            number = int(value)
        if isinstance(number, bool) or not isinstance(number, int):
            raise wrong_type(Sentence("a whole number"), value, Sentence("Write digits without quotes"))
        if not low <= number <= high:
            raise BadValueError(
                Sentence("the number is out of range ({value})", value=shown(value)),
                Sentence("Give a number from {low} to {high}", low=low, high=high),
            )
        return number

    return parse


def duration(value: object) -> timedelta:
    """`500ms 2s 5m 24h 7d`, at most ten years."""
    mend = Sentence('Write a whole number with a unit: "500ms", "2s", "5m", "24h", "7d"')
    if not isinstance(value, str):
        raise wrong_type(Sentence("a duration"), value, mend)
    try:
        return durations.duration(value)
    except durations.TooLong as err:
        raise BadValueError(Sentence("{value} is longer than ten years", value=shown(value)), mend) from err
    except ValueError as err:
        raise BadValueError(Sentence("{value} is not a duration", value=shown(value)), mend) from err


def positive_duration(value: object) -> timedelta:
    """A duration longer than nothing."""
    found = duration(value)
    if not found:
        raise BadValueError(Sentence("the duration is zero"), Sentence("Give it a length"))
    return found


def color(value: object) -> str:
    """A colour as pages write it, `#rrggbb`."""
    found = text(value)
    if not _COLOR.match(found):
        raise BadValueError(
            Sentence("{value} is no colour", value=shown(value)), Sentence('Write red, green and blue, like "#2457d6"')
        )
    return found.lower()


def size(value: object) -> int:
    """`25MB`, `512KB`, `1GB` in bytes; a kilobyte is 1024 bytes. Between 1 KB and 4 GB."""
    count = _bytes(value)
    if not 1024 <= count <= 4 * 1024**3:
        raise BadValueError(
            Sentence("{value} is out of range", value=shown(value)), Sentence("Give a size from 1KB to 4GB")
        )
    return count


def space(value: object) -> int:
    """Room on a disk, `1GB`, `500GB`, in bytes; `0MB` is none at all."""
    count = _bytes(value)
    if count > 1024**5:
        raise BadValueError(
            Sentence("{value} is out of range", value=shown(value)), Sentence("Give a size of up to 1048576GB")
        )
    return count


def _bytes(value: object) -> int:
    mend = Sentence('Write a whole number with a unit: "512KB", "25MB"')
    if not isinstance(value, str):
        raise wrong_type(Sentence("a size"), value, mend)
    found = _SIZE.match(value.strip())
    if not found:
        raise BadValueError(Sentence("{value} is not a size", value=shown(value)), mend)
    return int(found[1]) * _SIZE_UNITS[found[2].upper()]


def one_of(members: type[E] | tuple[E, ...]) -> Parser[E]:
    """The member of an enum (or one of some members) with this value."""
    by_value = {str(member.value): member for member in members}

    def parse(value: object) -> E:
        expected = Sentence("one of {members}", members=", ".join(by_value))
        if not isinstance(value, str):
            raise wrong_type(expected, value, Sentence('Write it in quotes: "…"'))
        if value not in by_value:
            close = nearest(value, by_value)
            guess = Sentence('Did you mean "{close}"? ', close=close) if close else ""
            raise BadValueError(
                Sentence("{value} is not known here", value=shown(value)),
                Sentence("{guess}It may be {expected}", guess=guess, expected=expected),
            )
        return by_value[value]

    return parse


def or_nothing(parse: Parser[T]) -> Parser[T | None]:
    """None for an empty text, else as parsed."""

    def parse_some(value: object) -> T | None:
        return None if isinstance(value, str) and not value.strip() else parse(value)

    return parse_some


def list_of(parse: Parser[T], *, least: int = 0) -> Parser[tuple[T, ...]]:
    """A list whose elements all parse; every bad element is reported. Repeats are errors."""

    def parse_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise wrong_type(Sentence("a list"), value, Sentence("Write it in square brackets: [ … ]"))
        if len(value) < least:
            raise BadValueError(Sentence("the list is empty"), Sentence("Name at least one"))
        found: list[T] = []
        faults: list[Fault] = []
        for position, element in enumerate(value):
            try:
                parsed = parse(element)
            except BadValueError as err:
                faults.extend(Fault(each.what, each.mend, (position, *each.at)) for each in err.faults)
                continue
            if parsed in found:
                faults.append(Fault(Sentence("stands in the list twice"), Sentence("Remove one"), (position,)))
            found.append(parsed)
        if faults:
            raise BadValueError(Sentence("the list has faults"), faults=tuple(faults))
        return tuple(found)

    return parse_all


def time_zone(value: object) -> ZoneInfo:
    """A zone of the IANA database, such as `Europe/Moscow`."""
    found = text(value)
    zones = available_timezones()
    if found not in zones:
        close = nearest(found, zones)
        guess = Sentence('Did you mean "{close}"?', close=close) if close else Sentence('Write it like "Europe/Moscow"')
        raise BadValueError(Sentence("{value} is not a time zone", value=shown(value)), guess)
    return ZoneInfo(found)


def region(value: object) -> str:
    """A two-letter country code that has telephone numbers."""
    found = text(value).upper()
    if found not in phonenumbers.SUPPORTED_REGIONS:
        raise BadValueError(
            Sentence("{value} is not a country code", value=shown(value)), Sentence('Write two letters, like "RU"')
        )
    return found


def line_number(country: str) -> Parser[str]:
    """A number that clients dial: E.164, or as it stands where it is a short or lettered DID of a provider."""

    def parse(value: object) -> str:
        found = text(value).strip()
        digits = sum(mark.isdigit() for mark in found)
        if not found.startswith("+") and digits < 10 and re.fullmatch(r"[\w.-]{1,64}", found):
            return found
        mend = Sentence('Write it with its country code, like "+74951234567"')
        try:
            number = phonenumbers.parse(found, country)
        except phonenumbers.NumberParseException:
            raise BadValueError(Sentence("{value} is not a telephone number", value=shown(value)), mend) from None
        if not phonenumbers.is_possible_number(number):
            raise BadValueError(
                Sentence("{value} has too few or too many digits for a telephone number", value=shown(value)), mend
            )
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    return parse


def caller_id(value: object) -> str:
    """The number that clients see of outgoing calls: digits with the country code, with or without `+`."""
    found = re.sub(r"[\s()-]", "", text(value))
    if not re.fullmatch(r"\+?[0-9]{3,15}", found):
        raise BadValueError(
            Sentence("{value} is not a number to show", value=shown(value)), Sentence('Write it like "+74951234567"')
        )
    return found


def caller_ids(value: object) -> tuple[tuple[str, str], ...]:
    """Patterns of clients' numbers and what these clients see, in order."""
    if not isinstance(value, dict):
        raise wrong_type(Sentence("a table"), value, 'Write { "7812*" = "+78121234567" }')
    found: list[tuple[str, str]] = []
    for pattern, number in value.items():
        if not re.fullmatch(r"\+?[0-9]{1,15}\*?|\*", pattern):
            mend = Sentence('Write a number, or its first digits and a star, like "7812*"')
            raise BadValueError(Sentence("{value} fits no number", value=shown(pattern)), mend)
        found.append((pattern, caller_id(number)))
    return tuple(found)


def template(placeholder: str) -> Parser[str]:
    """A text with one `{placeholder}` that will be replaced, such as `PJSIP/{extension}`."""
    wanted = f"{{{placeholder}}}"

    def parse(value: object) -> str:
        found = text(value)
        others = [each for each in re.findall(r"\{[^}]*\}?|\}", found) if each != wanted]
        if wanted not in found or others:
            raise BadValueError(
                Sentence("{value} has to hold {wanted}, and no other braces", value=shown(value), wanted=wanted),
                Sentence('Write it like "PJSIP/{wanted}"', wanted=wanted),
            )
        return found

    return parse
