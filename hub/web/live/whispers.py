"""Whispers between nodes: who looks at a client and who writes, told through Redis where it is configured.

Only of the moment: without Redis they stay on their node, and what is lost is said again in a few seconds.
"""

from __future__ import annotations

import asyncio
import json

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.log import get_logger
from hub.web.live.following import Followers, Whisper

log = get_logger(__name__)

_CHANNEL = "hub:whisper"
_AGAIN_S = 2.0
_LISTEN_S = 5.0
_MOST_WAITING = 200


class Whispers:
    """Passes whispers to the followers here, and to the other nodes."""

    def __init__(self, followers: Followers, node: str, redis_url: str | None) -> None:
        self._followers = followers
        self._node = node
        self._url = redis_url
        self._waiting: asyncio.Queue[Whisper] = asyncio.Queue(maxsize=_MOST_WAITING)
        self._redis: Redis | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect in the background, where there is something to connect to."""
        if self._url is None:
            return
        self._redis = Redis.from_url(self._url, socket_connect_timeout=3, socket_timeout=_LISTEN_S * 2)
        self._tasks = [
            asyncio.create_task(self._listen(self._redis), name="whispers-listen"),
            asyncio.create_task(self._publish(self._redis), name="whispers-publish"),
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

    def say(self, whisper: Whisper) -> None:
        """Pass on what somebody here does; where the others can't be reached fast enough, they do without."""
        self._hear(whisper)
        if self._redis is not None and not self._waiting.full():
            self._waiting.put_nowait(whisper)

    def _hear(self, whisper: Whisper) -> None:
        for each in self._followers.of({whisper.topic}):
            each.whisper(whisper)

    async def _publish(self, redis: Redis) -> None:
        while True:
            said = await self._waiting.get()
            told = {"node": self._node, "said": [said.topic, said.kind, said.login, said.name]}
            try:
                await redis.publish(_CHANNEL, json.dumps(told))
            except (RedisError, OSError) as err:
                log.warning("other nodes do not hear who writes", error=str(err))
                await asyncio.sleep(_AGAIN_S)

    async def _listen(self, redis: Redis) -> None:
        while True:
            try:
                async with redis.pubsub() as pubsub:
                    await pubsub.subscribe(_CHANNEL)
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=_LISTEN_S)
                        if message is not None:
                            self._take(message["data"])
            except (RedisError, OSError, TimeoutError) as err:
                log.warning("nothing is heard of who writes on other nodes", error=str(err))
                await asyncio.sleep(_AGAIN_S)

    def _take(self, data: bytes) -> None:
        try:
            told = json.loads(data)
            if told["node"] != self._node:
                topic, kind, login, name = map(str, told["said"])
                self._hear(Whisper(topic, kind, login, name))
        except (ValueError, KeyError, TypeError) as err:
            log.warning("another node whispered something that is not understood", error=str(err))
