"""Ownership among several nodes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from crm_core.storage import leases
from hub.nodes.leases import DatabaseLease
from tests.integration.hub.world import World
from tests.patience import PATIENCE_S

SHORT = timedelta(milliseconds=1)
LONG = timedelta(minutes=5)


async def ask(world: World, owner: str, duration: timedelta) -> int | None:
    return await world.stores[0].database.write(lambda conn: leases.acquire(conn, "pbx:office", owner, duration))


async def test_one_owner_at_a_time_and_the_epoch_grows(world: World) -> None:
    assert await ask(world, "a", LONG) == 1
    assert await ask(world, "b", LONG) is None
    assert await ask(world, "a", SHORT) == 1  # renewed, to end at once
    epoch = None
    async with asyncio.timeout(PATIENCE_S):
        while epoch is None:
            epoch = await ask(world, "b", LONG)
    assert epoch == 2
    assert await ask(world, "a", LONG) is None


async def test_released_leases_are_free_at_once(world: World) -> None:
    first = DatabaseLease(world.stores[0].database, world.clock, "poll", "a")
    await first.acquire()
    second = DatabaseLease(world.store().database, world.clock, "poll", "b")
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(0)
    assert (first.held, second.held) == (True, False)
    await first.release()
    async with asyncio.timeout(PATIENCE_S):
        await waiting
    assert (first.held, second.held) == (False, True)
    await second.release()


async def test_an_owner_that_could_not_renew_stops_by_itself(world: World) -> None:
    """A frozen owner wakes up: its own clock says that the lease ran out, before it does anything."""
    lease = DatabaseLease(world.stores[0].database, world.clock, "poll", "a")
    await lease.acquire()
    world.clock.advance(11)
    assert not lease.held
    await lease.release()


async def test_an_owner_that_lost_it_can_own_it_again(world: World) -> None:
    """Frozen, overtaken, woken; then the other one goes. The place must not stay without an owner."""
    lease = DatabaseLease(world.stores[0].database, world.clock, "pbx:office", "a")
    await lease.acquire()
    world.clock.advance(11)
    await ask(world, "a", SHORT)
    async with asyncio.timeout(PATIENCE_S):
        epoch = None
        while epoch is None:
            epoch = await ask(world, "b", LONG)
        waiting = asyncio.create_task(lease.acquire())
        await asyncio.sleep(0)
        await world.stores[0].database.write(lambda conn: leases.release(conn, "pbx:office", "b"))
        await waiting
    assert lease.held
    await lease.release()
