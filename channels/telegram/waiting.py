"""Waiting that a stop ends at once, and pauses that grow with failures."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

Sleep = Callable[[float], Awaitable[None]]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


class Backoff:
    """Pauses that double from half a second to half a minute, jittered so that several bots do not knock together."""

    def __init__(self) -> None:
        self._failures = 0

    def reset(self) -> None:
        """It went well."""
        self._failures = 0

    def next(self, at_least: float | None = None) -> float:
        """Seconds to wait after one more failure, not less than the provider asked for."""
        full = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._failures, 10))
        self._failures += 1
        return max(at_least or 0.0, random.uniform(full / 2, full))  # noqa: S311 - jitter, no secret


async def first(work: Coroutine[Any, Any, T], *ends: Coroutine[Any, Any, object]) -> T | None:
    """The result of `work`, or None where one of `ends` came first; what still goes on then is cancelled.

    Raises what the finished one raised.
    """
    working = asyncio.ensure_future(work)
    ending = [asyncio.ensure_future(end) for end in ends]
    try:
        await asyncio.wait({working, *ending}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        for end in ending:
            if end.done():
                end.result()
        return None
    finally:
        going_on = [task for task in (working, *ending) if not task.done()]
        for task in going_on:
            task.cancel()
        if going_on:
            await asyncio.wait(going_on)
