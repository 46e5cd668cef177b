"""Clients whom a robot rings back: ordered by what happens, ended by whoever reaches them first."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from crm_core.errors import Conflict, InvalidInput
from crm_core.model.call import CallState
from crm_core.model.callback import CallbackReason, CallbackState, DialOutcome, DialPurpose, RobotRules
from crm_core.model.records import CallbackRecord
from crm_core.model.user import Role
from crm_core.services.acts import listing
from crm_core.services.calls import dials
from crm_core.services.cards import leads
from crm_core.services.duplicates import merging
from crm_core.services.letters import replies
from crm_core.services.watching import callbacks, cases
from crm_core.storage import dialling
from crm_core.storage.users import NewUser, add_user
from tests.integration.storage.robots import (
    CLIENT,
    OTHER,
    PERSON,
    ROBOTS,
    SPACING,
    TRUNK,
    order_at,
    over,
    pass_time,
    place,
    robot,
    send,
)
from tests.integration.storage.test_statements import cost
from tests.integration.storage.world import (
    World,
    answered,
    at,
    ended,
    form,
    message,
    missed,
    moved,
    ringing,
    share,
    talked,
    world_on,
)


@pytest.fixture
async def world(migrated_url: str) -> AsyncIterator[World]:
    async with world_on(migrated_url, ROBOTS) as made:
        yield made


async def due(world: World) -> list[dialling.DueCallback]:
    now = world.clock.now()
    return await world.store.read(lambda conn: dialling.due_callbacks(conn, now, 10))


async def rung(world: World, state: CallState, *endpoints: str) -> Any:
    """The robot rings, and it ends so; the callback afterwards."""
    dial = await robot(world)
    await send(world, dial)
    await world.take(over(dial, world.clock.now(), state, *endpoints))
    return await world.row("callback", id=dial.callback_id)


async def not_reached(world: World) -> Any:
    """The robot rings in vain."""
    return await rung(world, CallState.NO_ANSWER, PERSON, TRUNK)


# ---------------------------------------------------------------- who is rung back


async def test_a_missed_call_is_rung_back(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    row = await world.row("callback")
    assert (row.reason, row.state, row.due_at) == (CallbackReason.MISSED, CallbackState.WAITING, at(20))
    assert (row.number, row.pbx, row.line, row.author) == (CLIENT, "office", "+74951234567", "robot")
    (waiting,) = await due(world)
    assert (waiting.callback.id, waiting.listed, waiting.talking) == (row.id, False, False)
    await world.take(missed("c2", CLIENT, at(60)), missed("c1", CLIENT, at(0)))
    assert await world.rows("callback") == [row]
    dial = await robot(world)
    assert (dial.purpose, dial.announce, dial.callback_id) == (DialPurpose.MISSED, True, row.id)


async def test_the_number_that_called_is_rung_and_not_another_of_the_client(world: World) -> None:
    await world.take(message(7, "m1", at(0)), share(7, OTHER, at(1)), share(7, CLIENT, at(2)))
    await world.take(missed("c1", CLIENT, at(100)))
    assert (await world.row("callback")).number == CLIENT
    await world.take(form(at(200), phone=OTHER, callback_at=at(300)))
    row = await world.row("callback")
    assert (row.number, row.reason, row.due_at) == (OTHER, CallbackReason.ORDERED, at(300))


@pytest.mark.parametrize("rules", [RobotRules(), RobotRules(on_take=True)])
async def test_robots_that_are_off_do_nothing(migrated_url: str, rules: RobotRules) -> None:
    async with world_on(migrated_url, replace(ROBOTS, robot=rules)) as world:
        await world.take(missed("c1", CLIENT, at(0)), form(at(1), phone=OTHER, callback_at=at(60)))
        wish = replace(ended(ringing("c2", CLIENT, at(5)), 20, CallState.MISSED), wish_callback=True)
        await world.take(moved(wish))
        if not rules.on_take:
            lead = (await world.rows("lead", status="new"))[0]
            await world.store.run(lambda desk: leads.take(desk, lead.id, "ivan"))
        assert await world.rows("callback") == []


async def test_a_key_press_orders_what_a_missed_call_alone_would_not(migrated_url: str) -> None:
    async with world_on(migrated_url, replace(ROBOTS, robot=RobotRules(on_order=True))) as world:
        await world.take(missed("c1", CLIENT, at(0)))
        assert await world.rows("callback") == []
        wish = replace(ended(ringing("c2", CLIENT, at(60)), 2, CallState.ABANDONED), wish_callback=True)
        await world.take(moved(wish))
        row = await world.row("callback")
        assert (row.reason, row.due_at) == (CallbackReason.ORDERED, at(62))


async def test_a_visitor_orders_a_moment(world: World) -> None:
    await world.take(form(at(0), phone=CLIENT, name="Анна", callback_at=at(7200)))
    row = await world.row("callback")
    assert (row.reason, row.due_at, row.number) == (CallbackReason.ORDERED, at(7200), CLIENT)
    (note,) = [each.text for each in await world.rows("timeline", kind="system") if "обратный" in each.text]
    assert "02.03" in note
    assert await due(world) == []
    assert await world.store.read(lambda conn: dialling.next_callback(conn, at(0))) == at(7200)
    world.clock.set(at(7200))
    assert len(await due(world)) == 1


async def test_moments_past_and_far_away_are_brought_into_reach(world: World) -> None:
    await world.take(form(at(0), phone=CLIENT, callback_at=at(-900)))
    assert (await world.row("callback")).due_at == at(0)
    await world.take(form(at(1), phone=OTHER, callback_at=at(10**9)))
    assert (await world.row("callback", number=OTHER)).due_at == at(1) + timedelta(days=90)
    with pytest.raises(InvalidInput, match="90 days"):
        await order_at(world, CLIENT, at(10**9))
    await world.take(form(at(2), name="Без телефона", callback_at=at(60)))
    assert len(await world.rows("callback")) == 2


async def test_who_takes_a_lead_is_connected_at_once(world: World) -> None:
    await world.take(form(at(0), phone=CLIENT))
    lead = await world.row("lead")
    await world.store.run(lambda desk: leads.take(desk, lead.id, "petr"))
    row = await world.row("callback")
    assert (row.reason, row.manager, row.due_at) == (CallbackReason.TAKEN, "petr", at(0))
    assert (await robot(world, "petr")).announce is False


async def test_taking_a_lead_goes_before_a_missed_call_and_not_before_the_clients_wish(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)), form(at(1), phone=OTHER, callback_at=at(7200)))
    for lead in await world.rows("lead", status="new"):
        await world.store.run(partial(leads.take, lead_id=lead.id, login="petr"))
    first, other = await world.row("callback", number=CLIENT), await world.row("callback", number=OTHER)
    assert (first.reason, first.manager, first.due_at) == (CallbackReason.TAKEN, "petr", world.clock.now())
    assert (other.reason, other.due_at) == (CallbackReason.ORDERED, at(7200))


async def test_who_takes_a_lead_while_talking_is_connected_already(world: World) -> None:
    await world.take(moved(answered(ringing("c1", CLIENT, at(0)), 5)))
    lead = await world.row("lead")
    await world.store.run(lambda desk: leads.take(desk, lead.id, "ivan"))
    assert await world.rows("callback") == []


async def test_nobody_on_a_special_list_is_rung_back(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    contact = (await world.row("contact")).id
    await world.store.run(lambda desk: listing.list_contact(desk, contact, "чёрный список", "спам", "ivan"))
    row = await world.row("callback")
    assert row.state is CallbackState.CANCELLED
    assert "спам" in row.detail
    await world.take(missed("c2", CLIENT, at(600)), form(at(700), phone=CLIENT, callback_at=at(800)))
    assert len(await world.rows("callback")) == 1
    await order_at(world, CLIENT, at(900))
    world.clock.set(at(901))
    assert [each.listed for each in await due(world)] == [True]


async def test_a_promise_puts_the_robot_off(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    case = await world.row("contact_case")
    until = at(3600)
    await world.store.run(lambda desk: cases.promise(desk, case.id, "ivan", until))
    assert (await world.row("callback")).due_at == until
    sooner = at(1800)
    await world.store.run(lambda desk: cases.promise(desk, case.id, "ivan", sooner))
    assert (await world.row("callback")).due_at == until
    await world.take(missed("c2", CLIENT, at(60)))
    assert (await world.row("callback")).due_at == until


async def test_a_far_promise_keeps_no_call_out_of_the_record(world: World) -> None:
    await world.take(message(7, "m1", at(0)), share(7, CLIENT, at(1)))
    case = await world.row("contact_case")
    await world.store.run(lambda desk: cases.promise(desk, case.id, "ivan", at(0) + timedelta(days=200)))
    (receipt,) = await world.take(missed("c1", CLIENT, at(60)))
    assert receipt.state == "done"
    assert (await world.row("callback")).due_at == at(80) + timedelta(days=90)


# ---------------------------------------------------------------- attempts


async def test_in_vain_again_and_again_and_then_given_up(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    for attempt in (1, 2):
        row = await not_reached(world)
        assert (row.state, row.attempts) == (CallbackState.WAITING, attempt)
        assert row.due_at == world.clock.now() + SPACING
        assert await due(world) == []
        await pass_time(world, minutes=15)
        assert len(await due(world)) == 1
    row = await not_reached(world)
    assert (row.state, row.attempts, row.ended_at) == (CallbackState.GIVEN_UP, 3, world.clock.now())
    assert any("не дозвонился" in each.text for each in await world.rows("timeline", kind="system"))
    assert (await world.row("contact_case")).state == "open"
    await world.take(missed("c2", CLIENT, world.clock.now()))
    assert (await world.row("callback", state="waiting")).attempts == 0


async def test_the_next_attempt_is_not_at_night(world: World) -> None:
    evening = at(8 * 3600 + 50 * 60)  # 20:50 in Moscow
    await world.take(missed("c1", CLIENT, evening))
    row = await not_reached(world)
    assert row.due_at == datetime.fromisoformat("2026-03-03T06:00:00+00:00")


async def test_a_call_that_rang_nobody_is_no_attempt(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    for _ in range(4):
        await robot(world)
        await pass_time(world, seconds=15)
        row = await world.row("callback")
        assert (row.state, row.attempts) == (CallbackState.WAITING, 0)
        assert row.due_at == world.clock.now() + timedelta(minutes=1)
        await pass_time(world, minutes=1)


async def test_a_manager_who_does_not_take_it_and_silence_are_attempts(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    row = await rung(world, CallState.FAILED, PERSON)
    assert (row.state, row.attempts) == (CallbackState.WAITING, 1)
    await send(world, await robot(world))
    await pass_time(world, seconds=90)
    row = await world.row("callback")
    assert (row.state, row.attempts) == (CallbackState.WAITING, 2)
    outcomes = [each.outcome for each in await world.rows("dial")]
    assert outcomes == [DialOutcome.NOT_TAKEN, DialOutcome.UNKNOWN]


# ---------------------------------------------------------------- what ends it


async def test_a_client_who_answers_the_robot_is_reached(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    row = await rung(world, CallState.ANSWERED, PERSON, TRUNK)
    assert (row.state, row.attempts) == (CallbackState.REACHED, 1)
    assert (await world.row("contact_case")).state == "closed"


async def test_whoever_talks_with_the_client_ends_it(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    await world.take(talked("c2", CLIENT, at(100)))
    assert (await world.row("callback")).state is CallbackState.REACHED


async def test_a_reply_by_another_channel_ends_it(world: World) -> None:
    await world.take(message(7, "m1", at(0)), share(7, CLIENT, at(1)), missed("c1", CLIENT, at(10)))
    contact = (await world.row("contact")).id
    entry = await world.store.run(
        lambda desk: replies.reply(desk, contact, "ivan", channel="telegram", account="shop", text="Здравствуйте")
    )
    assert (await world.row("callback")).state is CallbackState.WAITING
    await world.store.run(lambda desk: replies.sent(desk, entry.id, ["o1"]))
    assert (await world.row("callback")).state is CallbackState.REACHED


@pytest.mark.parametrize("dialling_now", [False, True])
async def test_closing_the_case_by_hand_ends_it_also_while_it_is_dialled(world: World, dialling_now: bool) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    dial = await robot(world) if dialling_now else None
    case = await world.row("contact_case")
    await world.store.run(lambda desk: cases.close_by_hand(desk, case.id, "ivan", "ошиблись номером"))
    row = await world.row("callback")
    assert (row.state, row.detail) == (CallbackState.CANCELLED, "ошиблись номером")
    if dial is not None:
        await send(world, dial)
        await world.take(over(dial, world.clock.now(), CallState.NO_ANSWER, PERSON, TRUNK))
        assert (await world.row("callback")).state is CallbackState.CANCELLED


async def test_who_was_reached_while_the_robot_rang_is_not_rung_again(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    dial = await robot(world)
    await send(world, dial)
    await world.take(talked("c2", CLIENT, at(21)))
    assert (await world.row("callback")).state is CallbackState.REACHED
    (unwanted,) = await world.store.read(lambda conn: dialling.unwanted_dials(conn, ["office"]))
    assert (unwanted.dial_id, unwanted.linkedid) == (dial.id, dial.linkedid)
    await world.take(over(dial, at(25), CallState.FAILED, PERSON))
    assert await world.store.read(lambda conn: dialling.unwanted_dials(conn, ["office"])) == []
    assert (await world.row("callback")).state is CallbackState.REACHED


async def test_an_old_conversation_that_becomes_known_late_does_not_end_it(world: World) -> None:
    await world.take(message(7, "m1", at(0)), share(7, CLIENT, at(1)))
    await world.take(missed("c1", CLIENT, at(1000)))
    await world.take(talked("old", CLIENT, at(100)))
    assert (await world.row("callback")).state is CallbackState.WAITING


async def test_a_call_that_was_returned_before_it_became_known_is_not_rung_back(world: World) -> None:
    await world.take(talked("c2", CLIENT, at(100)))
    await world.take(missed("c1", CLIENT, at(0)))
    assert await world.rows("callback") == []


async def test_cancelling(world: World) -> None:
    row = await order_at(world, CLIENT, at(60))
    await world.store.run(lambda desk: callbacks.cancel(desk, row.id, "petr", "передумали"))
    found = await world.row("callback")
    assert (found.state, found.detail, found.ended_at) == (CallbackState.CANCELLED, "передумали", at(0))
    assert any("передумали" in each.text for each in await world.rows("timeline"))
    with pytest.raises(Conflict):
        await world.store.run(lambda desk: callbacks.cancel(desk, row.id, "petr", "again"))


async def test_late_truth_about_a_silent_attempt_ends_it(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    dial = await robot(world)
    await send(world, dial)
    await pass_time(world, seconds=90)
    assert (await world.row("callback")).state is CallbackState.WAITING
    await world.take(over(dial, at(25), CallState.ANSWERED, PERSON, TRUNK))
    assert (await world.row("callback")).state is CallbackState.REACHED


async def test_whatever_order_facts_come_in_who_was_reached_last_is_not_rung(world: World) -> None:
    """Misses and conversations of many clients, shuffled: a robot waits exactly where a case is open at the end."""
    chance = random.Random(11)
    facts = []
    for n in range(24):
        number, when = f"+7916000{n:04}", 0.0
        for step in range(chance.randint(1, 4)):
            when += chance.choice([60, 600])
            what = missed if chance.random() < 0.5 else talked
            facts.append(what(f"c{n}-{step}", number, at(when)))
    chance.shuffle(facts)
    for start in range(0, len(facts), 5):
        await world.take(*facts[start : start + 5])
    waiting = {row.contact_id for row in await world.rows("callback") if row.state.active}
    assert waiting == {row.contact_id for row in await world.rows("contact_case", state="open")}
    assert waiting


# ---------------------------------------------------------------- merging


async def both(world: World) -> tuple[int, int]:
    await world.take(missed("c1", CLIENT, at(0)), missed("c2", OTHER, at(0)))
    owners = {row.number: row.contact_id for row in await world.rows("callback")}
    return owners[CLIENT], owners[OTHER]


async def merge(world: World, survivor: int, absorbed: int) -> None:
    await world.store.run(
        lambda desk: merging.merge(desk, desk.work.contact(survivor), desk.work.contact(absorbed), "by hand", "ivan")
    )


async def test_of_two_that_wait_one_is_rung_and_both_again_when_parted(world: World) -> None:
    one, two = await both(world)
    before = [row[:5] for row in await world.rows("callback")]
    await merge(world, one, two)
    assert [(row.contact_id, row.number) for row in await world.rows("callback", state="waiting")] == [(one, CLIENT)]
    await world.store.run(lambda desk: merging.unmerge(desk, one, "ivan"))
    assert [row[:5] for row in await world.rows("callback")] == before


async def test_the_callback_of_a_contact_that_is_merged_goes_along(world: World) -> None:
    await world.take(message(7, "m1", at(0)), missed("c1", CLIENT, at(1)))
    one = (await world.row("identity", key="tg:7")).contact_id
    two = (await world.row("identity", key=f"tel:{CLIENT}")).contact_id
    await merge(world, one, two)
    row = await world.row("callback")
    assert (row.contact_id, row.state) == (one, CallbackState.WAITING)
    await world.take(talked("c3", CLIENT, at(100)))
    assert (await world.row("callback")).state is CallbackState.REACHED


async def test_merging_while_a_robot_rings_one_of_them(world: World) -> None:
    one, two = await both(world)
    (waiting,) = await world.rows("callback", number=OTHER)

    def ring(desk: Any) -> Any:
        record, contact = desk.work.owned(CallbackRecord, waiting.id)
        user = desk.work.staff.get("ivan")
        return dials.place(
            desk, contact, user, DialPurpose.MISSED, author="robot", number=OTHER, callback=record, confirmed=True
        )

    dial = await world.store.run(ring)
    await send(world, dial)
    await merge(world, one, two)
    (left,) = await world.rows("callback", state="waiting")
    assert (left.number, left.due_at) == (CLIENT, world.clock.now() + SPACING)
    with pytest.raises(Conflict):
        await place(world, CLIENT, "petr", confirmed=True)
    await world.take(over(dial, world.clock.now(), CallState.ANSWERED, PERSON, TRUNK))
    assert {row.state for row in await world.rows("callback")} == {CallbackState.REACHED, CallbackState.CANCELLED}
    await world.store.run(lambda desk: merging.unmerge(desk, one, "ivan"))
    assert (await world.row("callback", number=OTHER)).state is CallbackState.WAITING


# ---------------------------------------------------------------- what it costs


async def test_a_batch_of_missed_calls_costs_a_fixed_number_of_statements(world: World) -> None:
    numbers = [f"+7916{n:07}" for n in range(110)]
    await world.take(*(talked(f"first-{number}", number, at(0)) for number in numbers))
    again = [missed(f"again-{number}", number, at(1000)) for number in numbers]
    ten, hundred = await cost(world, again[:10]), await cost(world, again[10:])
    assert ten == hundred
    assert len(await world.rows("callback")) == 110
    back = [talked(f"back-{number}", number, at(2000)) for number in numbers]
    ten, hundred = await cost(world, back[:10]), await cost(world, back[10:])
    assert ten == hundred
    assert {row.state for row in await world.rows("callback")} == {CallbackState.REACHED}


async def test_a_batch_of_placed_calls_costs_a_fixed_number_of_statements(world: World) -> None:
    def hire(desk: Any) -> None:
        for n in range(22):
            add_user(desk, NewUser(f"user{n}", f"User {n}", Role.MANAGER, extension=f"2{n:02}"))

    await world.store.run(hire)
    ends = []
    for n in range(22):
        await order_at(world, f"+7916000{n:04}", at(0))
        dial = await robot(world, f"user{n}")
        await send(world, dial)
        ends.append(over(dial, at(1), CallState.NO_ANSWER, PERSON, f"PJSIP/{dial.number}@trunk"))
    few, many = await cost(world, ends[:4]), await cost(world, ends[4:])
    assert few == many
    assert {row.outcome for row in await world.rows("dial")} == {DialOutcome.NO_ANSWER}
    assert {(row.state, row.attempts) for row in await world.rows("callback")} == {(CallbackState.WAITING, 1)}


async def test_a_client_who_is_on_the_telephone_is_known_to_talk(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    await world.take(moved(ringing("c2", CLIENT, at(30))))
    assert [each.talking for each in await due(world)] == [True]
    await world.take(missed("c2", CLIENT, at(30)))
    assert [each.talking for each in await due(world)] == [False]
