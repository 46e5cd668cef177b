"""Whispers between nodes: who looks at a client and who writes, the client too, told through Redis where it is
configured.

Only of the moment: without Redis they stay on their node, and what is lost is said again in a few seconds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeAlias

from crm_core.messages import ChannelKey
from hub.log import get_logger
from hub.nodes.node_channel import NodeChannel
from hub.nodes.speaking import Speaker
from hub.web.live.following import Followers, Whisper

log = get_logger(__name__)

_MOST_WAITING = 200

Show: TypeAlias = Callable[[ChannelKey, str, str, bool], None]
"""Have a client see that somebody writes to them: account, conversation, whose name, and whether it is said here."""


class Whispers(Speaker):
    """Passes whispers to the followers here, and to the other nodes; what a client is to see, to `show`."""

    def __init__(self, followers: Followers, node: str, redis_url: str | None, show: Show = lambda *_: None) -> None:
        channel = NodeChannel(redis_url, "hub:whisper", self._take) if redis_url is not None else None
        super().__init__(channel, "whispers-publish")
        self._followers = followers
        self._node = node
        self._show = show
        self._waiting: asyncio.Queue[Whisper] = asyncio.Queue(maxsize=_MOST_WAITING)

    def say(self, whisper: Whisper) -> None:
        """Pass on what somebody here does; where the others can't be reached fast enough, they do without."""
        self._hear(whisper, here=True)
        if self._channel is not None and not self._waiting.full():
            self._waiting.put_nowait(whisper)

    def _hear(self, whisper: Whisper, *, here: bool) -> None:
        for each in self._followers.of({whisper.topic}):
            each.whisper(whisper)
        if whisper.place is not None:
            self._show(*whisper.place, whisper.name, here)

    async def _speak(self) -> None:
        while True:
            said = await self._waiting.get()
            if not await self._say(json.dumps({"node": self._node, **_told(said)})):
                while not self._waiting.empty():  # when Redis is back, it is no longer true
                    self._waiting.get_nowait()

    def _take(self, data: bytes) -> None:
        try:
            told = json.loads(data)
            if told["node"] != self._node:
                self._hear(_said(told), here=False)
        except (ValueError, KeyError, TypeError) as err:
            log.warning("another node whispered something that is not understood", error=str(err))


def _told(whisper: Whisper) -> dict[str, Any]:
    told: dict[str, Any] = {"said": [whisper.topic, whisper.kind, whisper.login, whisper.name]}
    if whisper.client is not None:
        told["client"] = whisper.client
    if whisper.place is not None:
        key, conversation = whisper.place
        told["place"] = [key.channel, key.account, conversation]
    return told


def _said(told: dict[str, Any]) -> Whisper:
    """Raises ValueError, KeyError or TypeError."""
    topic, kind, login, name = map(str, told["said"])
    client = int(told["client"]) if "client" in told else None
    place = None
    if "place" in told:
        channel, account, conversation = map(str, told["place"])
        place = ChannelKey(channel, account), conversation
    return Whisper(topic, kind, login, name, client, place)
