"""How a form of the configuration is drawn and read: each of its fields as what people fill in.

`shapes_of(form)` looks at a pydantic form once; nothing here knows of requests or templates.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from crm_core.model.filters import Filter

_LONG = 1001
_CODE = frozenset({"condition", "expression", "formula", "enter_when", "stop_when"})
_ONE_LINE = frozenset({"url"})


class Kind(StrEnum):
    """What a field is filled in by. `pairs` are keys with values, `rows` parts one below another, `part` one that may
    be there or not; `plain` takes JSON."""

    LINE = "line"
    TEXT = "text"
    CODE = "code"
    DELAY = "delay"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    MANY = "many"
    LINES = "lines"
    PAIRS = "pairs"
    ROWS = "rows"
    PART = "part"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Shape:
    """One field. `options` are the values of a choice (of keys, where it is `pairs`); `form` that of a part or of rows,
    `variants` their forms by what `do` says; `inner` the shape of the values of pairs; `whole`: numbers without a
    fraction; `must`: it can't be left empty."""

    key: str
    kind: Kind
    options: tuple[str, ...] = ()
    form: type[BaseModel] | None = None
    variants: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    inner: Shape | None = None
    whole: bool = False
    must: bool = False
    default: Any = None

    def form_of(self, value: Any) -> type[BaseModel] | None:
        """The form of a row with this value."""
        if not self.variants:
            return self.form
        do = value.get("do") if isinstance(value, Mapping) else None
        return self.variants.get(str(do)) or next(iter(self.variants.values()))


@cache
def shapes_of(form: type[BaseModel]) -> tuple[Shape, ...]:
    """The fields of a form in their order; what tells variants apart is left out."""
    found = [_shape(name, info) for name, info in form.model_fields.items() if name != "do"]
    # What a form adds to the settings that it is made of is what people look for first.
    first = ("name", "kind") if found and found[-1].key in {"name", "kind"} else ()
    return tuple(sorted(found, key=lambda each: each.key not in first))


def _shape(name: str, info: FieldInfo) -> Shape:
    found = _of(name, info.annotation, tuple(info.metadata))
    default = info.get_default(call_default_factory=True) if not info.is_required() else None
    return Shape(
        name,
        found.kind,
        found.options,
        found.form,
        found.variants,
        found.inner,
        found.whole,
        info.is_required(),
        default.value if isinstance(default, Enum) else default,
    )


def _of(name: str, annotation: Any, metadata: tuple[Any, ...] = ()) -> Shape:
    annotation, metadata = _bare(annotation, metadata)
    origin = get_origin(annotation)
    if origin in {Union, types.UnionType}:
        return _of_union(name, annotation)
    if origin is list:
        return _of_list(name, get_args(annotation)[0])
    if origin is dict:
        return _of_pairs(name, *get_args(annotation))
    if origin is Literal:
        return Shape(name, Kind.CHOICE, tuple(str(getattr(each, "value", each)) for each in get_args(annotation)))
    if isinstance(annotation, type):
        if issubclass(annotation, Enum):
            return Shape(name, Kind.CHOICE, tuple(str(each.value) for each in annotation))
        if issubclass(annotation, BaseModel) and annotation is not Filter:
            return Shape(name, Kind.PART, form=annotation)
        if annotation is bool:
            return Shape(name, Kind.FLAG)
        if annotation in {int, float}:
            return Shape(name, Kind.NUMBER, whole=annotation is int)
        if annotation is timedelta:
            return Shape(name, Kind.DELAY)
        if annotation is str:
            long = max((each for each in _lengths(metadata)), default=0) >= _LONG
            return Shape(
                name, Kind.CODE if name in _CODE else Kind.TEXT if long and name not in _ONE_LINE else Kind.LINE
            )
    return Shape(name, Kind.PLAIN)


def _of_union(name: str, annotation: Any) -> Shape:
    options = [each for each in get_args(annotation) if each is not type(None)]
    if len(options) == 1:
        return _of(name, options[0])
    bare = [_bare(each)[0] for each in options]
    variants = _variants(bare)
    if variants:
        return Shape(name, Kind.PART, variants=variants)
    listed = next((each for each in bare if get_origin(each) is list), None)
    return _of(name, listed) if listed is not None else Shape(name, Kind.PLAIN)


def _of_list(name: str, element: Any) -> Shape:
    bare = _bare(element)[0]
    if get_origin(bare) in {Union, types.UnionType} and (variants := _variants(get_args(bare))):
        return Shape(name, Kind.ROWS, variants=variants)
    inner = _of(name, element)
    match inner.kind:
        case Kind.PART:
            return Shape(name, Kind.ROWS, form=inner.form, variants=inner.variants)
        case Kind.CHOICE:
            return Shape(name, Kind.MANY, inner.options)
        case Kind.PLAIN:
            return inner
        case _:
            return Shape(name, Kind.LINES, whole=inner.whole)


def _of_pairs(name: str, key: Any, value: Any) -> Shape:
    inner = _of("value", value)
    if inner.kind in {Kind.PLAIN, Kind.PAIRS, Kind.PART, Kind.ROWS}:
        return Shape(name, Kind.PLAIN)
    return Shape(name, Kind.PAIRS, _of("key", key).options, inner=inner)


def _variants(options: Any) -> dict[str, type[BaseModel]]:
    """Forms by what their `do` may be; none where they are told apart in another way."""
    found: dict[str, type[BaseModel]] = {}
    for each in options:
        if not (isinstance(each, type) and issubclass(each, BaseModel) and "do" in each.model_fields):
            return {}
        found.update(dict.fromkeys(get_args(each.model_fields["do"].annotation), each))
    return found


def _bare(annotation: Any, metadata: tuple[Any, ...] = ()) -> tuple[Any, tuple[Any, ...]]:
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        metadata = (*metadata, *more)
    return annotation, metadata


def _lengths(metadata: tuple[Any, ...]) -> Iterator[int]:
    for each in metadata:
        length = getattr(each, "max_length", None)
        if isinstance(length, int):
            yield length
