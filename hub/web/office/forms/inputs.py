"""A form of the configuration as it is drawn: inputs with their names, values, choices, and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from crm_core.model.definitions.rules import Event
from hub.web.office.forms.filled import Faults, Values
from hub.web.office.forms.labels import field_word, hint, value_word
from hub.web.office.forms.shapes import Kind, Shape, shapes_of

_SMALL = 60


@dataclass(frozen=True, slots=True)
class Choice:
    """A value to choose, and what it is called."""

    value: str
    word: str


@dataclass(slots=True)
class Row:
    """A part of a list, or a pair: its inputs, and its key where it is a pair."""

    path: str
    inputs: list[Input] = field(default_factory=list)
    more: list[Input] = field(default_factory=list)
    key: str = ""
    do: list[Choice] = field(default_factory=list)
    chosen: str = ""


@dataclass(slots=True)
class Input:
    """One input. `choices` are all values there are (a select, or boxes to be ticked); `offers` what is proposed where
    anything may be typed."""

    path: str
    kind: Kind
    label: str
    hint: str = ""
    value: Any = None
    must: bool = False
    faults: Sequence[str] = ()
    choices: Sequence[Choice] = ()
    offers: Sequence[str] = ()
    rows: list[Row] = field(default_factory=list)

    @property
    def ident(self) -> str:
        """An id for labels."""
        return f"f-{self.path.replace('.', '-')}"

    @property
    def set(self) -> bool:
        """Whether something stands there."""
        return bool(self.value) or bool(self.rows) or bool(self.faults)


@dataclass(frozen=True, slots=True)
class Offers:
    """What there is in this office to be named by fields, by the field's key."""

    by_key: Mapping[str, Sequence[str]] = field(default_factory=dict)
    kinds: Sequence[Choice] = ()
    titles: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """What people call a value of a field, by the field's key and the value."""

    def of(self, form: str, key: str) -> Sequence[str]:
        """What is proposed for a field."""
        return self.by_key.get(f"{form}.{key}") or self.by_key.get(key, ())


# Of a rule's «when» only what an event knows of is shown.
_OF_CARDS = ("pipelines", "stages")
_WHEN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("stage_entered", "stage_left", "created"), _OF_CARDS),
    "in_stage": (*_OF_CARDS, "after", "hours"),
    "silence": (*_OF_CARDS, "after", "hours"),
    "changed": (*_OF_CARDS, "field", "to"),
    "tag_added": (*_OF_CARDS, "tags"),
    "date": (*_OF_CARDS, "field", "before", "after", "at"),
    "schedule": (*_OF_CARDS, "every", "at", "weekdays", "days", "segment", "filter"),
}


# Fields that are seldom needed stand folded away.
_FOLDED: Mapping[str, frozenset[str]] = {
    "FieldBody": frozenset({"also", "help", "unique", "indexed"}),
    "RuleBody": frozenset({"help", "once", "per_hour"}),
    "Only": frozenset({"accounts", "utm", "pattern", "without_tags", "managers", "load_below", "load_from", "outside"}),
    "MakeTask": frozenset({"text", "hours", "kind", "checklist"}),
    "StageTask": frozenset({"text", "hours", "kind", "checklist", "lapses"}),
    "TemplateBody": frozenset({"texts", "language", "attachments", "any_hour"}),
    "DocumentBody": frozenset({"pictures", "file_name"}),
    "ClientsBody": frozenset({"abc_a", "abc_b", "xyz_x", "xyz_y", "need_tolerance"}),
    "LineBody": frozenset({"enquiry", "leads", "pipeline", "silence", "anonymous", "record"}),
    "StageForm": frozenset({"forward_only"}),
    "TemplateFile": frozenset({"sha256", "content_type", "size"}),
}
_ALWAYS_FOLDED = frozenset({"TemplateFile"})


def drawn(
    form: type[BaseModel],
    values: Values,
    faults: Faults,
    offers: Offers,
    prefix: str = "",
    skip: frozenset[str] = frozenset(),
) -> tuple[list[Input], list[Input]]:
    """The inputs of a form with these values; those that are seldom needed and empty apart."""
    usual: list[Input] = []
    more: list[Input] = []
    folded = _FOLDED.get(form.__name__, frozenset())
    wanted = _wanted(form, values)
    for shape in shapes_of(form):
        if shape.key in skip:
            continue
        made = _input(form, shape, values.get(shape.key), f"{prefix}{shape.key}", faults, offers)
        if wanted is not None and shape.key not in wanted and not made.set:
            continue
        away = shape.key in folded and (not made.set or form.__name__ in _ALWAYS_FOLDED)
        (more if away else usual).append(made)
    return usual, more


