"""What nodes tell each other through Redis: of the moment only; what is lost costs freshness, never a fact."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from hub.log import get_logger

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

log = get_logger(__name__)

_CONNECT_S = 3.0
_AGAIN_S = 2.0
_LISTEN_S = 5.0


class NodeChannel:
    """One Redis channel that all nodes hear, the one that speaks, too. Connects in the background, again and again.

    `heard` takes what was said, `joined` is called whenever hearing begins anew: something may have been missed.
    Neither may raise. A link on which nothing is heard for `quiet_s` is asked whether it stands, and is lost where
    nothing comes within as long again.
    """

    def __init__(
        self,
        url: str,
        name: str,
        heard: Callable[[bytes], None],
        joined: Callable[[], None] = lambda: None,
        quiet_s: float = _LISTEN_S,
    ) -> None:
        self._url = url
        self._name = name
        self._heard = heard
        self._joined = joined
        self._quiet_s = quiet_s
        self._redis: Redis | None = None
        self._task: asyncio.Task[None] | None = None
        self.detail = "connecting"

    async def start(self) -> None:
        """Begin to listen in the background."""
        from redis.asyncio import Redis  # here, for most offices have no Redis, and it is heavy

        self._redis = Redis.from_url(self._url, socket_connect_timeout=_CONNECT_S, socket_timeout=_LISTEN_S * 2)
        self._task = asyncio.create_task(self._listen(self._redis), name=f"{self._name}-listen")

    async def stop(self) -> None:
        """Close. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        redis, self._redis = self._redis, None
        if redis is not None:
            await redis.aclose()

    @property
    def connected(self) -> bool:
        """Whether what other nodes say arrives; `detail` says why not."""
        return not self.detail

    async def say(self, *said: str) -> bool:
        """Tell all nodes, in this order. Where Redis is away: False, after a pause, so that callers may loop."""
        if self._redis is None:
            return False
        from redis.exceptions import RedisError  # as above

        try:
            for each in said:
                await self._redis.publish(self._name, each)
        except (RedisError, OSError) as err:
            log.warning("other nodes can't be told", channel=self._name, error=str(err))
            await asyncio.sleep(_AGAIN_S)
            return False
        return True

    async def _listen(self, redis: Redis) -> None:
        from redis.exceptions import RedisError  # as above

        while True:
            try:
                async with redis.pubsub() as pubsub:
                    await pubsub.subscribe(self._name)
                    await self._hear(pubsub)
            except (RedisError, OSError, TimeoutError) as err:
                self.detail = str(err) or "no answer"
                log.warning("other nodes are not heard", channel=self._name, error=str(err))
                await asyncio.sleep(_AGAIN_S)

    async def _hear(self, pubsub: PubSub) -> None:
        """Hear what is said until the link is lost; raises RedisError, OSError, TimeoutError.

        The channel is joined when Redis says so: the library takes some links up again by itself.
        """
        asked = False
        while True:
            message = await pubsub.get_message(timeout=self._quiet_s)
            if message is None and asked:
                raise TimeoutError
            asked = message is None
            if message is None:
                await pubsub.ping()
            elif message["type"] == "subscribe":
                self.detail = ""
                self._joined()
            elif message["type"] == "message":
                self._heard(message["data"])
