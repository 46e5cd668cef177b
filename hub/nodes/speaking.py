"""What speaks to the other nodes by itself: a channel of theirs, and the task that says there what waits to be said."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from hub.nodes.node_channel import NodeChannel


class Speaker(ABC):
    """Connects, says what `_speak` finds to say until it is stopped, and closes. Without a channel it does nothing."""

    def __init__(self, channel: NodeChannel | None, task_name: str) -> None:
        self._channel = channel
        self._task_name = task_name
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect in the background, where there is something to connect to."""
        if self._channel is not None:
            await self._channel.start()
            self._task = asyncio.create_task(self._speak(), name=self._task_name)

    async def stop(self) -> None:
        """Close. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._channel is not None:
            await self._channel.stop()

    @property
    def connected(self) -> bool:
        """Whether what other nodes say arrives; `detail` says why not."""
        return self._channel is not None and self._channel.connected

    @property
    def detail(self) -> str:
        """Why it does not; empty where it does."""
        return self._channel.detail if self._channel is not None else ""

    @abstractmethod
    async def _speak(self) -> None:
        """Wait for something and say it, again and again."""

    async def _say(self, *said: str) -> bool:
        """Tell all nodes, in this order; False, after a pause, where they can't be told."""
        return self._channel is not None and await self._channel.say(*said)
