"""Merging two contacts on evidence, and getting back exactly what was there."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.services import firing
from crm_core.services.duplicates import merging
from crm_core.services.watching import cases
from crm_core.storage import queues
from tests.integration.storage.world import World, at, edit, form, left_by_merges, message, missed, share, talked

CLIENT = "+79161234567"
TABLES = ("contact", "identity", "lead", "contact_case", "call", "timeline", "deal", "deadline")
# What an undone merge may leave behind: when and how often the contact was touched, its two notes on the timeline.
PASSING = {"updated_at", "version"}


async def owner(world: World, key: str) -> int:
    return int((await world.row("identity", key=key)).contact_id)


async def test_an_own_card_with_a_number_that_another_contact_holds_makes_them_one(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    await world.take(missed("c1", CLIENT, at(100)))
    holder = await owner(world, f"tel:{CLIENT}")
    await world.take(share(7, CLIENT, at(200)))
    assert await owner(world, "tg:7") == holder
    assert {row.contact_id for row in await world.rows("timeline")} == {holder}
    lead = await world.row("lead", status="new")
    assert (lead.contact_id, lead.channel, lead.first_fact_at) == (holder, "telegram", at(0))
    case = await world.row("contact_case", state="open")
    assert (case.contact_id, case.kind, case.opened_at, case.facts) == (holder, "call", at(0), 3)


async def test_unmerging_gives_back_exactly_what_was_there(world: World) -> None:
    await world.take(message(7, "m1", at(0), name="Анна"), edit(7, "m1", at(10), "иначе"))
    await world.take(form(at(50), name="Анна Иванова", phone=CLIENT, fields=(("город", "Омск"),)))
    await world.take(missed("c1", CLIENT, at(100)))
    await world.take(talked("c2", CLIENT, at(500)), missed("c3", CLIENT, at(900)))
    one, two = await owner(world, f"tel:{CLIENT}"), await owner(world, "tg:7")
    promised = await world.row("contact_case", contact_id=two)
    until = at(7000)
    await world.store.run(lambda desk: cases.promise(desk, promised.id, "petr", until))
    before = await left_by_merges(world, TABLES, PASSING)

    def join(desk: Any) -> None:
        found = desk.work.contacts([one, two])
        merging.merge(desk, found[one], found[two], "by hand", "ivan")

    await world.store.run(join)
    assert {row.contact_id for row in await world.rows("timeline")} == {one}
    assert len(await world.rows("lead", status="new")) == 1
    assert len(await world.rows("contact_case", state="open")) == 1
    world.clock.advance(100)
    await world.store.run(lambda desk: merging.unmerge(desk, one, "ivan"))
    after = await left_by_merges(world, TABLES, PASSING)
    for name in TABLES:
        assert after[name] == before[name], name


async def test_what_came_since_a_merge_stays_with_the_survivor(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    await world.take(missed("c1", CLIENT, at(100)))
    await world.take(share(7, CLIENT, at(200)))
    await world.take(message(7, "m2", at(300)))
    survivor = await owner(world, f"tel:{CLIENT}")
    given_back = await world.store.run(lambda desk: merging.unmerge(desk, survivor, "ivan"))
    assert given_back.merged_into is None
    assert await owner(world, "tg:7") == given_back.id
    texts = [row.text for row in await world.rows("timeline", contact_id=given_back.id)]
    assert texts == ["text m1"]
    case = await world.row("contact_case", contact_id=given_back.id, state="open")
    assert (case.opened_at, case.facts) == (at(0), 1)
    with pytest.raises(NotFound):
        await world.store.run(lambda desk: merging.unmerge(desk, survivor, "ivan"))


async def test_a_contact_is_merged_once_and_never_with_itself(world: World) -> None:
    await world.take(message(7, "m1", at(0)), message(8, "m1", at(1)), message(9, "m1", at(2)))
    ids = [await owner(world, f"tg:{user}") for user in (7, 8, 9)]

    def join(first: int, other: int) -> Any:
        def run(desk: Any) -> None:
            found = desk.work.contacts([first, other])
            merging.merge(desk, found[first], found[other], "by hand", "ivan")

        return run

    with pytest.raises(InvalidInput):
        await world.store.run(join(ids[0], ids[0]))
    await world.store.run(join(ids[0], ids[1]))
    with pytest.raises(Conflict):
        await world.store.run(join(ids[2], ids[1]))


async def test_strangers_whose_card_merges_them_in_one_batch(world: World) -> None:
    await world.take(
        message(7, "m1", at(0)),
        missed("c1", CLIENT, at(10)),
        share(7, CLIENT, at(60)),
        edit(7, "m1", at(70), "иначе"),
        message(7, "m2", at(80)),
    )
    survivor = await owner(world, f"tel:{CLIENT}")
    assert await owner(world, "tg:7") == survivor
    assert {row.contact_id for row in await world.rows("timeline")} == {survivor}
    assert (await world.row("timeline", external_id=(await world.rows("journal"))[0].external_id)).text == "иначе"
    assert (await world.row("contact_case", state="open")).facts == 4


async def test_after_an_unmerge_the_ladder_of_a_lead_goes_on_where_it_was(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)), message(7, "m1", at(0)))
    for case in await world.rows("contact_case"):
        await world.store.run(partial(cases.close_by_hand, case_id=case.id, login="ivan", reason="ок"))
    world.clock.set(at(5 * 3600))
    for deadline in await world.store.read(lambda conn: queues.due_deadlines(conn, world.clock.now(), 10)):
        await world.store.run(partial(firing.fire, deadline=deadline))
    before = await world.deadlines()
    assert [each.rung for each in before] == [1, 1]
    await world.take(share(7, CLIENT, at(5 * 3600)))
    survivor = await owner(world, f"tel:{CLIENT}")
    await world.store.run(lambda desk: merging.unmerge(desk, survivor, "ivan"))
    leads = [each for each in await world.deadlines() if each.kind == "lead.rung"]
    assert sorted(leads) == sorted(before)


async def test_a_card_that_is_not_the_senders_own_proves_nothing(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    await world.take(share(7, CLIENT, at(60), own=False))
    assert await owner(world, "tg:7") != await owner(world, f"tel:{CLIENT}")


async def test_a_form_links_only_what_nobody_holds(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)), message(7, "m1", at(0)))
    await world.take(form(at(60), phone=f"{CLIENT}, 8 916 000-00-01", email="Anna@B.Example"))
    holder = await owner(world, f"tel:{CLIENT}")
    assert await owner(world, "tel:+79160000001") == holder
    assert await owner(world, "mailto:anna@b.example") == holder
    await world.take(form(at(90), phone="+79160000002", email="anna@b.example", name="Кто-то"))
    assert await owner(world, "tel:+79160000002") == holder
