"""Calls that the hub places: one at a time for a client and for a person, and always an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import permutations, product
from typing import Any

import pytest

from crm_core.errors import ConcurrentChange, Conflict, InvalidInput, NeedsConfirmation
from crm_core.model.call import CallState
from crm_core.model.callback import DialOutcome, DialPurpose, DialState
from crm_core.model.office import Line
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import DialRecord
from crm_core.model.user import Role
from crm_core.services.calls import dials
from crm_core.services.duplicates import merging
from crm_core.services.firing import fire
from crm_core.storage import database
from crm_core.storage.database import Database
from crm_core.storage.dialling import queued_dials
from crm_core.storage.store import Store
from crm_core.storage.users import NewUser, add_user
from tests.integration.storage.robots import (
    CLIENT,
    OTHER,
    PERSON,
    ROBOTS,
    TRUNK,
    over,
    pass_time,
    place,
    send,
    sent,
    told,
)
from tests.integration.storage.world import (
    LINE,
    POLICIES,
    World,
    answered,
    at,
    ended,
    message,
    missed,
    moved,
    ringing,
    talked,
    world_on,
)

NIGHT = timedelta(hours=12)  # midnight in Moscow


@pytest.fixture
async def world(migrated_url: str) -> AsyncIterator[World]:
    async with world_on(migrated_url, ROBOTS) as made:
        yield made


@pytest.fixture
async def second(world: World, migrated_url: str) -> AsyncIterator[World]:
    """Another process with the same database."""
    other = Database(migrated_url)
    yield World(Store(other, world.clock, ROBOTS, POLICIES), world.clock)
    await other.stop()


async def entry_of(world: World, dial: DialRecord) -> Any:
    return await world.row("timeline", external_id=dial.linkedid)


# ---------------------------------------------------------------- placing


async def test_a_placed_call_is_queued(world: World) -> None:
    dial = await place(world)
    row = await world.row("dial")
    assert (row.state, row.number, row.pbx, row.line) == (DialState.QUEUED, CLIENT, "office", LINE)
    assert (row.login, row.endpoint, row.purpose, row.author) == ("ivan", PERSON, DialPurpose.CLICK, "ivan")
    assert (row.created_at, row.expires_at, row.announce) == (at(0), at(15), False)
    assert dials.dial_of(row.linkedid) == dial.id
    assert await world.store.read(lambda conn: queued_dials(conn, ["office"], at(14), 10)) == [dial.id]
    assert await world.store.read(lambda conn: queued_dials(conn, ["office"], at(15), 10)) == []
    assert await world.store.read(lambda conn: queued_dials(conn, ["elsewhere"], at(0), 10)) == []
    assert await world.rows("call") == []


@pytest.mark.parametrize(
    ("linkedid", "number"),
    [
        ("1795314567.hub4711", 4711),
        ("1795314567.8", None),
        ("", None),
        (".hub", None),
        ("1.hub-1", None),
        ("1.hub²", None),
        ("1.hub" + "9" * 30, None),
    ],
)
def test_the_id_of_a_placed_call_names_it(linkedid: str, number: int | None) -> None:
    assert dials.dial_of(linkedid) == number


async def test_nobody_is_rung_twice_at_a_time(world: World) -> None:
    await place(world)
    with pytest.raises(Conflict, match="уже звонят: Ivan"):
        await place(world, login="petr", confirmed=True)
    with pytest.raises(Conflict, match="Ivan уже соединяют"):
        await place(world, OTHER, confirmed=True)
    await place(world, OTHER, "petr")
    assert len(await world.rows("dial")) == 2


async def test_two_presses_at_once_ring_once(world: World, second: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)), missed("c2", OTHER, at(0)))
    for number in (CLIENT, OTHER):
        placed = await asyncio.gather(
            *(place(each, number, login) for each in (world, second) for login in ("ivan", "petr")),
            return_exceptions=True,
        )
        won = [each for each in placed if isinstance(each, DialRecord)]
        assert len(won) == 1
        assert sum(isinstance(each, Conflict) for each in placed) == 3
        await world.store.run(partial(dials.refused, dial_id=won[0].id, detail="no"))


async def test_a_person_who_presses_for_two_clients_at_once_is_rung_once(world: World, second: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)), missed("c2", OTHER, at(0)))
    placed = await asyncio.gather(place(world, CLIENT), place(second, OTHER), return_exceptions=True)
    assert sorted(type(each).__name__ for each in placed) == ["Conflict", "DialRecord"]


@pytest.mark.parametrize("same", ["contact_id", "login"])
async def test_the_database_itself_refuses_a_second(world: World, monkeypatch: pytest.MonkeyPatch, same: str) -> None:
    monkeypatch.setattr(database, "_RETRY_S", 0.0)
    first, other = await place(world), await place(world, OTHER, "petr")
    double = first._replace(
        id=first.id + 10**9,
        linkedid="x.hub1",
        **{each: getattr(other, each) for each in ("contact_id", "login") if each != same},
    )
    await world.store.run(lambda desk: dials.refused(desk, other.id, "no"))
    with pytest.raises(ConcurrentChange):
        await world.store.run(lambda desk: desk.work.put(double))
    await world.store.run(lambda desk: dials.refused(desk, first.id, "no"))
    await world.store.run(lambda desk: desk.work.put(double))


async def test_what_can_not_be_dialled_is_said(world: World) -> None:
    with pytest.raises(InvalidInput, match="no extension"):
        await place(world, login="olga")
    with pytest.raises(InvalidInput, match="not among the configured lines"):
        await place(world, line="+74950000000")
    assert await world.rows("dial") == await world.rows("contact") == []


async def test_a_client_without_a_telephone_can_not_be_called(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    contact = await world.row("contact")

    def service(desk: Any) -> None:
        user = desk.work.staff.get("ivan")
        dials.place(desk, desk.work.contact(contact.id), user, DialPurpose.CLICK, author="ivan")

    with pytest.raises(InvalidInput, match="нет телефона"):
        await world.store.run(service)


async def test_without_a_trunk_nobody_is_called(migrated_url: str) -> None:
    async with world_on(migrated_url, replace(ROBOTS, outward=())) as world:
        with pytest.raises(InvalidInput, match="trunk"):
            await place(world)


async def test_the_client_sees_the_line_by_which_they_know_the_office(migrated_url: str) -> None:
    lines = (
        Line("+74951111111", "office", AccountPolicy()),
        Line(LINE, "office", AccountPolicy(group="sales")),
        Line("+74952222222", "office", AccountPolicy()),
    )
    vera = NewUser("vera", "Вера", Role.MANAGER, extension="105", group="sales")
    async with world_on(migrated_url, replace(ROBOTS, lines=lines)) as world:
        await world.store.run(lambda desk: add_user(desk, vera))
        of_group, first = await place(world, "+79160000001", "vera"), await place(world, "+79160000002", "petr")
        assert (of_group.line, first.line) == (LINE, "+74951111111")
        for dial in (of_group, first):
            await world.store.run(partial(dials.refused, dial_id=dial.id, detail="no"))
        call = replace(ringing("c1", CLIENT, at(1)), line="74952222222")
        await world.take(moved(ended(call, 20, CallState.MISSED)))
        known = await place(world)
        assert known.line == "+74952222222"
        await world.store.run(lambda desk: dials.refused(desk, known.id, "no"))
        assert (await place(world, line="8 495 111 11 11")).line == "+74951111111"


# ---------------------------------------------------------------- hours


async def test_at_night_a_call_has_to_be_confirmed(world: World) -> None:
    world.clock.advance(NIGHT)
    with pytest.raises(NeedsConfirmation, match="00:00"):
        await place(world)
    assert await world.rows("contact") == []
    assert (await place(world, confirmed=True)).state is DialState.QUEUED


async def test_the_hours_are_the_clients_own(world: World) -> None:
    vladivostok = "+74232123456"
    world.clock.advance(timedelta(hours=3))  # 15:00 in Moscow, 22:00 there
    with pytest.raises(NeedsConfirmation, match="Vladivostok"):
        await place(world, vladivostok)
    await place(world, CLIENT)


async def test_who_is_talking_is_called_only_when_confirmed(world: World) -> None:
    call = ringing("c1", CLIENT, at(0))
    await world.take(moved(call))
    with pytest.raises(NeedsConfirmation, match="разговаривает"):
        await place(world)
    await world.take(moved(ended(answered(call, 5), 60)))
    await place(world)


# ---------------------------------------------------------------- handing over


async def test_a_call_is_taken_to_be_sent_once(world: World, second: World) -> None:
    dial = await place(world)
    taken = await asyncio.gather(*(send(each, dial) for each in (world, second, world, second)))
    (mark,) = [each for each in taken if each is not None]
    assert (mark.state, mark.sent_at) == (DialState.SENT, at(0))
    assert await send(world, dial) is None


async def test_a_call_that_came_too_late_is_not_sent(world: World) -> None:
    dial = await place(world)
    world.clock.advance(15)
    assert await send(world, dial) is None


async def test_a_call_that_is_not_handed_over_in_time_failed(world: World) -> None:
    dial = await place(world)
    await pass_time(world, seconds=14)
    assert (await world.row("dial")).state is DialState.QUEUED
    await pass_time(world, seconds=1)
    row = await world.row("dial")
    assert (row.state, row.outcome, row.ended_at) == (DialState.ENDED, DialOutcome.NOT_SENT, at(15))
    call, entry = await world.row("call"), await entry_of(world, dial)
    assert (call.state, call.id, call.linkedid) == (CallState.FAILED, row.call_id, dial.linkedid)
    assert (call.contact_id, call.entry_id, call.line) == (dial.contact_id, entry.id, LINE)
    assert (entry.kind, entry.direction, entry.author) == ("call", "out", "Ivan")
    assert "АТС недоступна" in entry.text
    assert await world.deadlines() == []
    await place(world)


async def test_what_was_surely_not_handed_over_stands_in_the_queue_again(world: World) -> None:
    dial = await sent(world)
    world.clock.advance(5)
    await world.store.run(lambda desk: dials.not_handed_over(desk, dial.id, "away"))
    row = await world.row("dial")
    assert (row.state, row.sent_at, row.expires_at) == (DialState.QUEUED, None, at(15))
    assert await send(world, dial) is not None
    world.clock.advance(10)
    await world.store.run(lambda desk: dials.not_handed_over(desk, dial.id, "away for long"))
    row = await world.row("dial")
    assert (row.state, row.outcome, row.detail) == (DialState.ENDED, DialOutcome.NOT_SENT, "away for long")


async def test_back_in_the_queue_it_still_expires(world: World) -> None:
    dial = await sent(world)
    await world.store.run(lambda desk: dials.not_handed_over(desk, dial.id, "away"))
    await pass_time(world, seconds=15)
    assert (await world.row("dial")).outcome is DialOutcome.NOT_SENT


async def test_a_refusal_stands_on_the_timeline(world: World) -> None:
    dial = await sent(world)
    await world.store.run(lambda desk: dials.refused(desk, dial.id, "Extension does not exist"))
    await world.store.run(lambda desk: dials.refused(desk, dial.id, "twice"))
    await world.store.run(lambda desk: dials.not_handed_over(desk, dial.id, "late"))
    row = await world.row("dial")
    assert (row.outcome, row.detail) == (DialOutcome.FAILED, "Extension does not exist")
    assert (await entry_of(world, dial)).text == "Extension does not exist"
    assert len(await world.rows("call")) == 1


# ---------------------------------------------------------------- what the PBX tells


ENDS = (
    (CallState.ANSWERED, (PERSON, TRUNK), DialOutcome.ANSWERED),
    (CallState.BUSY, (PERSON, TRUNK), DialOutcome.BUSY),
    (CallState.NO_ANSWER, (PERSON, TRUNK), DialOutcome.NO_ANSWER),
    (CallState.FAILED, (PERSON, TRUNK), DialOutcome.FAILED),
    (CallState.FAILED, (PERSON,), DialOutcome.NOT_TAKEN),
    (CallState.FAILED, (), DialOutcome.FAILED),
)


async def test_every_end_of_a_call_is_told(world: World) -> None:
    for number, (state, endpoints, outcome) in enumerate(ENDS):
        dial = await sent(world, f"+7916000{number:04}")
        start = world.clock.now()
        await world.take(moved(told(dial, start, PERSON)))
        row, call = await world.row("dial", id=dial.id), await world.row("call", linkedid=dial.linkedid)
        assert (row.state, row.call_id) == (DialState.SENT, call.id)
        await world.take(over(dial, start, state, *endpoints))
        row, call = await world.row("dial", id=dial.id), await world.row("call", linkedid=dial.linkedid)
        assert (row.state, row.outcome, row.ended_at) == (DialState.ENDED, outcome, world.clock.now())
        assert (call.state, call.line) == (state, LINE)
        assert (await entry_of(world, dial)).kind == "call"
    assert [each.key for each in await world.deadlines() if each.kind == "dial"] == []


async def test_in_whatever_order_the_facts_of_a_call_come(world: World) -> None:
    """Also those of the records that tell of it later; with every new order another client."""
    ends = []
    for number, order in enumerate(permutations(range(4))):
        dial = await sent(world, f"+7916000{number:04}")
        start = world.clock.now()
        begun = told(dial, start, PERSON)
        talk = answered(replace(begun, legs=told(dial, start, PERSON, TRUNK).legs), 5, PERSON)
        facts = [moved(begun), moved(talk), moved(ended(talk, 60)), moved(replace(ended(talk, 60), settled=True))]
        for index in order:
            await world.take(facts[index])
        row, call = await world.row("dial", id=dial.id), await world.row("call", linkedid=dial.linkedid)
        ends.append((row.state, row.outcome, row.call_id == call.id, call.state, call.talk_s, call.line, call.progress))
    assert set(ends) == {(DialState.ENDED, DialOutcome.ANSWERED, True, CallState.ANSWERED, 55.0, LINE, 6)}


async def test_silence_ends_a_call(world: World) -> None:
    dial = await sent(world)
    await pass_time(world, seconds=44)
    assert (await world.row("dial")).state is DialState.SENT
    await pass_time(world, seconds=1)
    row = await world.row("dial")
    assert (row.state, row.outcome) == (DialState.ENDED, DialOutcome.UNKNOWN)
    assert "ничего" in (await entry_of(world, dial)).text
    assert (await world.row("call")).state is CallState.FAILED


async def test_what_is_told_after_the_silence_is_believed(world: World) -> None:
    states = (CallState.ANSWERED, CallState.BUSY, CallState.NO_ANSWER, CallState.FAILED)
    for number, (state, settled) in enumerate(product(states, (True, False))):
        dial, start = await sent(world, f"+7916000{number:04}"), world.clock.now()
        await pass_time(world, seconds=90)
        call = told(dial, start, PERSON, TRUNK)
        if state is CallState.ANSWERED:
            call = answered(call, 5, PERSON)
        await world.take(moved(replace(ended(call, 60, state), settled=settled)))
        row, known = await world.row("dial", id=dial.id), await world.row("call", linkedid=dial.linkedid)
        entry = await entry_of(world, dial)
        assert (row.state, row.outcome) == (DialState.ENDED, DialOutcome(state.value))
        assert (known.state, known.id, known.entry_id) == (state, row.call_id, entry.id)
        assert entry.text == ""
        assert (entry.signal == "talk") == (state is CallState.ANSWERED)


async def test_a_call_that_shows_up_after_the_silence_goes_on(world: World) -> None:
    dial = await sent(world)
    await pass_time(world, seconds=90)
    call = told(dial, at(1), PERSON)
    await world.take(moved(call))
    assert (await world.row("call")).state is CallState.RINGING
    await world.take(moved(ended(answered(call, 200, PERSON), 260)))
    assert (await world.row("dial")).outcome is DialOutcome.ANSWERED


async def test_a_call_that_goes_on_is_looked_at_again_until_nobody_talks_that_long(world: World) -> None:
    dial = await sent(world)
    await world.take(moved(told(dial, at(1), PERSON)))
    await pass_time(world, seconds=90)
    assert (await world.row("dial")).state is DialState.SENT
    await pass_time(world, hours=5)
    assert (await world.row("dial")).state is DialState.SENT
    await pass_time(world, hours=1)
    row = await world.row("dial")
    assert (row.state, row.outcome) == (DialState.ENDED, DialOutcome.UNKNOWN)
    assert len(await world.rows("call")) == 1


async def test_calls_of_others_move_nothing(world: World) -> None:
    dial = await sent(world)
    strange = dial._replace(linkedid=f"1.hub{dial.id}"), dial._replace(linkedid="1.hub99999")
    for each in strange:
        await world.take(over(each, at(1), CallState.BUSY, PERSON, TRUNK))
    await world.take(talked("c1", OTHER, at(1)))
    assert (await world.row("dial")).state is DialState.SENT


async def test_a_deadline_that_was_moved_does_nothing(world: World) -> None:
    dial = await place(world)
    (old,) = await world.deadlines()
    await send(world, dial)
    world.clock.advance(20)
    await world.store.run(lambda desk: fire(desk, old))
    assert (await world.row("dial")).state is DialState.SENT


# ---------------------------------------------------------------- two contacts that are one person


async def contact_of(world: World, number: str) -> int:
    return int((await world.row("identity", key=f"tel:{number}")).contact_id)


async def merge(world: World, survivor: int, absorbed: int) -> None:
    await world.store.run(
        lambda desk: merging.merge(desk, desk.work.contact(survivor), desk.work.contact(absorbed), "by hand", "ivan")
    )


async def test_a_call_goes_on_with_the_contact_that_its_client_became(world: World) -> None:
    await world.take(missed("c1", OTHER, at(0)))
    dial = await sent(world)
    one, two = await contact_of(world, OTHER), await contact_of(world, CLIENT)
    await merge(world, one, two)
    assert (await world.row("dial")).contact_id == one
    with pytest.raises(Conflict, match="уже звонят"):
        await place(world, OTHER, "petr")
    await world.store.run(lambda desk: merging.unmerge(desk, one, "ivan"))
    assert (await world.row("dial")).contact_id == two
    await place(world, OTHER, "petr")
    await world.take(over(dial, at(1), CallState.NO_ANSWER, PERSON, TRUNK))
    assert (await world.row("dial", id=dial.id)).outcome is DialOutcome.NO_ANSWER


async def test_two_that_are_being_called_both_end_where_somebody_looks(world: World) -> None:
    one, two = await sent(world, CLIENT), await sent(world, OTHER, "petr")
    await merge(world, one.contact_id, two.contact_id)
    assert {row.contact_id for row in await world.rows("dial")} == {one.contact_id, two.contact_id}
    await world.store.run(lambda desk: dials.refused(desk, two.id, "no"))
    assert (await entry_of(world, two)).contact_id == one.contact_id
    assert (await world.row("call")).contact_id == one.contact_id
    await world.take(over(one, at(1), CallState.BUSY, PERSON, TRUNK))
    assert {row.state for row in await world.rows("dial")} == {DialState.ENDED}


async def test_a_contact_that_was_merged_is_not_called(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)), missed("c2", OTHER, at(0)))
    one, two = await contact_of(world, CLIENT), await contact_of(world, OTHER)
    await merge(world, one, two)

    def service(desk: Any) -> None:
        user = desk.work.staff.get("ivan")
        dials.place(desk, desk.work.contact(two), user, DialPurpose.CLICK, author="ivan", number=OTHER)

    with pytest.raises(Conflict, match="merged"):
        await world.store.run(service)
