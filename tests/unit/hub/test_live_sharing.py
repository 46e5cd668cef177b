"""What many pages ask at once is asked once, and never handed out after something has changed."""

from __future__ import annotations

import asyncio

import pytest

from hub.web.live.sharing import Shared


class World:
    """A feed that moves and a clock that goes when told; each question has another answer."""

    def __init__(self) -> None:
        self.position, self.now, self.asked = 1, 0.0, 0
        self.open = asyncio.Event()
        self.open.set()
        self.failing = False
        self.shared = Shared[int](lambda: self.position, lambda: self.now, 1.0)

    async def ask(self) -> int:
        self.asked += 1
        number = self.asked
        await self.open.wait()
        if self.failing:
            raise LookupError
        return number

    async def get(self, key: str = "wall", told: int = 0) -> int:
        return await self.shared.get(key, self.ask, told)


async def test_a_node_that_lags_behind_whoever_asks_shares_nothing_with_them() -> None:
    world = World()
    assert await world.get() == 1
    assert await world.get(told=1) == 1
    assert await world.get(told=2) == 2, "another node has told them of more"
    assert await world.get() == 1


async def test_questions_of_the_same_moment_have_one_answer() -> None:
    world = World()
    world.open.clear()
    asking = [asyncio.create_task(world.get()) for _ in range(5)]
    other = asyncio.create_task(world.get("other"))
    await asyncio.sleep(0)
    world.open.set()
    assert await asyncio.gather(*asking) == [1] * 5
    assert await other == 2
    assert await world.get() == 1


async def test_a_change_and_time_end_an_answer() -> None:
    world = World()
    assert await world.get() == 1
    world.position += 1
    assert await world.get() == 2
    world.now += 0.9
    assert await world.get() == 2
    world.now += 0.2
    assert await world.get() == 3


async def test_who_goes_away_does_not_take_the_answer_along() -> None:
    world = World()
    world.open.clear()
    first, second = asyncio.create_task(world.get()), asyncio.create_task(world.get())
    await asyncio.sleep(0)
    first.cancel()
    world.open.set()
    assert await second == 1
    assert world.asked == 1


async def test_an_error_is_not_kept() -> None:
    world = World()
    world.failing = True
    with pytest.raises(LookupError):
        await world.get()
    world.failing = False
    assert await world.get() == 2


async def test_no_end_of_keys_is_kept() -> None:
    world = World()
    for number in range(1000):
        await world.get(str(number))
    assert len(world.shared._kept) <= 100
