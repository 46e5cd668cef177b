"""What many pages ask of the record in the same moment, and what is the same for all of them, is asked once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")

_MOST = 100


class Shared(Generic[Value]):
    """Answers that are shared while the change feed stands where it stood, for `age_s` at most.

    Only for parts of pages that are asked anew because the feed has moved: whoever has just changed something may find
    an answer here that does not know it yet. Everything happens in the loop's thread.
    """

    def __init__(self, position: Callable[[], int], monotonic: Callable[[], float], age_s: float = 1.0) -> None:
        self._position = position
        self._monotonic = monotonic
        self._age_s = age_s
        self._kept: dict[Hashable, tuple[float, asyncio.Task[Value]]] = {}
        self._at = -1

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[Value]], told: int = 0) -> Value:
        """The answer to what `key` names: the one that is kept or under way, else that of `ask`. Raises what it does;
        nobody is told an error that others have had before. `told`: up to where whoever asks knows the feed; a node
        that has not come so far shares nothing with them."""
        position, now = self._position(), self._monotonic()
        if position < told:
            return await ask()
        if position != self._at or len(self._kept) >= _MOST:
            self._at = position
            self._kept.clear()
        since, task = self._kept.get(key, (now, None))
        if task is None or now - since > self._age_s or (task.done() and _failed(task)):
            task = asyncio.create_task(_of(ask), name="shared")
            self._kept[key] = (now, task)
        return await asyncio.shield(task)  # whoever goes away does not take it from the others


def _failed(task: asyncio.Task[Value]) -> bool:
    return task.cancelled() or task.exception() is not None


async def _of(ask: Callable[[], Awaitable[Value]]) -> Value:
    return await ask()
