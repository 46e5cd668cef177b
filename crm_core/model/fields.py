"""The custom fields of a kind of records: found by their names, their values read, shown, put into the index."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model import amounts, written
from crm_core.model.definitions import Catalogue, FieldBody, Section
from crm_core.model.definitions.fields import FieldType
from crm_core.model.definitions.values import FieldValueRecord

_LONGEST_TEXT = 10_000
_LONGEST_KEY = 300  # of an indexed text: longer ones are told apart by a digest
_EPOCH = date(1970, 1, 1)
_SEPARATORS = re.compile(r"[,;\n|]+")
_MOST_SEPARATORS = 20  # within one option
_NAMED = re.compile(r"""\bfields\s*(?:\.\s*([a-z][a-z0-9_]*)|\[\s*["']([a-z][a-z0-9_]*)["']\s*\])""")
_ERROR = "error"


@dataclass(frozen=True, slots=True)
class Field:
    """A custom field in use; `id` is its definition's. `needs` are the keys a formula names."""

    id: int
    body: FieldBody
    options: Mapping[str, str] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The name of its value in a record's `fields`."""
        return self.body.key

    @property
    def title(self) -> str:
        """What people call it."""
        return self.body.title

    @property
    def type(self) -> FieldType:
        """What it holds."""
        return self.body.type


@dataclass(frozen=True, slots=True)
class FieldSet:
    """The fields of one kind of records, in their order. `formulas` stand in the order in which they are worked out,
    without those that go in a circle, which are `circles`; `apart` are those whose values stand in the index."""

    by_key: Mapping[str, Field] = field(default_factory=dict)
    names: Mapping[str, Field] = field(default_factory=dict)
    formulas: tuple[Field, ...] = ()
    circles: tuple[Field, ...] = ()
    apart: tuple[Field, ...] = ()

    def named(self, name: str) -> Field | None:
        """The field with this key, title or other name."""
        return self.by_key.get(name) or self.names.get(written.one_form(name))


NO_FIELDS = FieldSet()


def fields_of(catalogue: Catalogue, kind: str) -> FieldSet:
    """The fields declared on a kind of records (`contact`, `deal`, a custom type …)."""
    return catalogue.made("fields", _by_kind).get(kind, NO_FIELDS)


def field_sets(catalogue: Catalogue) -> Mapping[str, FieldSet]:
    """The fields of every kind that has any."""
    return catalogue.made("fields", _by_kind)


def field_of(field_id: int, body: FieldBody) -> Field:
    """A field by its definition."""
    options = {written.one_form(option): option for option in body.options}
    needs = frozenset(one or other for one, other in _NAMED.findall(body.expression))
    return Field(field_id, body, MappingProxyType(options), needs)


def goes_in_circle(known: FieldSet, body: FieldBody) -> bool:
    """Whether a formula beside the fields that are known needs itself, by whatever way."""
    listed = {**known.by_key, body.key: field_of(0, body)}
    return any(each.key == body.key for each in _set(listed.values()).circles)


def parse(wanted: Field, given: object) -> Any:
    """A value as the record keeps it (see FieldType), None for an empty one; raises InvalidInput in words.

    Whether a user or a linked record is there has to be looked up besides.
    """
    if given is None or given == [] or (isinstance(given, str) and not given.strip()):
        return None
    match wanted.type:
        case FieldType.TEXT:
            return _text(given)
        case FieldType.NUMBER:
            return written.number(given)
        case FieldType.MONEY:
            return written.money(given)
        case FieldType.DATE:
            return written.day(given)
        case FieldType.FLAG:
            return written.flag(given)
        case FieldType.LIST:
            return _option(wanted, given)
        case FieldType.MULTI:
            return _options(wanted, given)
        case FieldType.USER:
            return _text(given)
        case FieldType.LINK:
            return _id(given)
        case FieldType.FORMULA:
            raise InvalidInput("it is worked out by a formula and can't be given")


def shown(wanted: Field, value: Any) -> str:
    """A value for people: «150 000,50 ₽», «12.03.2026», «да»; what does not fit the field's type as it stands."""
    if value is None:
        return ""
    if is_error(value):
        return f"⚠ {value[_ERROR]}"
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, Mapping) and isinstance(value.get("amount"), int):
        currency = str(value.get("currency", "RUB"))
        return amounts.money(Decimal(value["amount"]).scaleb(-written.places_of(currency)), currency)
    if isinstance(value, (int, float)):
        return str(value) if wanted.type is FieldType.LINK else amounts.grouped(Decimal(str(value)))
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    if wanted.type in {FieldType.DATE, FieldType.FORMULA} and re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
        return ".".join(reversed(str(value).split("-")))
    return str(value)


def in_scope(wanted: Field, value: Any) -> Any:
    """A value as expressions see it: numbers as floats, money in major units, a day as its midnight in UTC."""
    if value is None or is_error(value):
        return None
    if isinstance(value, Mapping):
        if not isinstance(value.get("amount"), int):
            return None
        return value["amount"] / 10 ** written.places_of(str(value.get("currency", "RUB")))
    if isinstance(value, int) and not isinstance(value, bool):
        return value if wanted.type is FieldType.LINK else float(value)
    if wanted.type is FieldType.DATE and isinstance(value, str):
        try:
            return datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
        except ValueError:
            return None
    return value


def all_in_scope(of: FieldSet, values: Mapping[str, Any]) -> dict[str, Any]:
    """A record's `fields` as expressions see them: every declared one is there, None where unset."""
    found = {key: in_scope(each, values.get(key)) for key, each in of.by_key.items()}
    for key, value in values.items():
        if key not in found:
            found[key] = float(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return found


def worked_out(value: Any) -> Any:
    """What a formula gives, as the record keeps it: whole numbers as int, moments as days or texts."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, (int, float)):
        return written.number(float(value) if isinstance(value, float) else int(value))
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (list, tuple)):
        return [str(each) for each in value][:100]
    raise InvalidInput("a formula gives a number, a text, a day, yes or no, or a list of texts")


def error(message: str) -> dict[str, str]:
    """What stands in the place of a formula's value that could not be worked out."""
    return {_ERROR: message[:300]}


def is_error(value: Any) -> bool:
    """Whether a value is such an error."""
    return isinstance(value, Mapping) and _ERROR in value


def index_rows(of: FieldSet, subject_id: int, values: Mapping[str, Any]) -> Iterator[FieldValueRecord]:
    """The index rows of a record."""
    for each in of.apart:
        value = values.get(each.key)
        if value is not None:
            yield from rows_of(each, subject_id, value)


def rows_of(of: Field, subject_id: int, value: Any) -> Iterator[FieldValueRecord]:
    """The index rows of one value; none for an error."""
    if is_error(value):
        return
    values = value if isinstance(value, (list, tuple)) else [value]
    for position, each in enumerate(values[:100]):
        text, number = keys_of(of, each)
        if text is None and number is None:
            continue
        unique = unique_key(of, value) if of.body.unique and position == 0 else None
        yield FieldValueRecord(f"{of.id}:{subject_id}:{position}", of.id, subject_id, text, number, unique)


def keys_of(of: Field, value: Any) -> tuple[str | None, float | None]:
    """A plain value as text and as number in the index."""
    if isinstance(value, bool):
        return ("1" if value else "0"), float(value)
    if isinstance(value, Mapping):
        amount = value.get("amount")
        return str(value.get("currency", "")), float(amount) if isinstance(amount, int) else None
    if isinstance(value, (int, float)):
        return (str(value) if of.type is FieldType.LINK else None), float(value)
    text = str(value)
    if of.type in {FieldType.DATE, FieldType.FORMULA} and (days := days_of(text)) is not None:
        return text, float(days)
    return _key(written.one_form(text)), None


def unique_key(of: Field, value: Any) -> str | None:
    """What stands once a field."""
    if isinstance(value, Mapping):
        return f"{value.get('amount')} {value.get('currency')}"
    if isinstance(value, (int, float)):
        return str(value)
    return keys_of(of, value)[0] or None


def days_of(text: str) -> int | None:
    """A day `YYYY-MM-DD` as days since 1970."""
    if len(text) != 10:
        return None
    try:
        return (date.fromisoformat(text) - _EPOCH).days
    except ValueError:
        return None


def _by_kind(catalogue: Catalogue) -> dict[str, FieldSet]:
    kinds: dict[str, list[Field]] = {}
    for defined, body in catalogue.bodies(Section.FIELD, FieldBody):
        kinds.setdefault(body.of, []).append(field_of(defined.id, body))
    return {kind: _set(listed) for kind, listed in kinds.items()}


def _set(listed: Iterable[Field]) -> FieldSet:
    by_key = {each.key: each for each in listed}
    names: dict[str, Field] = {}
    for each in by_key.values():
        for name in (each.key, each.title, *each.body.also):
            names.setdefault(written.one_form(name), each)
    formulas = {key: each for key, each in by_key.items() if each.type is FieldType.FORMULA}
    ordered: dict[str, Field] = {}
    while True:
        ready = [key for key, each in formulas.items() if key not in ordered and not _waits(each, formulas, ordered)]
        if not ready:
            break
        ordered.update((key, formulas[key]) for key in ready)
    circles = tuple(each for key, each in formulas.items() if key not in ordered)
    apart = tuple(each for each in by_key.values() if each.body.kept_apart)
    return FieldSet(by_key, names, tuple(ordered.values()), circles, apart)


def _waits(each: Field, formulas: Mapping[str, Field], ordered: Mapping[str, Field]) -> bool:
    return any(need in formulas and need not in ordered for need in each.needs)


def _text(given: object) -> str:
    if isinstance(given, bool) or not isinstance(given, (str, int, float)):
        raise InvalidInput("«{given}» is no text", given=written.brief(given))
    text = str(given).strip()
    if len(text) > _LONGEST_TEXT:
        raise InvalidInput("the text is longer than {most} characters", most=_LONGEST_TEXT)
    return text


def _option(wanted: Field, given: object) -> str:
    text = _text(given) if not isinstance(given, bool) else ("да" if given else "нет")
    found = wanted.options.get(written.one_form(text))
    if found is None:
        some = ", ".join(f"«{each}»" for each in wanted.body.options[:10])
        more = ", …" if len(wanted.body.options) > 10 else ""
        raise InvalidInput(
            "«{text}» is none of the options: {some}{more}", text=written.brief(text), some=some, more=more
        )
    return found


def _options(wanted: Field, given: object) -> list[str] | None:
    parts: list[object]
    if isinstance(given, (list, tuple)):
        parts = list(given)
    elif isinstance(given, str) and written.one_form(given) not in wanted.options:
        parts = list(_named(wanted, given))
    else:
        parts = [given]
    return list(dict.fromkeys(_option(wanted, part) for part in parts)) or None


def _named(wanted: Field, given: str) -> Iterator[str]:
    """The parts of a text that lists several options; the longest that is an option is taken whole, for options have
    commas in them too («Окна, двери»)."""
    ends = [(found.start(), found.end()) for found in _SEPARATORS.finditer(given)] + [(len(given), len(given))]
    begin = 0
    while begin < len(given):
        ahead = [each for each in ends if each[0] >= begin]
        known = (each for each in reversed(ahead[:_MOST_SEPARATORS]) if _is_option(wanted, given[begin : each[0]]))
        stop, after = next(known, ahead[0])
        if given[begin:stop].strip():
            yield given[begin:stop]
        begin = max(after, begin + 1)


def _is_option(wanted: Field, text: str) -> bool:
    return written.one_form(text) in wanted.options


def _id(given: object) -> int:
    if isinstance(given, str) and given.strip().isascii() and given.strip().isdigit() and len(given.strip()) <= 18:
        return int(given.strip())
    if isinstance(given, int) and not isinstance(given, bool) and 0 < given < 2**63:
        return given
    if isinstance(given, float) and given.is_integer() and 0 < given < 2**53:
        return int(given)
    raise InvalidInput("«{given}» is no id of a record", given=written.brief(given))


def _key(text: str) -> str:
    if len(text) <= _LONGEST_KEY:
        return text
    return f"{text[: _LONGEST_KEY - 33]}#{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"
