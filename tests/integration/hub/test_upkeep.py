"""Keeping the house: what is only of passing use is forgotten, the rest stays."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm_core.messages import ChannelKey
from crm_core.model.conversation import AutoAnswerRecord
from crm_core.model.outreach import BroadcastRecord, BroadcastState
from crm_core.ports import ChannelHealth, ChannelState
from crm_core.services.desk import Desk
from crm_core.services.intake.receive import receive
from crm_core.storage import leases, queues
from crm_core.storage.database import Connection
from hub.workers import Upkeep
from tests.integration.http.world import PlayedChannel
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
    upkeep = Upkeep(store, world.clock, world.metrics, {}, "one")
    world.clock.advance(timedelta(days=29))
    await upkeep.turn()
    assert await world.count("outbox") == kept + 1
    world.clock.advance(timedelta(days=2))
    await upkeep.turn()
    assert await world.rows("SELECT DISTINCT state FROM outbox") == [("failed",)]
    assert await world.count("feed") == 0
    assert await world.count("timeline") == 1


async def test_marks_of_what_was_sent_are_forgotten_when_nothing_asks_for_them(world: World) -> None:
    store = world.stores[0]

    def sent(desk: Desk) -> tuple[int, int]:
        running, over = (
            BroadcastRecord(desk.work.next_id(), name, "все", "", state, desk.now, "ivan")
            for name, state in (("Весна", BroadcastState.PAUSED), ("Лето", BroadcastState.DONE))
        )
        keys = ("greeting:shop:1", "off_hours:shop:1", "sent:rule:1", "sent:chain:1:0")
        marks = (f"broadcast:{each.id}:telegram:shop:1" for each in (running, over))
        for row in (running, over, *(AutoAnswerRecord(key, desk.now) for key in (*keys, *marks))):
            desk.work.put(row)
        return running.id, over.id

    running, _over = await store.run(sent)
    upkeep = Upkeep(store, world.clock, world.metrics, {}, "one")
    world.clock.advance(timedelta(days=29))
    await upkeep.turn()
    assert await world.count("auto_answer") == 6
    world.clock.advance(timedelta(days=2))
    await upkeep.turn()
    kept = [row[0] for row in await world.rows("SELECT key FROM auto_answer ORDER BY key")]
    assert kept == [f"broadcast:{running}:telegram:shop:1", "greeting:shop:1"]


async def test_a_node_that_stands_by_does_not_look_down(world: World) -> None:
    store, key = world.stores[0], ChannelKey("pbx", "office")
    channel = PlayedChannel(key)
    channel.health = ChannelHealth(ChannelState.CONNECTING, "another node owns the link")
    upkeep = Upkeep(store, world.clock, world.metrics, {key: channel}, "two")

    def shown() -> float | None:
        return world.metrics.registry.get_sample_value("hub_channel_up", {"channel": "pbx", "account": "office"})

    await upkeep.turn()
    assert shown() == 0, "nobody owns the link: that is to be seen"
    await store.database.write(lambda conn: leases.acquire(conn, str(key), "one", timedelta(hours=1)))
    await upkeep.turn()
    assert shown() is None
    await store.database.write(lambda conn: leases.release(conn, str(key), "one"))
    channel.health = ChannelHealth(ChannelState.CONNECTED)
    await upkeep.turn()
    assert shown() == 1


def _at(conn: Connection, now: datetime) -> str:
    value = queues.moment(conn, now)
    return str(value) if isinstance(value, int) else f"'{value}'"