def _wanted(form: type[BaseModel], values: Values) -> tuple[str, ...] | None:
    if form.__name__ != "When":
        return None
    event = str(values.get("event") or Event.MESSAGE_IN.value)
    return ("event", *_WHEN.get(event, _OF_CARDS))


def _input(form: type[BaseModel], shape: Shape, value: Any, path: str, faults: Faults, offers: Offers) -> Input:
    name = form.__name__
    found = Input(
        path,
        shape.kind,
        field_word(name, shape.key),
        hint(name, shape.key),
        _as_shown(shape, value),
        shape.must and shape.kind is not Kind.FLAG,
        tuple(faults.get(path, ())),
    )
    match shape.kind:
        case Kind.FLAG:
            found.value = bool(shape.default) if value is None else bool(value)
        case Kind.CHOICE | Kind.MANY:
            found.choices = [Choice(each, value_word(shape.key, each)) for each in shape.options]
            if shape.kind is Kind.CHOICE and value is None and shape.default is not None:
                found.value = str(shape.default)
        case Kind.LINE:
            found.offers = offers.of(name, shape.key)
            if shape.key in {"of", "on"} and offers.kinds:
                found.kind, found.choices = Kind.CHOICE, offers.kinds
                found.value = found.value or str(shape.default or "")
        case Kind.LINES:
            known = offers.of(name, shape.key)
            given = [str(each) for each in value] if isinstance(value, list) else []
            if shape.key == "on" and offers.kinds:
                found.kind, found.choices, found.value = Kind.MANY, offers.kinds, given
            elif known and len(known) <= _SMALL:
                found.kind, found.value = Kind.MANY, given
                found.choices = [
                    Choice(each, offers.titles.get((shape.key, each)) or _called(shape.key, each))
                    for each in dict.fromkeys([*known, *given])
                ]
        case Kind.ROWS | Kind.PART | Kind.PAIRS:
            found.rows = list(_rows(shape, value, path, faults, offers, name))
            found.value = None
        case _:
            pass
    # What is wrong deeper, where no input stands for it, is told here.
    if not found.rows and found.kind not in {Kind.ROWS, Kind.PART}:
        found.faults = (
            *found.faults,
            *(said for at, texts in faults.items() if at.startswith(f"{path}.") for said in texts),
        )
    return found


def _called(key: str, value: str) -> str:
    return value_word("role", value) if key == "roles" else value


def _rows(shape: Shape, value: Any, path: str, faults: Faults, offers: Offers, form: str) -> Iterator[Row]:
    if shape.kind is Kind.PAIRS:
        pairs = value.items() if isinstance(value, Mapping) else ()
        for number, (key, each) in enumerate(pairs):
            at = f"{path}.{number}"
            inner = shape.inner if shape.inner is not None else Shape("value", Kind.LINE)
            made = Input(f"{at}.value", inner.kind, field_word(form, "value"), value=_as_shown(inner, each))
            made.choices = [Choice(one, value_word(shape.key, one)) for one in inner.options]
            made.faults = tuple(faults.get(f"{path}.{key}", ()))
            row = Row(at, [made], key=str(key))
            row.do = [Choice(one, value_word("role", one)) for one in shape.options]
            yield row
        return
    found = (
        [(path, value)] if shape.kind is Kind.PART else [(f"{path}.{n}", each) for n, each in enumerate(value or ())]
    )
    for at, each in found:
        if not isinstance(each, Mapping):
            continue
        of = shape.form_of(each)
        if of is None:
            continue
        usual, more = drawn(of, dict(each), faults, offers, f"{at}.")
        row = Row(at, usual, more)
        if shape.variants:
            row.chosen = str(each.get("do", ""))
            row.do = [Choice(do, value_word("do", do)) for do in shape.variants]
        yield row


def _as_shown(shape: Shape, value: Any) -> Any:
    """A value as its input holds it."""
    match shape.kind:
        case Kind.LINES:
            if isinstance(value, list):
                return (", " if shape.whole else "\n").join(str(each) for each in value)
            return "" if value is None else str(value)
        case Kind.MANY:
            return [str(each) for each in value] if isinstance(value, list) else []
        case Kind.PLAIN:
            return "" if value is None else json.dumps(value, ensure_ascii=False)
        case Kind.ROWS | Kind.PART | Kind.PAIRS | Kind.FLAG:
            return value
        case Kind.NUMBER if isinstance(value, float) and value.is_integer():
            return str(int(value))
        case _:
            return "" if value is None else str(value)
