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
        if self.away:  # this one is not told, the next ones are
            self.away = False
            return False
        self.said += [json.loads(each)["said"][3] for each in said]
        return True


async def test_what_was_said_while_redis_was_away_is_not_told_when_it_is_back() -> None:
    whispers, link = Whispers(Followers(), "one", "redis://127.0.0.1:1/0"), Link()
    whispers._channel = link  # type: ignore[assignment]  # what it needs of a channel
    await whispers.start()
    for name in ("Иван", "Ольга", "Пётр"):
        whispers.say(Whisper("client:5", "looks", name, name))
    async with asyncio.timeout(PATIENCE_S):
        await link.asked.wait()
    link.back.set()
    async with asyncio.timeout(PATIENCE_S):
        while not whispers._waiting.empty():  # noqa: ASYNC110 - another task empties it
            await asyncio.sleep(0)
        whispers.say(Whisper("client:5", "looks", "anna", "Анна"))
        while "Анна" not in link.said:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
    assert link.said == ["Анна"]
    await whispers.stop()
