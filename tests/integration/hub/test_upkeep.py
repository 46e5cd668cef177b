"""Keeping the house: what is only of passing use is forgotten, the rest stays."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm_core.services.receive import receive
from crm_core.storage import queues
from crm_core.storage.database import Connection
from hub.workers import Upkeep
from tests.integration.hub.world import World, message


async def test_done_work_is_forgotten_after_a_month_and_failed_work_is_not(world: World) -> None:
    store = world.stores[0]
    await store.run(lambda desk: receive(desk.work, [message("u1")], desk.office, desk.policies))
    rows = await world.rows("SELECT id FROM outbox ORDER BY id")
    assert len(rows) > 1
    done, kept = rows[0][0], len(rows) - 1
    now = world.clock.now()
    await store.database.write(
        lambda conn: [
            conn.exec_driver_sql(f"UPDATE outbox SET state = 'failed', done_at = {_at(conn, now)}"),
            conn.exec_driver_sql(f"UPDATE outbox SET state = 'done' WHERE id = {done}"),
        ]
    )
    upkeep = Upkeep(store, world.clock, world.metrics, {})
    world.clock.advance(timedelta(days=29))
    await upkeep.turn()
    assert await world.count("outbox") == kept + 1
    world.clock.advance(timedelta(days=2))
    await upkeep.turn()
    assert await world.rows("SELECT DISTINCT state FROM outbox") == [("failed",)]
    assert await world.count("feed") == 0
    assert await world.count("timeline") == 1


def _at(conn: Connection, now: datetime) -> str:
    value = queues.moment(conn, now)
    return str(value) if isinstance(value, int) else f"'{value}'"
