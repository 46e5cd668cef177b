"""Why to be careful with a file, beside the file itself: words for it are the page's."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class FileWarning(StrEnum):
    """What is suspicious about a file, the worst first."""

    EXECUTABLE = "executable"
    SCRIPT = "script"
    MACROS = "macros"
    BOMB = "bomb"
    PIXELS = "pixels"
    HIDES_EXECUTABLE = "hides_executable"
    MISMATCH = "mismatch"
    NESTED = "nested"
    ENCRYPTED = "encrypted"
    UNSEEN = "unseen"


def written(warnings: Iterable[FileWarning]) -> str:
    """Warnings as a record keeps them, the worst first: `executable,mismatch`."""
    found = set(warnings)
    return ",".join(each.value for each in FileWarning if each in found)


def read_warnings(text: str) -> tuple[FileWarning, ...]:
    """The warnings of a record; words that are none are left out."""
    words = set(text.split(","))
    return tuple(each for each in FileWarning if each.value in words)
