"""Sentences that are said to people in English here and may be said in another language by whoever shows them.

A `Sentence` is a text like any other, the English one, and remembers what it was made of: a constant template and the
values that it was filled in with. Whoever shows it to somebody looks the template up in a catalogue and fills in the
same values, those that are sentences themselves said likewise. Errors that are told people are made of one (`Worded`),
and `str(error)` gives it, so that it comes along wherever the words of one error become part of another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class Sentence(str):
    """A text made of a constant `template` with `{names}` and their `values`; without values it is taken as it stands.

    Errors as values are told by their words.
    """

    __slots__ = ("template", "values")

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Fill in the values. Raises KeyError where the template names another."""
        values = {name: str(each) if isinstance(each, BaseException) else each for name, each in values.items()}
        made = super().__new__(cls, template.format(**values) if values else template)
        made.template, made.values = template, values
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[object, ...], dict[str, object]]:
        return (self.template,), self.values

    def __str__(self) -> str:
        """Itself: what it was made of is not lost."""
        return self


class Counted(Sentence):
    """A part of a sentence whose form a number decides: `Counted("{count} line", "{count} lines", 3)`."""

    __slots__ = ("many", "number", "one")

    one: str
    many: str
    number: int

    def __new__(cls, one: str, many: str = "", count: int = 1, /) -> Self:
        """The form of English for `count`, which is filled in."""
        made = super().__new__(cls, one if count == 1 else many, count=count)
        made.one, made.many, made.number = one, many, count
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[object, ...], dict[str, object]]:
        return (self.one, self.many, self.number), {}


class Joined(Sentence):
    """Sentences one behind the other, with `between` between them: "; " or a line break."""

    __slots__ = ("between", "parts")

    between: str
    parts: tuple[str, ...]

    def __new__(cls, parts: Iterable[str] = (), between: str = "; ", /) -> Self:
        """All of them as one."""
        parts = tuple(parts)
        made = super().__new__(cls, between.join(parts))
        made.parts, made.between = parts, between
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[object, ...], dict[str, object]]:
        return (self.parts, self.between), {}


class Worded(Exception):
    """An error told by a constant text and its values; the docstring of an error is its text where none is given."""

    def __init__(self, text: str | None = None, /, **values: object) -> None:
        if not isinstance(text, Sentence) or values:
            text = Sentence(text or (type(self).__doc__ or "").strip(), **values)
        super().__init__(text)
        self.sentence = text

    def __str__(self) -> str:
        """The sentence, in English."""
        return self.sentence
