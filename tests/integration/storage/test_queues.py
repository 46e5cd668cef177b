"""The durable queues: who does what, in which order, and what a worker that dies leaves behind."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from crm_core.model.records import DeadlineKind, DeadlineRecord, OutboxKind, OutboxRecord, OutboxState
from crm_core.storage import queues
from tests.integration.storage.world import World, at

LEASE = timedelta(seconds=30)


async def enqueue(world: World, *lanes: str) -> list[int]:
    """Queue an act in each of these lanes; their ids."""

    def put(desk: Any) -> list[int]:
        made = []
        for lane in lanes:
            number = desk.work.next_id()
            made.append(desk.enqueue(OutboxKind.MESSAGE, lane, f"test:{number}", {"n": number}).id)
        return made

    return await world.store.run(put)


async def claim(world: World, owner: str, limit: int = 10) -> list[OutboxRecord]:
    now = world.clock.now()
    return await world.store.database.write(lambda conn: queues.claim_outbox(conn, now, owner, LEASE, limit))


async def finish(world: World, record: OutboxRecord, state: OutboxState = OutboxState.DONE) -> bool:
    now = world.clock.now()
    return await world.store.database.write(lambda conn: queues.finish_outbox(conn, record, state, now, None))


async def test_a_lane_is_done_in_order_and_lanes_side_by_side(world: World) -> None:
    first, second, other = await enqueue(world, "a", "a", "b")
    claimed = await claim(world, "one")
    assert [each.id for each in claimed] == [first, other]
    assert await claim(world, "two") == []
    assert await finish(world, claimed[0])
    assert [each.id for each in await claim(world, "two")] == [second]


async def test_two_workers_never_get_the_same_row(world: World, second: World) -> None:
    ids = await enqueue(world, *(f"lane-{n}" for n in range(40)))
    claims = await asyncio.gather(*(claim(side, f"w{n}", 5) for n, side in enumerate([world, second] * 6)))
    got = [record.id for records in claims for record in records]
    assert len(got) == len(set(got))
    rest = await claim(world, "last", 100)
    assert sorted([*got, *(record.id for record in rest)]) == ids


async def test_a_lease_runs_out_and_the_claim_is_lost(world: World) -> None:
    await enqueue(world, "a")
    (mine,) = await claim(world, "dead")
    assert (mine.started, mine.attempts) == (1, 1)
    world.clock.advance(LEASE)
    assert await claim(world, "eager") == [], "a lease lasts to its very end"
    world.clock.advance(0.001)
    (theirs,) = await claim(world, "next")
    assert (theirs.id, theirs.started, theirs.attempts) == (mine.id, 2, 2), "the first try may have had its effect"
    assert not await finish(world, mine)
    assert await finish(world, theirs)
    row = await world.row("outbox")
    assert (row.state, row.started, row.claimed_by) == ("done", 0, None)


async def test_a_try_put_back_waits_and_remembers_whether_it_may_have_worked(world: World) -> None:
    await enqueue(world, "a")
    (first,) = await claim(world, "one")
    later = world.clock.now() + timedelta(minutes=1)
    await world.store.database.write(lambda conn: queues.retry_outbox(conn, first, later, "busy", known=True))
    assert await claim(world, "one") == []
    now = world.clock.now()
    assert await world.store.read(lambda conn: queues.next_outbox(conn, now)) == later
    world.clock.advance(60)
    (again,) = await claim(world, "one")
    assert (again.started, again.attempts, again.error) == (1, 2, "busy")
    await world.store.database.write(lambda conn: queues.retry_outbox(conn, again, later, "silence", known=False))
    (third,) = await claim(world, "one")
    assert (third.started, third.attempts) == (2, 3)


async def test_a_row_that_waits_holds_up_its_lane_but_no_other(world: World) -> None:
    await enqueue(world, "a", "a", "b")
    (first, other) = await claim(world, "one")
    later = world.clock.now() + timedelta(minutes=1)
    await world.store.database.write(lambda conn: queues.retry_outbox(conn, first, later, "429", known=True))
    await finish(world, other)
    assert await claim(world, "one") == []


async def test_work_under_way_does_not_hide_what_is_due(world: World) -> None:
    await enqueue(world, "slow", "slow")
    assert len(await claim(world, "one")) == 1
    now = world.clock.now()
    assert await world.store.read(lambda conn: queues.next_outbox(conn, now)) is None, "its lane waits behind it"
    await enqueue(world, "quick")
    found = await world.store.read(lambda conn: queues.next_outbox(conn, now))
    assert found is not None
    assert found <= now


async def test_a_failed_row_frees_its_lane_and_stays_visible(world: World) -> None:
    _, second = await enqueue(world, "a", "a")
    (first,) = await claim(world, "one")
    assert await finish(world, first, OutboxState.FAILED)
    assert [each.id for each in await claim(world, "one")] == [second]
    assert (await world.store.read(lambda conn: queues.depth(conn, None)))["outbox_failed"] == 1


async def test_deadlines_come_oldest_first_and_only_when_due(world: World) -> None:
    def put(desk: Any) -> None:
        for number in (3, 1, 2):
            key = f"lead.rung:{number}"
            desk.work.put(DeadlineRecord(key, DeadlineKind.LEAD_RUNG, number, at(number)))

    await world.store.run(put)
    assert await world.store.read(queues.next_deadline) == at(1)

    async def due(seconds: float) -> list[int]:
        found = await world.store.read(lambda conn: queues.due_deadlines(conn, at(seconds), 10))
        return [each.subject_id for each in found]

    assert await due(0.999) == []
    assert await due(2) == [1, 2]
    (first, *_) = await world.store.read(lambda conn: queues.due_deadlines(conn, at(2), 1))
    await world.store.database.write(lambda conn: queues.postpone_deadline(conn, first, at(10), "database away"))
    assert await due(5) == [2, 3]
    row = await world.row("deadline", key=first.key)
    assert (row.attempts, row.error) == (1, "database away")
    # Moved meanwhile: the postponement of the old one does nothing.
    await world.store.database.write(lambda conn: queues.postpone_deadline(conn, first, at(99), "again"))
    assert (await world.row("deadline", key=first.key)).due_at == at(10)
