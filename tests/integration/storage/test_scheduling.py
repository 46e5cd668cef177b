"""Messages to be sent later: where they stand, that nothing waits behind them, until when they are taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import Delivery
from crm_core.model.records import EntryRecord
from crm_core.services.desk import Desk
from crm_core.services.letters.replies import reply
from crm_core.services.letters.scheduling import is_scheduled, is_withdrawn, postpone, withdraw
from crm_core.storage import queues
from crm_core.storage.database import Database
from tests.fakes.clock import START
from tests.integration.storage.world import World, message

HOUR = timedelta(hours=1)


async def written(world: World, text: str, ahead: timedelta | None) -> EntryRecord:
    """A reply to the only client, at once or so much later."""
    client = (await world.row("contact")).id

    def service(desk: Desk) -> EntryRecord:
        entry = reply(desk, client, "ivan", channel="telegram", account="shop", text=text)
        return postpone(desk, entry, desk.now + ahead) if ahead is not None else entry

    return await world.store.run(service)


async def claimed(world: World) -> list[str]:
    """The texts that a worker would send now."""
    now = world.clock.now()
    database: Database = world.store.database
    rows = await database.write(lambda conn: queues.claim_outbox(conn, now, "node", timedelta(days=1), 10))
    return [row.payload["text"] for row in rows if row.kind.value == "message"]


async def test_it_waits_and_nothing_waits_behind_it(world: World) -> None:
    await world.take(message(1001, "m1", START))
    later, sooner = await written(world, "потом", 2 * HOUR), await written(world, "раньше", HOUR)
    await written(world, "сразу", None)
    assert later.occurred_at == world.clock.now() + 2 * HOUR
    assert is_scheduled(later, world.clock.now())
    assert await claimed(world) == ["сразу"]
    world.clock.advance(HOUR)
    assert not is_scheduled(sooner, world.clock.now())
    assert await claimed(world) == ["раньше"]
    world.clock.advance(HOUR)
    assert await claimed(world) == ["потом"]


async def test_it_is_taken_back_before_it_goes(world: World) -> None:
    await world.take(message(1001, "m1", START))
    entry = await written(world, "потом", HOUR)
    for _ in range(2):
        gone = await world.store.run(lambda desk: withdraw(desk, entry.id))
        assert is_withdrawn(gone)
    world.clock.advance(2 * HOUR)
    assert await claimed(world) == []
    row = await world.row("timeline", id=entry.id)
    assert (row.delivery, row.text) == (None, "потом")
    assert row.deleted_at is not None


async def test_it_is_not_taken_back_once_it_goes(world: World) -> None:
    await world.take(message(1001, "m1", START))
    entry, at_once = await written(world, "потом", HOUR), await written(world, "сразу", None)
    with pytest.raises(Conflict):
        await world.store.run(lambda desk: withdraw(desk, at_once.id))
    world.clock.advance(HOUR)
    assert "потом" in await claimed(world)
    with pytest.raises(Conflict):
        await world.store.run(lambda desk: withdraw(desk, entry.id))
    assert (await world.row("timeline", id=entry.id)).delivery == Delivery.QUEUED


async def test_a_worker_that_has_it_is_not_robbed(world: World) -> None:
    """Its clock may be ahead of ours."""
    await world.take(message(1001, "m1", START))
    entry = await written(world, "потом", HOUR)
    world.clock.advance(HOUR)
    assert await claimed(world) == ["потом"]
    world.clock.jump(-HOUR)
    with pytest.raises(Conflict):
        await world.store.run(lambda desk: withdraw(desk, entry.id))


async def test_nobody_writes_years_ahead(world: World) -> None:
    await world.take(message(1001, "m1", START))
    with pytest.raises(InvalidInput, match="days at most"):
        await written(world, "потом", timedelta(days=400))
