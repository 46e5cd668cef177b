"""Whispers are of the moment: told to other nodes at once or not at all."""

from __future__ import annotations

import asyncio
import json

from hub.web.live.following import Followers, Whisper
from hub.web.live.whispers import Whispers
from tests.patience import PATIENCE_S


class Link:
    """A channel to other nodes that is away until it is opened."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.asked = asyncio.Event()
        self.back = asyncio.Event()
        self.away = True

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def say(self, *said: str) -> bool:
        self.asked.set()
        await self.back.wait()
        if not self.away:
            self.said += [json.loads(each)["said"][3] for each in said]
        return not self.away


async def test_what_was_said_while_redis_was_away_is_not_told_when_it_is_back() -> None:
    whispers, link = Whispers(Followers(), "one", "redis://127.0.0.1:1/0"), Link()
    whispers._channel = link  # type: ignore[assignment]  # what it needs of a channel
    await whispers.start()
    for name in ("Иван", "Ольга", "Пётр"):
        whispers.say(Whisper("client:5", "looks", name, name))
    async with asyncio.timeout(PATIENCE_S):
        await link.asked.wait()
    link.back.set()
    while not whispers._waiting.empty():  # noqa: ASYNC110 - what is waited for happens in another task's memory
        await asyncio.sleep(0)
    link.away = False
    whispers.say(Whisper("client:5", "looks", "anna", "Анна"))
    async with asyncio.timeout(PATIENCE_S):
        while not link.said:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
    assert link.said == ["Анна"]
    await whispers.stop()
