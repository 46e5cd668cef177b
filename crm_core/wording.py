"""Sentences that are said to people in English here and may be said in another language by whoever shows them.

A `Sentence` is a text like any other, the English one, and remembers what it was made of: a constant template and the
values that it was filled in with. Whoever shows it to somebody looks the template up in a catalogue and fills in the
same values, those that are sentences themselves said likewise. Errors that are told people are made of one (`Worded`),
and `str(error)` gives it, so that it comes along wherever the words of one error become part of another.

Where a sentence is written down it is kept as what it was made of (`kept`), and is one again when it is read
(`restored`); plain texts are kept as they are.

What this package itself writes to people, notifications for instance, it says in the office's language by
`in_language`: who has the catalogues says so (`tell_with`).

What it writes by a text of its own (`crm_core.services.wording`) is `Said`: it stands in the office's language, and
remembers by which name the same is found in others. Where the words themselves have to stand as plain text, what they
were made of goes beside them (`made_of`, `said_as`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Self

_MARK = "\x1e"
"""What a kept sentence begins with; no text of people does."""


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


class Said(Sentence):
    """A text of the hub's own as it was said in the office's language; `phrase` is its name, by which it is said in
    others with the same values."""

    __slots__ = ("phrase",)

    phrase: str

    def __new__(cls, phrase: str, text: str, /, **values: object) -> Self:
        """The words are filled in already; the values may be such texts themselves."""
        made = str.__new__(cls, text)
        made.phrase, made.template = phrase, text
        made.values = {name: str(each) if isinstance(each, BaseException) else each for name, each in values.items()}
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[object, ...], dict[str, object]]:
        return (self.phrase, plain(self)), self.values


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


_tellers: list[Callable[[str, str], str]] = []


def tell_with(teller: Callable[[str, str], str]) -> None:
    """Have sentences said by whoever has the catalogues: a text and a language give the words."""
    _tellers[:] = [teller]


def in_language(text: str, language: str) -> str:
    """A sentence in a language where somebody can say it, in English else; any other text as it is."""
    return _tellers[0](text, language) if _tellers and isinstance(text, Sentence) else text


def cut(text: str, most: int) -> str:
    """At most so many characters of a text; a sentence that is short enough stays one."""
    return text if len(text) <= most else text[:most]


def plain(text: str) -> str:
    """The words alone, as they stand."""
    return str.__str__(text)


def made_of(text: str) -> Any:
    """What a sentence was made of, as plain data to be kept beside its words; None for any other text."""
    if not isinstance(text, Sentence) or _plain(text):
        return None
    parts = _parts(text)
    parts.pop("text", None)  # it stands beside
    return parts


def said_as(words: str, parts: Any) -> str:
    """The sentence again that was made of these parts and stands there in these words; the words where nothing is left
    of it."""
    if not isinstance(parts, dict):
        return words
    try:
        found = _made({**parts, "text": words} if "phrase" in parts else parts)
    except (ValueError, LookupError, TypeError, AttributeError):
        return words  # made by a later version, perhaps
    return found if isinstance(found, str) else words


def kept(text: str) -> str:
    """A text as it is written down; `restored` gives it back."""
    if not isinstance(text, Sentence) or _plain(text):
        return plain(text)
    found = _MARK + json.dumps(_parts(text), ensure_ascii=False)
    # A value that is neither a text nor a number may be filled in in a way of its own: then the words alone are kept.
    return found if restored(found) == text else plain(text)


def restored(text: str) -> str:
    """A text that was written down: a sentence again where it was one."""
    if not text.startswith(_MARK):
        return text
    try:
        found = _made(json.loads(text.removeprefix(_MARK)))
        return found if isinstance(found, str) else text.removeprefix(_MARK)
    except (ValueError, LookupError, TypeError, AttributeError):
        return text.removeprefix(_MARK)  # somebody cut it: what is left of it still tells something


def _plain(text: Sentence) -> bool:
    """Whether it is only joined of texts that nobody can say otherwise."""
    return isinstance(text, Joined) and not any(isinstance(each, Sentence) for each in text.parts)


def _parts(text: str) -> Any:
    match text:
        case Counted():
            return {"one": text.one, "many": text.many, "count": text.number}
        case Said():
            values = {name: _part(each) for name, each in text.values.items()}
            return {"phrase": text.phrase, "with": values, "text": plain(text)}
        case Joined():
            return {"joined": [_parts(each) for each in text.parts], "between": text.between}
        case Sentence() if text.values:
            return {"say": text.template, "with": {name: _part(each) for name, each in text.values.items()}}
        case Sentence():
            return {"say": text.template}
        case _:
            return text


def _part(value: object) -> Any:
    if isinstance(value, str):
        return _parts(value)
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _made(parts: Any) -> Any:
    match parts:
        case {"one": str() as one, "many": str() as many, "count": int() as count}:
            return Counted(one, many, count)
        case {"joined": list() as joined, "between": str() as between}:
            return Joined([_made(each) for each in joined], between)
        case {"phrase": str() as phrase, "with": dict() as given, "text": str() as text}:
            return Said(phrase, text, **{name: _made(each) for name, each in given.items()})
        case {"say": str() as template, **rest}:
            values: Any = rest.get("with", {})
            return Sentence(template, **{name: _made(each) for name, each in values.items()})
        case _:
            return parts  # a value; texts, numbers
