"""Conditions and formulas in CEL (https://cel.dev), as people expect them: compiled once, bounded in work, with words
for what is wrong.

Beside the language's own: numbers meet whatever their kind (`amount * 2`), what is not set is null, `text.matches("…")`
is RE2 whatever the letters' case, `duration("7d")`, `date("2026-01-31")`, and the functions of `FUNCTIONS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import Enum
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from crm_core.model.durations import duration
from crm_core.model.expression_functions import FUNCTIONS
from crm_core.model.expression_text import rewritten, shape_of, words_of
from crm_core.model.patterns import pattern
from crm_core.wording import Sentence, Worded

if TYPE_CHECKING:
    import cel

_LONGEST = 4000  # characters of an expression
_DEEPEST = 3  # macros within each other
_MOST_MACROS = 20
_MOST_BRACKETS = 50
_MOST_WORK = 1_000_000  # words evaluated, roughly
_BUILT_IN = frozenset(
    {
        *("size", "contains", "startsWith", "endsWith", "matches", "string", "int", "uint", "double", "bytes", "type"),
        *("timestamp", "duration", "has", "dyn", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
        *("getFullYear", "getMonth", "getHours", "getMinutes", "getSeconds", "getMilliseconds"),
        *("all", "exists", "exists_one", "map", "filter"),
    }
)
# Run by us in place of the language's own.
_OURS = {"matches": "matches_", "duration": "duration_"}
_WHERE = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")


class ExpressionError(Worded):
    """An expression could not be worked out, and why, in words."""


class ValueMissing(ExpressionError):
    """Something that the expression needs is not set."""


class Program:
    """A compiled expression. `names` are the variables that it reads, `paths` what it reads of them."""

    def __init__(self, text: str) -> None:
        words = words_of(text)
        shape = shape_of(words)
        _check(text, shape.nested, shape.macros, shape.brackets)
        self.text = text
        self._exact = _compiled(text)
        unknown = sorted(shape.functions - _BUILT_IN - FUNCTIONS.keys())
        if unknown:
            raise ValueError(
                Sentence(
                    "there is no function «{function}»; there are {functions}, …",
                    function=unknown[0],
                    functions=", ".join(sorted(FUNCTIONS)),
                )
            )
        for each in shape.patterns:
            pattern(each)
        running = rewritten(words, _OURS)
        self._program = _compiled(running)
        # Where all numbers are whole ones (`size(x) + 1`), they are to stay whole.
        whole = rewritten(words, _OURS, whole=True)
        self._whole = _compiled(whole) if whole != running else None
        self.paths: frozenset[tuple[str, ...]] = shape.paths
        self.names: frozenset[str] = frozenset(path[0] for path in shape.paths)
        self._functions = [(_OURS.get(name, name), call) for name, call in _RUN.items() if name in shape.functions]
        self._tree = _tree(shape.paths)
        self._nested, self._joins, self._maps = shape.nested, shape.joins, shape.maps
        self._spelled, self._words = shape.commas + 1, shape.words
        if self._nested:
            self._bound(self._spelled, ValueError)

    def __repr__(self) -> str:
        return f"Program({self.text!r})"

    def value(self, scope: Mapping[str, Any]) -> Any:
        """What the expression gives; raises ExpressionError, ValueMissing where something it needs is not set."""
        import cel  # here, for it brings a command line with it, which is heavy

        given = _pruned(scope, self._tree)
        if self._nested:
            self._bound(self._spelled + _listed(given), ExpressionError)
        errors: list[str] = []
        zone = _zone(scope) if self._functions else None
        functions = {name: _guarded(call, errors, zone) for name, call in self._functions}
        try:
            context = cel.Context(given, functions)
            try:
                found = self._program.execute(context)
            except TypeError:
                if self._whole is None:
                    raise
                found = self._whole.execute(context)
        except BaseException as err:  # a panic of the library is none of Exception
            if isinstance(err, (KeyboardInterrupt, SystemExit)):
                raise
            raise self._error(err, errors, given) from err
        if errors:
            raise self._error(TypeError(), errors, given)
        if isinstance(found, float) and not isfinite(found):
            raise ExpressionError("division by zero, or a number too large, in «{text}»", text=_short(self.text))
        return found

    def holds(self, scope: Mapping[str, Any]) -> bool:
        """Whether the condition holds; where something that it needs is not set, it does not. Raises ExpressionError
        where it makes no sense (a text compared with a number) or is no condition."""
        try:
            found = self.value(scope)
        except ValueMissing:
            return False
        if found is None:
            return False
        if not isinstance(found, bool):
            raise ExpressionError(
                "«{text}» is no condition: it gives {kind}", text=_short(self.text), kind=_kind(found)
            )
        return found

    def _error(self, err: BaseException, errors: Sequence[str], given: Mapping[str, Any]) -> ExpressionError:
        missing = sorted(".".join(path) for path in self.paths if _at(given, path) is None)
        if missing and isinstance(err, (TypeError, KeyError, RuntimeError)):
            return ValueMissing("not set: {missing}", missing=", ".join(missing))
        if errors:
            return ExpressionError("{why} in «{text}»", why=errors[0], text=_short(self.text))
        return ExpressionError("{why} in «{text}»", why=_said(err), text=_short(self.text))

    def _bound(self, elements: int, error: type[Exception]) -> None:
        """Refuse what could run for seconds: lists gone through within lists."""
        longest = elements * (self._joins + 1) ** self._maps  # `map` alone makes new lists, maybe longer ones
        if longest**self._nested * self._words > _MOST_WORK * (1 if self._nested > 1 else 10):
            raise error(
                Sentence(
                    "«{text}» would go through too many elements ({count}, {deep} deep)",
                    text=_short(self.text),
                    count=longest,
                    deep=self._nested,
                )
            )


@lru_cache(maxsize=8192)
def compiled(text: str) -> Program:
    """The program of an expression; raises ValueError that says what is wrong, and where."""
    return Program(text)


def _check(text: str, nested: int, macros: int, brackets: int) -> None:
    if not text.strip():
        raise ValueError(Sentence("the expression is empty"))
    if len(text) > _LONGEST:
        raise ValueError(
            Sentence("an expression has at most {most} characters, this one {count}", most=_LONGEST, count=len(text))
        )
    if nested > _DEEPEST:
        raise ValueError(
            Sentence(
                "at most {most} of all, exists, exists_one, map, filter within each other, not {nested}",
                most=_DEEPEST,
                nested=nested,
            )
        )
    if macros > _MOST_MACROS:
        raise ValueError(
            Sentence(
                "at most {most} of all, exists, exists_one, map, filter, not {macros}", most=_MOST_MACROS, macros=macros
            )
        )
    if brackets > _MOST_BRACKETS:
        raise ValueError(
            Sentence(
                "at most {most} brackets within each other, not {brackets}", most=_MOST_BRACKETS, brackets=brackets
            )
        )


def _compiled(text: str) -> cel.Program:
    import cel  # as above

    try:
        return cel.compile(text)
    except BaseException as err:  # a panic of the library is none of Exception
        if isinstance(err, (KeyboardInterrupt, SystemExit)):
            raise
        found = _WHERE.search(str(err))
        if found is None:
            raise ValueError(Sentence("the expression can't be read: {why}", why=_short(str(err)))) from err
        line, column, why = int(found[1]), int(found[2]), found[3]
        at = Sentence("character {column}", column=column)
        if "\n" in text:
            at = Sentence("line {line}, character {column}", line=line, column=column)
        raise ValueError(Sentence("the expression can't be read at {at}: {why}", at=at, why=_explained(why))) from err


def _explained(why: str) -> str:
    found = re.search(r"token recognition error at: '(.)", why)
    if found and found[1].isalpha():
        return Sentence('names are written in Latin letters; what is called otherwise is in quotes: fields["…"]')
    return _short(why.split(" expecting ", maxsplit=1)[0])


def _said(err: BaseException) -> str:
    text = str(err)
    if isinstance(err, TypeError):
        return (
            Sentence("values of kinds that don't go together")
            if "overload" in text
            else text.split(". CEL ", maxsplit=1)[0]
        )
    if isinstance(err, KeyError):
        return Sentence("there is no {name}", name=text)
    if isinstance(err, ZeroDivisionError):
        return Sentence("division by zero")
    return _short(text.split(". Check ", maxsplit=1)[0])


def _short(text: str) -> str:
    return text if len(text) <= 150 else text[:149] + "…"


def _kind(value: Any) -> str:
    return {
        str: Sentence("a text"),
        int: Sentence("a number"),
        float: Sentence("a number"),
        list: Sentence("a list"),
        dict: Sentence("a map"),
    }.get(type(value), type(value).__name__)


def _matches(text: Any, wanted: Any) -> bool:
    if not isinstance(text, str) or not isinstance(wanted, str):
        raise TypeError(Sentence("matches: looks into a text for a regular expression"))
    return pattern(wanted).holds(text)


def _duration(text: Any) -> timedelta:
    """`90m`, `24h`, `7d`; and whatever the language knows beside (`1h30m`)."""
    import cel  # as above

    try:
        return duration(text)
    except ValueError:
        if not isinstance(found := cel.evaluate("duration(x)", {"x": text}), timedelta):
            raise
        return found


_RUN: Mapping[str, Callable[..., Any]] = {**FUNCTIONS, "matches": _matches, "duration": _duration}
_ZONED = frozenset({"date"})


def _guarded(call: Callable[..., Any], errors: list[str], zone: Any) -> Callable[..., Any]:
    """The function as the library calls it: an error is kept aside, for the library prints it and loses its words."""
    zoned = call.__name__ in _ZONED

    def run(*given: Any) -> Any:
        try:
            return _plain(call(*given, zone=zone) if zoned else call(*given))
        except Exception as err:  # noqa: BLE001 - told by the program that calls
            name = call.__name__
            errors.append(Sentence("{function}: {why}", function=name.strip("_"), why=err) if str(err) else name)
            return None

    return run


_Tree = Mapping[str, Any]  # what is read of a scope: {name: None where whole, else a tree}


def _tree(paths: Iterable[tuple[str, ...]]) -> _Tree:
    made: dict[str, Any] = {}
    for path in sorted(paths, key=len, reverse=True):
        place = made
        for step in path[:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = None  # read whole: whatever was wanted of it is there as well
    return made


def _pruned(scope: Any, tree: _Tree) -> dict[str, Any]:
    """Of a scope what is read, null where it is not there: building a context costs by the size of what is in it."""
    found: dict[str, Any] = {}
    for name, below in tree.items():
        value = scope.get(name) if isinstance(scope, Mapping) else None
        if below is None:
            found[name] = _plain(value)
        elif value is None or isinstance(value, Mapping):
            found[name] = _pruned(value, below)
        else:
            found[name] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    """A value as the language knows it: whole numbers as they are, days as moments."""
    match value:
        case Enum():
            return value.value
        case datetime():
            # The library knows zones by their distance from UTC alone.
            return value.replace(tzinfo=timezone(value.utcoffset() or timedelta(0)))
        case None | bool() | int() | float() | str() | timedelta():
            return value
        case date():
            return datetime.combine(value, time(), UTC)
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(each) for each in value]
        case _:
            return str(value)


def _listed(value: Any) -> int:
    """How many elements there are in the lists and maps of a value."""
    if isinstance(value, dict):
        return max(len(value), sum(_listed(each) for each in value.values()))
    if isinstance(value, list):
        return len(value) + sum(_listed(each) for each in value)
    return 0


def _at(given: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        given = given.get(step) if isinstance(given, Mapping) else None
    return given


def _zone(scope: Mapping[str, Any]) -> Any:
    now = scope.get("now")
    return now.tzinfo if isinstance(now, datetime) else None
