"""Several writers at once, on both engines: nothing twice, nothing lost, nothing behind a cursor."""

from __future__ import annotations

import asyncio
from functools import partial
from random import Random
from typing import Any

from sqlalchemy import Connection, Select, select

from crm_core.messages import MessageDeleted
from crm_core.model.call import CallState
from crm_core.services.desk import Desk
from crm_core.services.duplicates import merging
from crm_core.storage import tables
from tests.integration.storage.world import (
    PBX,
    SHOP,
    World,
    answered,
    at,
    edit,
    ended,
    fact,
    mail,
    message,
    missed,
    moved,
    ringing,
    share,
    talked,
    tg,
)


def _rows(conn: Connection, statement: Select[Any]) -> list[Any]:
    return list(conn.execute(statement).all())


def _join(desk: Desk, survivor: int, absorbed: int) -> object:
    found = desk.work.contacts([survivor, absorbed])
    return merging.merge(desk, found[survivor], found[absorbed], "by hand", "ivan")


async def test_two_first_messages_at_the_same_instant_make_one_contact_and_one_lead(
    world: World, second: World
) -> None:
    for user in range(9000, 9020):
        one, other = message(user, "a", at(0)), message(user, "b", at(0))
        await asyncio.gather(world.take(one), second.take(other))
    assert len(await world.rows("contact")) == 20
    assert len(await world.rows("identity")) == 20
    assert len(await world.rows("lead", status="new")) == 20
    assert [case.facts for case in await world.rows("contact_case")] == [2] * 20
    assert len(await world.rows("timeline")) == 40


async def test_a_call_a_form_and_a_share_of_one_stranger_at_once(world: World, second: World) -> None:
    for n in range(10):
        number = f"+7916000000{n}"
        await asyncio.gather(
            world.take(missed(f"c{n}", number, at(0))),
            second.take(share(9000 + n, number, at(1))),
            world.take(message(9000 + n, "a", at(2))),
            second.take(talked(f"t{n}", number, at(300))),
        )
    contacts = [row for row in await world.rows("contact") if row.merged_into is None]
    assert len(contacts) == 10
    assert {row.contact_id for row in await world.rows("identity")} == {row.id for row in contacts}
    assert len(await world.rows("lead", status="new")) == 10
    owners = {row.contact_id for row in await world.rows("timeline")}
    assert owners == {row.id for row in contacts}, "nothing stands on a contact that was merged away"
    assert {case.state for case in await world.rows("contact_case")} == {"closed"}


async def test_the_same_fact_at_once_is_taken_once(world: World, second: World) -> None:
    for n in range(20):
        event = message(9000, f"m{n}", at(n))
        await asyncio.gather(world.take(event), second.take(event), world.take(event))
    assert len(await world.rows("journal")) == 20
    assert (await world.row("contact_case")).facts == 20


async def test_parallel_batches_lose_nothing_and_no_entry_appears_behind_a_cursor(world: World, second: World) -> None:
    random = Random(7)
    writers = 4
    batches = [
        [
            random.choice(
                [
                    message(9000 + random.randrange(30), f"w{writer}-{turn}-{n}", at(turn * 60 + n)),
                    missed(f"call-{writer}-{turn}-{n}", f"+791600000{random.randrange(10, 40)}", at(turn * 60 + n)),
                    mail(f"c{random.randrange(20)}@b.example", f"w{writer}-{turn}-{n}", at(turn * 60 + n)),
                ]
            )
            for n in range(20)
        ]
        for writer in range(writers)
        for turn in range(12)
    ]
    world.clock.set(at(100_000))
    done = asyncio.Event()

    async def write(number: int) -> None:
        side = world if number % 2 else second
        for batch in batches[number::writers]:
            await side.take(*batch)

    async def follow() -> list[tuple[int, int]]:
        """Read by cursor, as a browser or an API client does, while the others write."""
        found: list[tuple[int, int]] = []
        cursor = 0
        last = False
        while True:
            query = select(tables.timeline.c.seq, tables.timeline.c.id).where(tables.timeline.c.seq > cursor)
            ordered = query.order_by(tables.timeline.c.seq)
            rows = await second.store.read(partial(_rows, statement=ordered))
            found.extend((row.seq, row.id) for row in rows)
            cursor = max([cursor, *(row.seq for row in rows)])
            if last:
                return found
            last = done.is_set()
            await asyncio.sleep(0)

    reader = asyncio.create_task(follow())
    try:
        await asyncio.gather(*(write(number) for number in range(writers)))
    finally:
        done.set()
    found = await reader
    entries = await world.rows("timeline")
    assert len({seq for seq, _ in found}) == len(found)
    assert {ident for _, ident in found} == {row.id for row in entries}
    assert len(await world.rows("journal")) == sum(len(batch) for batch in batches)
    assert len([row for row in entries if row.kind in {"message", "call", "email"}]) == len(await world.rows("journal"))
    loads = {row.login: row.open_leads for row in await world.rows("assignee_load")}
    leads = [row.manager for row in await world.rows("lead", status="new")]
    assert loads == {login: leads.count(login) for login in loads}
    feed = [row.position for row in await world.rows("feed")]
    assert feed == sorted(set(feed))


async def test_a_deletion_and_an_edit_of_one_message_at_once_both_last(world: World, second: World) -> None:
    for n in range(15):
        await world.take(message(9000, f"m{n}", at(n)))
        anonymous = fact(SHOP, MessageDeleted((f"m{n}",), at(60)), at(60), conversation="9000")
        await asyncio.gather(world.take(edit(9000, f"m{n}", at(50), "changed")), second.take(anonymous))
    entries = await world.rows("timeline", kind="message")
    assert [(row.text, row.deleted_at) for row in entries] == [("changed", at(60))] * 15


async def test_transitions_of_one_internal_call_at_once_never_step_back(world: World, second: World) -> None:
    for n in range(15):
        call = ringing(f"c{n}", "102", at(0))
        talk = answered(call, 5)
        await world.take(moved(call))
        await asyncio.gather(world.take(moved(talk)), second.take(moved(ended(talk, 60))))
    calls = await world.rows("call", pbx=PBX.account)
    assert [(row.state, row.finished_at) for row in calls] == [(CallState.ANSWERED, at(60))] * 15


async def test_facts_of_a_contact_that_is_merged_at_this_moment_go_to_the_survivor(world: World, second: World) -> None:
    for n in range(10):
        one, two = 100 + n, 200 + n
        await world.take(message(one, "a", at(0)), message(two, "a", at(1)))
        ids = {row.key: row.contact_id for row in await world.rows("identity")}
        survivor, absorbed = ids[str(tg(one))], ids[str(tg(two))]

        await asyncio.gather(
            world.store.run(partial(_join, survivor=survivor, absorbed=absorbed)),
            second.take(message(two, "b", at(2))),
            second.take(message(one, "b", at(3))),
        )
        assert {row.contact_id for row in await world.rows("timeline") if row.contact_id in {survivor, absorbed}} == {
            survivor
        }
        assert (await world.row("contact_case", contact_id=survivor)).facts == 4
