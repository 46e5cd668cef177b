"""Wake-ups between nodes: a commit here is looked at there at once. Only freshness depends on it, never a fact."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hub.nodes.node_channel import NodeChannel
from hub.nodes.speaking import Speaker


class RedisWake(Speaker):
    """Publishes commits of this node and hears of the others'. Without Redis the nodes poll."""

    def __init__(self, url: str, node: str, heard: Callable[[], None]) -> None:
        super().__init__(NodeChannel(url, "hub:wake", self._take, heard), "wake-publish")
        self._node = node
        self._heard = heard
        self._pending = asyncio.Event()

    def committed(self, _position: int) -> None:
        """Something was committed here; several commits at once are one wake-up."""
        self._pending.set()

    async def _speak(self) -> None:
        while True:
            await self._pending.wait()
            self._pending.clear()
            await self._say(self._node)  # whom it did not reach, polls

    def _take(self, said: bytes) -> None:
        if said != self._node.encode():
            self._heard()
