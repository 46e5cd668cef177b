"""Wake-ups between nodes: a commit here is looked at there at once. Only freshness depends on it, never a fact."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.log import get_logger

log = get_logger(__name__)

_CHANNEL = "hub:wake"
_AGAIN_S = 2.0
_LISTEN_S = 5.0


class RedisWake:
    """Publishes commits of this node and hears of the others'. Without Redis the nodes poll."""

    def __init__(self, url: str, node: str, heard: Callable[[], None]) -> None:
        self._url = url
        self._node = node
        self._heard = heard
        self._redis: Redis | None = None
        self._pending = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.detail = "connecting"

    async def start(self) -> None:
        """Connect in the background."""
        self._redis = Redis.from_url(self._url, socket_connect_timeout=3, socket_timeout=_LISTEN_S * 2)
        self._tasks = [
            asyncio.create_task(self._listen(self._redis), name="wake-listen"),
            asyncio.create_task(self._publish(self._redis), name="wake-publish"),
        ]

    async def stop(self) -> None:
        """Close. Idempotent."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        redis, self._redis = self._redis, None
        if redis is not None:
            await redis.aclose()

    def committed(self, _position: int) -> None:
        """Something was committed here; several commits at once are one wake-up."""
        self._pending.set()

    @property
    def connected(self) -> bool:
        """Whether other nodes' wake-ups arrive."""
        return not self.detail

    async def _publish(self, redis: Redis) -> None:
        while True:
            await self._pending.wait()
            self._pending.clear()
            try:
                await redis.publish(_CHANNEL, self._node)
            except (RedisError, OSError) as err:
                log.warning("other nodes could not be woken; they poll", error=str(err))
                await asyncio.sleep(_AGAIN_S)

    async def _listen(self, redis: Redis) -> None:
        while True:
            try:
                async with redis.pubsub() as pubsub:
                    await pubsub.subscribe(_CHANNEL)
                    self.detail = ""
                    self._heard()
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=_LISTEN_S)
                        if message is not None and message["data"] != self._node.encode():
                            self._heard()
            except (RedisError, OSError, TimeoutError) as err:
                self.detail = str(err)
                log.warning("no wake-ups from Redis; polling goes on", error=str(err))
                await asyncio.sleep(_AGAIN_S)
