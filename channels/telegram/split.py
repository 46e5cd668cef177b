"""Long texts in pieces that Telegram takes."""

from __future__ import annotations

import re

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024

_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"\s+"))


def units(text: str) -> int:
    """The length as Telegram counts it: UTF-16 code units."""
    return len(text) + sum(char > "\uffff" for char in text)


def split_text(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    """The text in pieces of at most `limit` UTF-16 units (2 or more), cut between paragraphs, lines or words.

    Pieces are never blank; white space at a cut is dropped. A blank text has no pieces.
    """
    pieces: list[str] = []
    rest = text.strip()
    while rest:
        end = _cut(rest, limit)
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return pieces


def _cut(text: str, limit: int) -> int:
    end = _fitting(text, limit)
    if end == len(text):
        return end
    # A paragraph's end is worth a piece half empty, a word's end is better than none.
    for pattern, least in zip(_BREAKS, (max(1, end // 2), max(1, end // 2), 1), strict=True):
        last = 0
        for gap in pattern.finditer(text, 0, end + 1):
            last = gap.start()
        if last >= least:
            return last
    return end


def _fitting(text: str, limit: int) -> int:
    """How many characters from the start fit."""
    if len(text) <= limit and units(text) <= limit:
        return len(text)
    used = 0
    for position, char in enumerate(text):
        used += 2 if char > "\uffff" else 1
        if used > limit:
            return position
    return len(text)
