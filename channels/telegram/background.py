"""Small calls that nothing waits for and whose loss loses no fact; what still runs can be waited for at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Background:
    """Calls under way. A failure that a call does not tell by itself is logged under its name."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, call: Coroutine[Any, Any, None], name: str) -> None:
        """Let it run."""
        task = asyncio.create_task(call, name=name)
        self._running.add(task)
        task.add_done_callback(self._done)

    async def drain(self) -> None:
        """Wait until the calls under way have ended."""
        while self._running:
            await asyncio.wait(self._running)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("%s failed", task.get_name(), exc_info=error)
