"""Whispers between nodes: who looks at a client and who writes, told through Redis where it is configured.

Only of the moment: without Redis they stay on their node, and what is lost is said again in a few seconds.
"""

from __future__ import annotations

import asyncio
import json

from hub.log import get_logger
from hub.nodes.node_channel import NodeChannel
from hub.nodes.speaking import Speaker
from hub.web.live.following import Followers, Whisper

log = get_logger(__name__)

_MOST_WAITING = 200


class Whispers(Speaker):
    """Passes whispers to the followers here, and to the other nodes."""

    def __init__(self, followers: Followers, node: str, redis_url: str | None) -> None:
        channel = NodeChannel(redis_url, "hub:whisper", self._take) if redis_url is not None else None
        super().__init__(channel, "whispers-publish")
        self._followers = followers
        self._node = node
        self._waiting: asyncio.Queue[Whisper] = asyncio.Queue(maxsize=_MOST_WAITING)

    def say(self, whisper: Whisper) -> None:
        """Pass on what somebody here does; where the others can't be reached fast enough, they do without."""
        self._hear(whisper)
        if self._channel is not None and not self._waiting.full():
            self._waiting.put_nowait(whisper)

    def _hear(self, whisper: Whisper) -> None:
        for each in self._followers.of({whisper.topic}):
            each.whisper(whisper)

    async def _speak(self) -> None:
        while True:
            said = await self._waiting.get()
            told = {"node": self._node, "said": [said.topic, said.kind, said.login, said.name]}
            if not await self._say(json.dumps(told)):
                while not self._waiting.empty():  # when Redis is back, it is no longer true
                    self._waiting.get_nowait()

    def _take(self, data: bytes) -> None:
        try:
            told = json.loads(data)
            if told["node"] != self._node:
                topic, kind, login, name = map(str, told["said"])
                self._hear(Whisper(topic, kind, login, name))
        except (ValueError, KeyError, TypeError) as err:
            log.warning("another node whispered something that is not understood", error=str(err))
