"""Reading one table, key by key, typed; what is wrong becomes a problem with its place, and reading goes on.

A value that can't be used is replaced by a stand-in, which never leaves the loader: it raises when there are problems.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from crm_core.wording import Sentence
from hub.settings.errors import BadValueError, Problem
from hub.settings.nearest import nearest
from hub.settings.toml_lines import KeyPath
from hub.settings.values import Filled, Parser, kind, shown

T = TypeVar("T")
U = TypeVar("U")

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_FILL = re.compile(r"\$\$|\$\{([^}]*)\}?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(slots=True)
class Source:
    """Where values come from, and the problems found so far.

    `variables` fill in `${NAME}`; None where texts are taken as they are.
    """

    name: str
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    variables: Mapping[str, str] | None = None
    problems: list[Problem] = field(default_factory=list)

    def report(self, path: KeyPath, what: str, mend: str = "") -> None:
        """Note a problem at a key; where the key is missing, its table's line is named."""
        line = next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), None)
        self.problems.append(Problem(self.name, line, written(path), what, mend))

    def fill(self, value: object) -> object:
        """The value with `${NAME}` replaced in its texts, however deep; `$$` is a dollar. Raises BadValueError."""
        variables = self.variables
        if variables is None:
            return value
        match value:
            case str():
                text = _FILL.sub(lambda found: _variable(found, variables), value)
                return value if text == value else Filled(text, value)
            case list():
                return [self.fill(element) for element in value]
            case dict():
                return {key: self.fill(element) for key, element in value.items()}
            case _:
                return value


class Section:
    """A table being read."""

    def __init__(self, table: Mapping[str, object], path: KeyPath, source: Source) -> None:
        self._table = table
        self._path = path
        self._source = source
        self._known: list[str] = []

    def need(self, key: str, parse: Parser[T], stand_in: T) -> T:
        """The value of a key that has to be there."""
        if key not in self._table:
            self._known.append(key)
            self.wrong(key, Sentence("the key is missing"), Sentence("Add it"))
            return stand_in
        return self.take(key, parse, stand_in)

    def take(self, key: str, parse: Parser[T], default: U) -> T | U:
        """The value of a key, or the default where it is missing or wrong."""
        self._known.append(key)
        if key not in self._table:
            return default
        try:
            return parse(self._source.fill(self._table[key]))
        except BadValueError as err:
            for fault in err.faults:
                self._source.report((*self._path, key, *fault.at), fault.what, fault.mend)
            return default

    def table(self, key: str, read: Callable[[Section], T]) -> T:
        """A table of its own; an empty one where it is missing."""
        self._known.append(key)
        return self._read(self._table.get(key, {}), (*self._path, key), f"[{key}]", read)

    def optional_table(self, key: str, read: Callable[[Section], T]) -> T | None:
        """A table of its own; None where it is missing."""
        self._known.append(key)
        return self.table(key, read) if key in self._table else None

    def tables(self, key: str, read: Callable[[Section], T]) -> tuple[T, ...]:
        """A list of tables."""
        self._known.append(key)
        found = self._table.get(key, [])
        if not isinstance(found, list):
            self.wrong(
                key,
                Sentence("expected a list of tables, got {got}", got=kind(found)),
                Sentence("Head each with [[{key}]]", key=key),
            )
            return ()
        return tuple(
            self._read(each, (*self._path, key, position), f"[[{key}]]", read) for position, each in enumerate(found)
        )

    def skip(self, key: str) -> None:
        """Know a key without reading it."""
        self._known.append(key)

    def has(self, key: str) -> bool:
        """Whether the key stands there, right or wrong."""
        return key in self._table

    def wrong(self, key: str, what: str, mend: str = "") -> None:
        """Note a problem at a key of this table."""
        self._source.report((*self._path, key), what, mend)

    def finish(self, ignore: frozenset[str] = frozenset()) -> None:
        """Report every key nobody asked for."""
        for key in self._table:
            if key not in self._known and key not in ignore:
                close = nearest(key, self._known)
                guess = (
                    Sentence('Did you mean "{close}"?', close=close)
                    if close
                    else Sentence("Known are {known}", known=", ".join(sorted(self._known)))
                )
                self.wrong(key, Sentence("unknown key"), guess)

    def _read(self, table: object, path: KeyPath, heading: str, read: Callable[[Section], T]) -> T:
        if isinstance(table, dict):
            section = Section(table, path, self._source)
            found = read(section)
            section.finish()
            return found
        self._source.report(
            path,
            Sentence("expected a table, got {got}", got=kind(table)),
            Sentence("Head it with {heading}", heading=heading),
        )
        # the stand-in of an empty table; its missing keys are not worth telling
        return read(Section({}, path, Source(self._source.name)))


def written(path: KeyPath) -> str:
    """A key path as people write it; list positions count from 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
            continue
        key = part if _BARE.match(part) else shown(part)
        text += f".{key}" if text else key
    return text


def _variable(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found[0] == "$$":
        return "$"
    name = found[1]
    if not found[0].endswith("}") or not _VARIABLE.match(name):
        raise BadValueError(
            Sentence("{found} is no variable", found=shown(found[0])), "Write ${NAME}, or $$ for a dollar sign"
        )
    if name not in variables:
        close = nearest(name, variables)
        guess = Sentence(' (there is "{close}")', close=close) if close else ""
        raise BadValueError(
            Sentence("the environment has no variable {name}{guess}", name=name, guess=guess),
            Sentence("Set it before the start"),
        )
    return variables[name]
