"""What somebody probably meant: the known word closest to a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The closest known word, however it is cased; None where nothing is close."""
    by_folded = {each.casefold(): each for each in known}
    found = get_close_matches(word[:100].casefold(), by_folded, n=1, cutoff=0.5)
    return by_folded[found[0]] if found else None
