"""Long texts in pieces that VK takes."""

from __future__ import annotations

import re

TEXT_LIMIT = 4096
"""In UTF-16 units. VK names 9,000 characters for the call, but shows and counts by the smaller number in places."""

_GAPS = (re.compile(r"\n[ \t]*\n"), re.compile(r"\n"), re.compile(r"\s+"))


def size(text: str) -> int:
    """The length in UTF-16 units, the most that anybody counts a text for."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_text(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    """The text in pieces of at most `limit` units (2 or more), cut between paragraphs, lines or words, in order.

    White space at a cut is dropped; a blank text has no pieces.
    """
    rest, pieces = text.strip(), []
    while rest:
        end = _end(rest, limit)
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return pieces


def _end(text: str, limit: int) -> int:
    head = text[:limit]
    if size(head) > limit:
        head = head.encode("utf-16-le", "surrogatepass")[: limit * 2].decode("utf-16-le", "ignore")
    if len(head) == len(text):
        return len(text)
    for gap in _GAPS:
        # The gap may stand right behind what fits. A piece is at least half full, unless only words can be parted.
        least = 1 if gap is _GAPS[-1] else max(1, len(head) // 2)
        starts = [found.start() for found in gap.finditer(text, 0, len(head) + 1)]
        if starts and starts[-1] >= least:
            return starts[-1]
    return len(head)
