"""Pauses that grow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[None]]

_FIRST_S = 1.0
_LONGEST_S = 60.0


class Backoff:
    """Seconds to wait after each failure in a row: 1, 2, 4 … 60."""

    def __init__(self) -> None:
        self._next = _FIRST_S

    def next(self) -> float:
        """The pause after one more failure."""
        pause, self._next = self._next, min(self._next * 2, _LONGEST_S)
        return pause
