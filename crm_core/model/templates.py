"""Templates of texts: Liquid, of which nothing can run, read or grow without bounds. Unknown names are empty.

A template sees plain values only (texts, numbers, moments, lists, mappings), so that no code hangs on anything it can
reach. Tags that would read other templates are not there, and whatever could grow is counted while it renders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import takewhile
from typing import Any, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from liquid import BoundTemplate, Environment, Node, RenderContext
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.exceptions import LiquidError, ResourceLimitError

from crm_core.errors import InvalidInput
from crm_core.model.template_filters import FILTERS, LOCALE, OWN, Locale, Moment, bounded, spend
from crm_core.wording import Sentence

LONGEST = 50_000  # characters of a template
_MOST_TAGS = 2000
_LONGEST_TAG = 2000
_LONGEST_OUTPUT = 500_000  # bytes
_MOST_ROUNDS = 10_000  # of all loops of one rendering together
_ROUND = 20  # what a node of a loop's round counts for
_MOST_QUOTED = 50
_DEEPEST = 20
_ITS_OWN = frozenset({"size", "first", "last"})  # what every text and list has in Liquid
_GONE = ("include", "render", "tablerow")
_OPENS = re.compile(r"\{\{|\{%")
_QUOTED = re.compile(r"\{%-?\s{0,200}(?:raw|doc)\b")
_GAP = re.compile(r"\s{200}")
# What may go wrong inside a filter of the library beside its own errors.
_INNER = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)


class TemplateError(InvalidInput):
    """The template can't be used."""


def _size(node: Node) -> int:
    """How many nodes stand in a block; of loops within, whose own rounds are counted, only themselves."""
    found = 0
    waiting = [node]
    while waiting:
        each = waiting.pop()
        found += 1
        if not isinstance(each, ForNode):
            waiting.extend(each.children(_NOWHERE, include_partials=False))
    return found


class _Loop(ForNode):
    """A loop that is counted before its list is made."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Render the loop."""
        each = self.expression.iterable.evaluate(context)
        if isinstance(each, range) and int(each.stop) - int(each.start) > _MOST_ROUNDS:
            raise ResourceLimitError(f"a loop of more than {_MOST_ROUNDS} rounds", token=self.token)
        if isinstance(each, Sequence | Mapping) and not isinstance(each, str):
            spend(len(each) * _ROUND * (1 + _size(self.block)))
        return super().render_to_output(context, buffer)


class _LoopTag(ForTag):
    node_class = _Loop


class _Bounded(Environment):
    block_nesting_limit = 20
    context_depth_limit = 10
    loop_iteration_limit = _MOST_ROUNDS
    local_namespace_limit = 1_000_000
    output_stream_limit = _LONGEST_OUTPUT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Only what is harmless."""
        super().setup_tags_and_filters(extra=extra)
        for name in _GONE:
            del self.tags[name]
        self.add_tag(_LoopTag)
        self.filters = {name: bounded(name, self.filters[name]) for name in FILTERS}
        for name, function in OWN.items():
            self.add_filter(name, bounded(name, function))


_TEXT = _Bounded()
_HTML = _Bounded(autoescape=True)
# Where the parts of a node are asked for without rendering it.
_NOWHERE = RenderContext(_TEXT.from_string(""))


def rendered(
    text: str, scope: Mapping[str, Any], *, zone: str = "Europe/Moscow", language: str = "ru", html: bool = False
) -> str:
    """The text with what the scope holds put in; `zone` is that of moments, `html` escapes every value.

    Of the scope only what the template names is asked for. Raises TemplateError in words.
    """
    if "{" not in text and len(text) <= LONGEST:
        return text
    template, wanted = _compiled(text, html)
    locale = LOCALE.set(Locale(_zone(zone), language))
    try:
        return template.render(**{name: _plain(scope[name]) for name in wanted if name in scope})
    except LiquidError as err:
        raise TemplateError(_said(err)) from err
    except _INNER as err:
        raise TemplateError(
            "the template can't be filled in: {kind}: {why}", kind=type(err).__name__, why=str(err)[:200]
        ) from err
    finally:
        LOCALE.reset(locale)


def checked(text: str, *, html: bool = False) -> None:
    """Raise TemplateError where the template can't be read, or names a filter that is not there."""
    used = _compiled(text, html)[0].analyze().filters
    known = (_HTML if html else _TEXT).filters
    for name, places in used.items():
        if name not in known:
            line = text.count("\n", 0, places[0].index) + 1 if places else 1
            raise TemplateError(
                "line {line}: there is no filter «{filter}»; there are: {known}",
                line=line,
                filter=name,
                known=", ".join(sorted(known)),
            )


