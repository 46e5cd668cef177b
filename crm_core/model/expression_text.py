"""The text of an expression taken apart: its words, the names it reads, how much work it can make."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

# (macro, written as `list.macro(name, …)`): the name stands for each element.
MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_RESERVED = frozenset({"true", "false", "null", "in"})
_TOKEN = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*)
    | (?P<text>[rR]?(?:"{3}(?:[^\\]|\\.)*?"{3}|'{3}(?:[^\\]|\\.)*?'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    | (?P<number>0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<mark>&&|\|\||[<>=!]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Sort(Enum):
    """What a word of an expression is."""

    SPACE = auto()
    TEXT = auto()
    NUMBER = auto()
    NAME = auto()
    MARK = auto()


@dataclass(frozen=True, slots=True)
class Word:
    """A word, as it is written."""

    sort: Sort
    text: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What an expression looks like.

    `paths` are what it reads of its scope: `("deal", "fields", "sum")`; `patterns` the regular expressions that stand
    in it; `macros` how many there are, `maps` how many of them are `map`, `nested` how deep; `joins` how many `+` stand
    within macros; `commas` bound what lists it spells out.
    """

    paths: frozenset[tuple[str, ...]]
    functions: frozenset[str]
    patterns: tuple[str, ...]
    macros: int
    maps: int
    nested: int
    joins: int
    commas: int
    brackets: int
    words: int


def words_of(text: str) -> list[Word]:
    """The words of an expression, spaces and all; joined they give the text again."""
    return [Word(Sort[(found.lastgroup or "mark").upper()], found[0]) for found in _TOKEN.finditer(text)]


def meaning(word: Word) -> str | None:
    """What a text in quotes says; None where it can't be told without evaluating it."""
    try:
        value = ast.literal_eval(word.text.replace("\n", "\\n") if "\n" in word.text else word.text)
    except (SyntaxError, ValueError):
        return None
    return value if isinstance(value, str) else None


def shape_of(words: list[Word]) -> Shape:
    """Look at an expression without evaluating it."""
    solid = [word for word in words if word.sort is not Sort.SPACE]
    bound = {solid[at + 2].text for at in range(len(solid) - 2) if _is_macro(solid, at)}
    paths: set[tuple[str, ...]] = set()
    functions: set[str] = set()
    patterns: list[str] = []
    stack: list[bool] = []  # the open brackets; whether it is a macro's
    macros = maps = nested = joins = commas = brackets = 0
    for at, word in enumerate(solid):
        if word.sort is Sort.MARK:
            if word.text in "([{":
                stack.append(word.text == "(" and at > 0 and _is_macro(solid, at - 1))
                macros += stack[-1]
                maps += stack[-1] and solid[at - 1].text == "map"
                nested, brackets = max(nested, sum(stack)), max(brackets, len(stack))
            elif word.text in ")]}" and stack:
                stack.pop()
            joins += word.text == "+" and any(stack)
            commas += word.text == ","
        elif word.sort is Sort.NAME:
            called = _text(solid, at + 1) == "("
            if called:
                functions.add(word.text)
                if word.text == "matches" and (pattern := _pattern(solid, at)) is not None:
                    patterns.append(pattern)
            elif _text(solid, at - 1) != "." and word.text not in _RESERVED and word.text not in bound:
                paths.add(_path(solid, at))
    return Shape(
        frozenset(paths),
        frozenset(functions),
        tuple(patterns),
        macros,
        maps,
        nested,
        joins,
        commas,
        brackets,
        len(solid),
    )


def rewritten(words: list[Word], renamed: Mapping[str, str], *, whole: bool = False) -> str:
    """The expression as it is run: whole numbers are written as numbers with a point (but not in `list[0]`, and not
    where they are to stay `whole`), `has(x)` as `(x != null)`, and functions by the names in `renamed`."""
    made: list[str] = []
    closing: list[str] = []  # what the closing bracket of each open one is written as
    asked = indexing = False
    before = ""
    for at, word in enumerate(words):
        text = word.text
        if word.sort is Sort.SPACE:
            made.append(text)
            continue
        called = word.sort is Sort.NAME and _next(words, at) == "("
        if called and text == "has" and before != ".":
            text, asked = "(", True
        elif called and text in renamed:
            text = renamed[text]
        elif word.sort is Sort.NUMBER and text.isdigit() and not (whole or indexing or _unsigned(words, at)):
            text += ".0"
        elif text == "(":
            closing.append(") != null)" if asked else ")")
            asked = False
        elif text == ")" and closing:
            text = closing.pop()
        made.append(text)
        indexing = text == "[" and bool(re.fullmatch(r"""[\w)\]"']""", before[-1:]))
        before = word.text
    return "".join(made)


def _is_macro(solid: list[Word], at: int) -> bool:
    """Whether `at` is the name of a macro: `.exists(x, …`."""
    return (
        solid[at].text in MACROS
        and solid[at].sort is Sort.NAME
        and _text(solid, at - 1) == "."
        and _text(solid, at + 1) == "("
    )


def _path(solid: list[Word], at: int) -> tuple[str, ...]:
    return (solid[at].text, *_steps(solid, at + 1))


def _steps(solid: list[Word], at: int) -> Iterator[str]:
    while True:
        if _text(solid, at) == "." and at + 1 < len(solid) and solid[at + 1].sort is Sort.NAME:
            if _text(solid, at + 2) == "(":
                return
            yield solid[at + 1].text
            at += 2
        elif _text(solid, at) == "[" and _text(solid, at + 2) == "]" and solid[at + 1].sort is Sort.TEXT:
            key = meaning(solid[at + 1])
            if key is None:
                return
            yield key
            at += 3
        else:
            return


def _pattern(solid: list[Word], at: int) -> str | None:
    """The regular expression in `text.matches("…")` or `matches(text, "…")`, where it is written out."""
    depth = 0
    for place in range(at + 1, len(solid)):
        depth += (solid[place].text in "([{") - (solid[place].text in ")]}") if solid[place].sort is Sort.MARK else 0
        if depth == 0:
            last = solid[place - 1]
            return meaning(last) if last.sort is Sort.TEXT and _text(solid, place - 2) in {"(", ","} else None
    return None


def _text(solid: list[Word], at: int) -> str:
    return solid[at].text if 0 <= at < len(solid) else ""


def _next(words: list[Word], at: int) -> str:
    return next((word.text for word in words[at + 1 : at + 3] if word.sort is not Sort.SPACE), "")


def _unsigned(words: list[Word], at: int) -> bool:
    return at + 1 < len(words) and words[at + 1].text in {"u", "U"}
