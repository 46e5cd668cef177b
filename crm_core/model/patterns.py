"""Regular expressions that people write into rules: RE2, so that none of them can take for ever.

As people expect it: capital letters and «ё» make no difference, `\\w` and `\\b` know all letters.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Protocol

import re2

from crm_core.wording import Sentence

_LONGEST = 500  # characters of a pattern
_LONGEST_TEXT = 50_000  # characters of a text that are looked at
_MEMORY = 2 << 20  # bytes a compiled pattern may take
_BOUNDARY = re.compile(r"\\[\\bwW]|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_IN_SET = {r"\w": r"\pL\pN_", r"\W": r"[^\pL\pN_]"}


class Pattern(Protocol):
    """A compiled regular expression."""

    def holds(self, text: str) -> bool:
        """Whether it is found in a text."""


class _Compiled:
    def __init__(self, compiled: Any) -> None:
        self._search = compiled.search

    def holds(self, text: str) -> bool:
        """Whether it is found in a text."""
        return self._search(_even(text[:_LONGEST_TEXT]).encode(errors="replace")) is not None


@lru_cache(maxsize=4096)
def pattern(text: str) -> Pattern:
    """The regular expression written so; raises ValueError that says what is wrong with it."""
    if len(text) > _LONGEST:
        raise ValueError(
            Sentence(
                "a regular expression has at most {most} characters, this one {count}", most=_LONGEST, count=len(text)
            )
        )
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY
    try:
        # Bytes are matched as UTF-8 all the same, and nobody asks for places in the text.
        return _Compiled(re2.compile(_translated(_even(text)).encode(errors="replace"), options))
    except re2.error as err:
        raise ValueError(
            Sentence("the regular expression «{text}» can't be read: {words}", text=text[:80], words=_words(err))
        ) from err


def folded(text: str) -> str:
    """A text in the form in which words are compared: small letters, «ё» as «е»."""
    return _even(text.casefold())


def _even(text: str) -> str:
    return text.replace("ё", "е").replace("Ё", "Е")


def _translated(text: str) -> str:
    """RE2's `\\w` and `\\b` know Latin letters alone: say what is meant. A border beside what can't be part of a word
    is there anyway, another one is a character that is none of a word, or the text's end."""
    pieces = _BOUNDARY.findall(text)
    made: list[str] = []
    for at, piece in enumerate(pieces):
        if piece == r"\b":
            before = pieces[at - 1] if at else ""
            after = pieces[at + 1] if at + 1 < len(pieces) else ""
            made.append(_border(before, after))
        elif piece in _IN_SET:
            made.append(rf"[{_IN_SET[piece]}]" if piece == r"\w" else _IN_SET[piece])
        elif piece.startswith("[") and len(piece) > 1:
            made.append(piece.replace(r"\w", _IN_SET[r"\w"]))
        else:
            made.append(piece)
    return "".join(made)


def _border(before: str, after: str) -> str:
    if _spaced(before) or _spaced(after):
        return ""
    return r"(?:^|$|[^\pL\pN_])"


def _spaced(piece: str) -> bool:
    return piece in {r"\s", r"\W"} or (len(piece) == 1 and piece.isspace())


def _words(err: Exception) -> str:
    first = err.args[0] if err.args else str(err)
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)
