"""Waiting that a stop ends at once, and pauses that grow with failures."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

Sleep = Callable[[float], Awaitable[None]]

SHORTEST_S = 0.5
LONGEST_S = 30.0


class Pauses:
    """Pauses between tries: each up to twice the last, spread so that several accounts do not knock together."""

    def __init__(self) -> None:
        self._full = SHORTEST_S

    def reset(self) -> None:
        """It went well."""
        self._full = SHORTEST_S

    def next(self, at_least: float | None = None) -> float:
        """Seconds to wait after one more failure, not less than VK asked for."""
        pause = random.uniform(self._full / 2, self._full)  # noqa: S311 - a spread, no secret
        self._full = min(LONGEST_S, self._full * 2)
        return max(pause, at_least or 0.0)


async def before(work: Coroutine[Any, Any, T], *ends: Coroutine[Any, Any, object]) -> T | None:
    """The result of `work`, or None where one of `ends` is over first; whatever still goes on is cancelled."""
    tasks = [asyncio.ensure_future(each) for each in ends]
    working = asyncio.ensure_future(work)
    try:
        await asyncio.wait({working, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        for task in tasks:
            if task.done():
                task.result()
        return None
    finally:
        left = [task for task in (working, *tasks) if not task.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
