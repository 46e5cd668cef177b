"""What somebody typed into a form of the configuration: read to plain values, changed by its buttons, checked.

The names of inputs are paths: `steps.0.after`. Values are plain data as the form takes it; what can't be read as a
number stays the text that it is, so that it is shown again beside what is wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from crm_core.model.faults import why_of
from hub.web.office.forms.shapes import Kind, Shape, shapes_of
from hub.web.tongues import _, told, told_at

Given: TypeAlias = Mapping[str, Any]
Values: TypeAlias = dict[str, Any]
Faults: TypeAlias = dict[str, list[str]]
"""What is wrong, by the path of an input; with an empty one what belongs to no input."""

_PLACED = re.compile(r"([a-z_][a-z0-9_.]*?): (.+)", re.DOTALL)
_MOST_ROWS = 500


class Sent:
    """The fields of a form that was sent, by name."""

    def __init__(self, pairs: Iterable[tuple[str, object]]) -> None:
        self._by_name: dict[str, list[str]] = {}
        for name, value in pairs:
            if isinstance(value, str):
                self._by_name.setdefault(name, []).append(value.replace("\r\n", "\n"))

    def one(self, name: str) -> str:
        """The first value of a name, empty where there is none."""
        return self._by_name.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """All values of a name that are not empty."""
        return [each for each in self._by_name.get(name, []) if each.strip()]

    def has(self, name: str) -> bool:
        """Whether a name was sent."""
        return name in self._by_name

    def rows(self, path: str) -> list[int]:
        """The numbers of the rows below a path, in their order."""
        start = f"{path}."
        found = (name[len(start) :].split(".", 1)[0] for name in self._by_name if name.startswith(start))
        return sorted({int(each) for each in found if each.isascii() and each.isdigit() and len(each) < 6})[:_MOST_ROWS]


def values_of(form: type[BaseModel], sent: Sent, prefix: str = "") -> Values:
    """What was typed, as plain values; what was left empty is left out."""
    found: Values = {}
    for shape in shapes_of(form):
        path = f"{prefix}{shape.key}"
        value = _value(shape, sent, path)
        if value is not None:
            found[shape.key] = value
    return found


def _value(shape: Shape, sent: Sent, path: str) -> Any:
    match shape.kind:
        case Kind.FLAG:
            return sent.has(path)
        case Kind.MANY:
            return sent.all(path) or None
        case Kind.LINES:
            return _lines(shape, sent, path)
        case Kind.ROWS:
            return [_row(shape, sent, f"{path}.{number}") for number in sent.rows(path)] or None
        case Kind.PART:
            return _row(shape, sent, path) if sent.has(path) else None
        case Kind.PAIRS:
            return _pairs(shape, sent, path)
        case Kind.PLAIN:
            return _plain(sent.one(path))
        case Kind.NUMBER:
            return _number(sent.one(path), whole=shape.whole)
        case Kind.TEXT:
            return sent.one(path) or None
        case _:
            return sent.one(path).strip() or None


def _row(shape: Shape, sent: Sent, path: str) -> Values:
    do = {"do": sent.one(f"{path}.do") or next(iter(shape.variants))} if shape.variants else {}
    form = shape.form_of(do)
    return {**do, **(values_of(form, sent, f"{path}.") if form is not None else {})}


def _lines(shape: Shape, sent: Sent, path: str) -> Any:
    given = sent.all(path)
    parts = [part.strip() for text in given for part in re.split(r"[\n,]" if shape.whole else r"\n", text)]
    found = [_number(part, whole=True) if shape.whole else part for part in parts if part]
    return found or None


def _pairs(shape: Shape, sent: Sent, path: str) -> Values | None:
    found: Values = {}
    for number in sent.rows(path):
        key = sent.one(f"{path}.{number}.key").strip()
        value = _value(shape.inner, sent, f"{path}.{number}.value") if shape.inner is not None else None
        if key and (value is not None or (shape.inner is not None and shape.inner.kind is Kind.LINE)):
            found[key] = value if value is not None else ""
    return found or None


def _plain(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _number(text: str, *, whole: bool) -> Any:
    cleaned = text.strip().replace(",", ".").replace("\xa0", "")
    if not cleaned:
        return None
    try:
        return int(cleaned) if whole else float(cleaned)
    except ValueError:
        return text


# ---------------------------------------------------------------- buttons


def pressed(form: type[BaseModel], values: Values, button: str) -> Values:
    """The values after a button within the form: `add:path`, `drop:path.2`, `up:path.2`; others change nothing."""
    act, _colon, path = button.partition(":")
    *way, last = path.split(".")
    holder: Any = values
    if act == "add":
        holder = _at(values, way)
        if isinstance(holder, dict):
            shape = _shape_at(form, values, path)
            _added(holder, last, shape)
        return values
    holder = _at(values, way)
    if act == "drop" and isinstance(holder, dict):
        keys = list(holder)
        holder.pop(keys[int(last)] if last.isdigit() and int(last) < len(keys) else last, None)
    if isinstance(holder, list) and last.isdigit() and int(last) < len(holder):
        place = int(last)
        if act == "drop":
            holder.pop(place)
        elif act == "up" and place:
            holder[place - 1], holder[place] = holder[place], holder[place - 1]
    return values


def _added(holder: Values, key: str, shape: Shape | None) -> None:
    if shape is None:
        return
    first = {"do": next(iter(shape.variants))} if shape.variants else {}
    match shape.kind:
        case Kind.ROWS:
            holder.setdefault(key, []).append(first)
        case Kind.PART:
            holder[key] = first
        case Kind.PAIRS:
            pairs = holder.setdefault(key, {})
            pairs.setdefault(next((each for each in shape.options if each not in pairs), ""), "")
        case _:
            return


def _at(values: Any, way: list[str]) -> Any:
    for step in way:
        if isinstance(values, list) and step.isdigit() and int(step) < len(values):
            values = values[int(step)]
        elif isinstance(values, dict):
            values = values.get(step)
        else:
            return None
    return values


def _shape_at(form: type[BaseModel], values: Any, path: str) -> Shape | None:
    current: type[BaseModel] | None = form
    shape: Shape | None = None
    for step in path.split("."):
        if isinstance(values, list):
            values = values[int(step)] if step.isdigit() and int(step) < len(values) else None
            current = shape.form_of(values) if shape is not None else None
            continue
        if current is None:
            return None
        shape = next((each for each in shapes_of(current) if each.key == step), None)
        values = values.get(step) if isinstance(values, dict) else None
        current = shape.form_of(values) if shape is not None and shape.kind is Kind.PART else None
    return shape


# ---------------------------------------------------------------- faults


def faults_of(form: type[BaseModel], err: ValidationError) -> Faults:
    """What is wrong, beside the inputs that it belongs to."""
    found: Faults = {}
    for each in err.errors(include_url=False):
        path = _path(form, each["loc"])
        text = _said(each)
        placed = _PLACED.fullmatch(text)
        inner = f"{path}.{placed[1]}".lstrip(".") if placed is not None else ""
        if placed is not None and _known(form, inner):
            found.setdefault(inner, []).append(told_at(text, placed[1]))
        else:
            found.setdefault(path, []).append(told(text))
    return found


def fault_in(form: type[BaseModel], text: str) -> Faults:
    """What a service refused, beside the input whose path it begins with."""
    placed = _PLACED.fullmatch(text)
    if placed is not None and _known(form, placed[1]):
        return {placed[1]: [told_at(text, placed[1])]}
    return {"": [told(text)]}


def _known(form: type[BaseModel], path: str) -> bool:
    head = path.split(".", 1)[0]
    return any(each.key == head for each in shapes_of(form)) or head in form.model_fields


def _path(form: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """The path of an input: what of a place only tells variants apart is left out."""
    parts: list[str] = []
    current: type[BaseModel] | None = form
    shape: Shape | None = None
    for step in loc:
        if current is not None:
            shape = next((each for each in shapes_of(current) if each.key == step), None)
            parts.append(str(step))
            current = shape.form if shape is not None and shape.kind is Kind.PART else None
        elif shape is not None and shape.kind is Kind.ROWS and isinstance(step, int):
            parts.append(str(step))
            current = shape.form
        elif shape is not None and step in shape.variants:
            current = shape.variants[str(step)]
        elif shape is not None and shape.kind in {Kind.PAIRS, Kind.LINES, Kind.MANY, Kind.PLAIN}:
            break
    return ".".join(parts)


def _said(each: ErrorDetails) -> str:
    match each["type"]:
        case "missing" | "string_too_short" | "too_short" | "union_tag_not_found":
            return _("Fill this in.")
        case "int_parsing" | "float_parsing" | "int_type" | "float_type" | "int_from_float":
            return _("This is to be a number.")
        case "string_pattern_mismatch":
            return _("This is written differently: small Latin letters, digits and «_», or as the hint says.")
        case "string_too_long" | "too_long":
            return _("This is too long.")
        case "extra_forbidden":
            return _("Nothing of this name is known here.")
        case "enum" | "literal_error":
            return _("This is none of the values to choose from.")
        case _:
            return why_of(each)
