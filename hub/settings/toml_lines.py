"""On which line of a TOML text each key stands, which the standard library's parser does not tell.

The text has passed `tomllib` before, so that this scanner only finds its way and judges nothing.
"""

from __future__ import annotations

import re
import tomllib

KeyPath = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_FILLER = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}#\n]*")
# Quotation marks are tried longest first; three quotes may be preceded by one or two that belong to the text.
_TEXT = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every table, key and list element of a valid TOML text; list positions count from 0."""
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._lines: dict[KeyPath, int] = {}
        self._tables: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        prefix: KeyPath = ()
        while self._skip(_FILLER):
            if self._peek("["):
                prefix = self._header()
            else:
                self._pair(prefix)
        return self._lines

    def _header(self) -> KeyPath:
        """`[a.b]` or `[[a.b]]`: the path that the pairs below it start with."""
        line = self._line_here()
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        path: KeyPath = ()
        for name in self._key():
            # a name on the way that is a list of tables means its newest table
            path = (*self._current(path), name)
            self._lines.setdefault(path, line)
        self._at += 2 if many else 1
        if many:
            self._tables[path] = self._tables.get(path, -1) + 1
        current = self._current(path)
        self._lines[current] = line
        return current

    def _current(self, path: KeyPath) -> KeyPath:
        return (*path, self._tables[path]) if path in self._tables else path

    def _pair(self, prefix: KeyPath) -> None:
        line = self._line_here()
        path = prefix
        for name in self._key():
            path = (*path, name)
            self._lines.setdefault(path, line)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _key(self) -> list[str]:
        names: list[str] = []
        while True:
            self._skip(_BLANK)
            if bare := _BARE.match(self._text, self._at):
                self._at = bare.end()
                names.append(bare[0])
            else:
                names.append(self._quoted_name())
            self._skip(_BLANK)
            if not self._peek("."):
                return names
            self._at += 1

    def _quoted_name(self) -> str:
        quoted = self._take(_TEXT)
        (name,) = tomllib.loads(f"{quoted} = 0")
        return name

    def _value(self, path: KeyPath) -> None:
        if self._peek("["):
            self._list(path)
        elif self._peek("{"):
            self._inline_table(path)
        elif self._peek('"') or self._peek("'"):
            self._take(_TEXT)
        else:
            self._take(_SCALAR)

    def _list(self, path: KeyPath) -> None:
        self._at += 1
        position = 0
        while self._skip(_FILLER) and not self._peek("]"):
            if self._peek(","):
                self._at += 1
                continue
            element = (*path, position)
            self._lines[element] = self._line_here()
            self._value(element)
            position += 1
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._skip(_FILLER) and not self._peek("}"):
            if self._peek(","):
                self._at += 1
            else:
                self._pair(path)
        self._at += 1

    def _peek(self, mark: str) -> bool:
        return self._text.startswith(mark, self._at)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Pass over filler; whether anything is left."""
        self._take(pattern)
        return self._at < len(self._text)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(f"lost at line {self._line_here()}")
        self._at = found.end()
        return found[0]

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line
