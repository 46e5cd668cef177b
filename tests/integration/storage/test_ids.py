"""Ids: never one twice, and rising in the order in which they are asked for."""

import asyncio

import pytest

from crm_core.services.desk import Desk
from tests.integration.storage.world import World

MANY = 700  # of a block's thousand: the second such transaction takes a new block


def draw(desk: Desk) -> list[int]:
    return [desk.work.next_id() for _ in range(MANY)]


async def test_ids_rise_whoever_asks_and_wherever_a_block_ends(world: World) -> None:
    drawn = await asyncio.gather(*(world.store.run(draw) for _ in range(7)))
    ids = [each for run in drawn for each in run]
    assert len(set(ids)) == len(ids)
    for run in drawn:
        assert run == sorted(run)
    after = await world.store.run(draw)
    assert min(after) > max(ids)


async def test_a_block_goes_with_the_transaction_that_took_it(world: World) -> None:
    def broken(desk: Desk) -> None:
        draw(desk)
        raise LookupError

    seen: set[int] = set()
    for _ in range(5):
        with pytest.raises(LookupError):
            await world.store.run(broken)
        ids = await world.store.run(draw)
        assert seen.isdisjoint(ids)
        seen.update(ids)


async def test_two_processes_never_draw_the_same(world: World, second: World) -> None:
    drawn = await asyncio.gather(*(each.store.run(draw) for each in (world, second) * 4))
    ids = [each for run in drawn for each in run]
    assert len(set(ids)) == len(ids)