def names(text: str) -> frozenset[str]:
    """The variables that a template asks for, by their first name; raises TemplateError."""
    return frozenset(_compiled(text, html=False)[1])


def paths(text: str, *, html: bool = False) -> frozenset[tuple[str, ...]]:
    """What a template asks for, step by step, `("contact", "name")`, as far as the steps are names; raises
    TemplateError."""
    found = _compiled(text, html)[0].analyze().globals
    return frozenset(_named(each.segments) for places in found.values() for each in places)


def _named(segments: Sequence[object]) -> tuple[str, ...]:
    names = tuple(takewhile(lambda each: isinstance(each, str), segments))
    return tuple(str(each) for each in names[: -1 if names and names[-1] in _ITS_OWN else None])


@lru_cache(maxsize=512)
def _compiled(text: str, html: bool) -> tuple[BoundTemplate, tuple[str, ...]]:
    """The template read, and the variables that it asks for."""
    _within_bounds(text)
    try:
        template = (_HTML if html else _TEXT).from_string(text)
        return template, tuple(sorted(set(template.global_variables())))
    except LiquidError as err:
        raise TemplateError(_said(err)) from err
    except _INNER as err:
        raise TemplateError("the template can't be read: {why}", why=str(err)[:200]) from err


def _within_bounds(text: str) -> None:
    """What the library's reader would take long over is refused before it reads."""
    if len(text) > LONGEST:
        raise TemplateError("the template is longer than {most} characters", most=LONGEST)
    if sum(1 for _ in _QUOTED.finditer(text)) > _MOST_QUOTED:
        raise TemplateError("the template has more than {most} tags «raw»", most=_MOST_QUOTED)
    for count, found in enumerate(_OPENS.finditer(text)):
        if count >= _MOST_TAGS:
            raise TemplateError("the template has more than {most} tags", most=_MOST_TAGS)
        end = text.find("}}" if found[0] == "{{" else "%}", found.end(), found.end() + _LONGEST_TAG)
        if end < 0:
            line = text.count("\n", 0, found.start()) + 1
            raise TemplateError(
                "line {line}: «{found}» is not closed within {most} characters",
                line=line,
                found=found[0],
                most=_LONGEST_TAG,
            )
        if text.count("[", found.end(), end) > _DEEPEST:
            line = text.count("\n", 0, found.start()) + 1
            raise TemplateError("line {line}: more than {most} brackets within a tag", line=line, most=_DEEPEST)
        if _GAP.search(text, found.end(), end):
            line = text.count("\n", 0, found.start()) + 1
            raise TemplateError("line {line}: there is a gap of 200 spaces within a tag", line=line)


def _said(err: LiquidError) -> Sentence:
    """What the library says, in its own words: there are many of them."""
    words = str(err.message or type(err).__name__)
    place = err.context()
    if place is None:
        return Sentence("the template makes no sense ({words})", words=words)
    return Sentence(
        "line {line}, column {column}: the template makes no sense ({words})",
        line=place[0],
        column=place[1] + 1,
        words=words,
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


class _View(Mapping[str, Any]):
    """A mapping as templates see it: its values plain, each asked for when it is named."""

    def __init__(self, values: Mapping[Any, Any]) -> None:
        self._values = values

    def __getitem__(self, key: str) -> Any:
        return _plain(self._values[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __str__(self) -> str:
        """Nothing for people."""
        return ""


def _plain(value: Any) -> Any:
    """A value as templates see it: nothing that has methods of ours."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float | Decimal):
        number = float(value)
        return int(number) if abs(number) < 10**15 and number.is_integer() else number
    if isinstance(value, datetime):
        return Moment.of(value if value.tzinfo is not None else value.replace(tzinfo=UTC), LOCALE.get().zone)
    if isinstance(value, date):
        return Moment.of_day(value)
    if isinstance(value, Mapping):
        return _View(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        if len(value) > _MOST_ROUNDS:
            raise ResourceLimitError(f"a list of more than {_MOST_ROUNDS}", token=None)
        return [_plain(each) for each in value]
    return None
