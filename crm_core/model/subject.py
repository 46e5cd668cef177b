"""Subjects of mails without the marks that mail programs put before them."""

from __future__ import annotations

import re

_MARK = re.compile(
    r"\s*(?:re|aw|sv|antw|fw|fwd|wg|tr|rv|ref|отв|ответ|пер|перес|пересл|fs|вс|нa|на)\s*(?:\[\d{1,3}\]|\(\d{1,3}\)|\d{1,3})?\s*:",
    re.IGNORECASE,
)
_MOST_MARKS = 50


def bare_subject(subject: str) -> str:
    """The subject without `Re:`, `Fwd:`, `Ответ:` and their like, however many, and without needless blanks."""
    text = " ".join(subject.split())
    for _ in range(_MOST_MARKS):
        found = _MARK.match(text)
        if found is None:
            break
        text = text[found.end() :].lstrip()
    return text


def topic_of(subject: str) -> str:
    """What makes two subjects one topic."""
    return bare_subject(subject).casefold()
