"""Wake-ups between nodes: a commit here is looked at there at once. Only freshness depends on it, never a fact."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hub.nodes.node_channel import NodeChannel


class RedisWake:
    """Publishes commits of this node and hears of the others'. Without Redis the nodes poll."""

    def __init__(self, url: str, node: str, heard: Callable[[], None]) -> None:
        self._node = node
        self._heard = heard
        self._channel = NodeChannel(url, "hub:wake", self._take, heard)
        self._pending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect in the background."""
        await self._channel.start()
        self._task = asyncio.create_task(self._publish(), name="wake-publish")

    async def stop(self) -> None:
        """Close. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._channel.stop()

    def committed(self, _position: int) -> None:
        """Something was committed here; several commits at once are one wake-up."""
        self._pending.set()

    @property
    def connected(self) -> bool:
        """Whether other nodes' wake-ups arrive; `detail` says why not."""
        return self._channel.connected

    @property
    def detail(self) -> str:
        """Why they do not; empty where they do."""
        return self._channel.detail

    async def _publish(self) -> None:
        while True:
            await self._pending.wait()
            self._pending.clear()
            await self._channel.say(self._node)  # whom it did not reach, polls

    def _take(self, said: bytes) -> None:
        if said != self._node.encode():
            self._heard()
