"""The AMI blocks that told of a call, each with its turn: kept for the record, bounded."""

from __future__ import annotations

from operator import itemgetter

_KEPT = 80
_OF_THE_BEGINNING = 40


def remember(blocks: list[tuple[int, bytes]], turn: int, raw: bytes) -> None:
    """Add a block."""
    if len(blocks) >= _KEPT:
        # the beginning says who called, the end how it ended; the middle of a very long story goes
        del blocks[_OF_THE_BEGINNING]
    blocks.append((turn, raw))


def merged(one: list[tuple[int, bytes]], other: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The blocks of two calls that met, in the order in which they came."""
    found = sorted({*one, *other}, key=itemgetter(0))
    del found[_OF_THE_BEGINNING : max(len(found) - _KEPT + _OF_THE_BEGINNING, 0)]
    return found
