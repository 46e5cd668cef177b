"""What people of the office press under a notification, and the ladders of leads and deals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from crm_core.messages import InboundEvent, Receipt, ReceiptState, StaffAct, StaffCommand
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.ladder import Ladder, LadderEvent, Ladders, LadderStep, Told
from crm_core.model.records import DealRecord
from crm_core.services.cards.leads import take
from crm_core.services.cards.pipelines import beginning
from crm_core.services.desk import Desk
from crm_core.services.intake.receive import receive
from crm_core.services.watching.ladders import watch_deal
from crm_core.storage import queues
from crm_core.storage.store import Store
from hub.workers import DeadlineWorker
from tests.integration.hub.world import OFFICE, World, message

IVAN, STRANGER = 900_011, 555


async def taken(store: Store, *events: InboundEvent) -> list[Receipt]:
    return await store.run(lambda desk: receive(desk.work, events, desk.office, desk.policies))


async def press(world: World, act: StaffAct, argument: str = "", who: int = IVAN, case: int | None = None) -> Receipt:
    found = case or int(str((await world.rows("SELECT id FROM contact_case"))[0][0]))
    number = await world.count("journal")
    actor = Identity(IdentityKind.TG, str(who))
    event = replace(
        message(f"press{number}", who, clock=world.clock), payload=StaffCommand(actor, act, found, argument)
    )
    return (await taken(world.stores[0], event))[0]


async def fire(world: World) -> None:
    worker = DeadlineWorker(world.stores[0], world.clock, world.metrics)
    while await worker.fire_due():
        pass


async def state(world: World) -> tuple[object, ...]:
    return (await world.rows("SELECT state, rung, manager, reason FROM contact_case"))[0]


async def test_taken_makes_the_case_and_the_lead_theirs_and_the_ladder_goes_on(world: World) -> None:
    await taken(world.stores[0], message("u1"))
    receipt = await press(world, StaffAct.TAKEN, who=900_012)
    assert receipt.state is ReceiptState.DONE
    assert "Kira" in receipt.answer
    assert await state(world) == ("open", 0, "kira", None)
    assert await world.rows("SELECT status, manager FROM lead") == [("taken", "kira")]
    world.clock.advance(timedelta(hours=24))
    await fire(world)
    assert (await state(world))[1] == 1


async def test_a_promise_pauses_the_ladder_and_broken_tells_the_next_rung_at_once(world: World) -> None:
    await taken(world.stores[0], message("u1"))
    await press(world, StaffAct.PROMISE, "15")
    assert await world.rows("SELECT kind FROM deadline") == [("case.promise",)]
    world.clock.advance(timedelta(minutes=14))
    await fire(world)
    assert await state(world) == ("open", 0, "ivan", None)
    world.clock.advance(timedelta(minutes=2))
    await fire(world)
    assert await state(world) == ("open", 1, "ivan", None)
    assert await world.rows("SELECT promised_at FROM contact_case") == [(None,)]


async def test_a_promise_broken_on_the_last_rung_is_told_again(world: World) -> None:
    await taken(world.stores[0], message("u1"))
    world.clock.advance(timedelta(hours=24))
    await fire(world)
    before = await world.count("outbox", "kind = 'notification'")
    await press(world, StaffAct.PROMISE, "5")
    world.clock.advance(timedelta(minutes=6))
    await fire(world)
    assert await world.count("outbox", "kind = 'notification'") == before + 2


async def test_closing_with_a_reason(world: World) -> None:
    await taken(world.stores[0], message("u1"))
    receipt = await press(world, StaffAct.CLOSE, "спам")
    assert "спам" in receipt.answer
    assert await state(world) == ("closed", 0, "ivan", "спам")
    assert await world.count("deadline") == 0
    again = await press(world, StaffAct.CLOSE, "спам")
    assert again.answer == "Обращение уже закрыто"


@pytest.mark.parametrize("act", list(StaffAct))
async def test_whoever_is_not_staff_changes_nothing(world: World, act: StaffAct) -> None:
    await taken(world.stores[0], message("u1"))
    receipt = await press(world, act, who=STRANGER)
    assert receipt.state is ReceiptState.IGNORED
    assert await state(world) == ("open", 0, "ivan", None)
    assert await world.count("contact") == 1


async def test_a_button_of_a_case_that_is_not_there(world: World) -> None:
    receipt = await press(world, StaffAct.TAKEN, case=999_999_999)
    assert receipt.state is ReceiptState.DONE
    assert receipt.answer


@pytest.fixture
async def laddered(world: World) -> World:
    steps = (LadderStep(timedelta(hours=4), (Told.MANAGER,)), LadderStep(timedelta(hours=8), (Told.DIRECTOR,)))
    ladders = (Ladder(LadderEvent.LEAD_UNTOUCHED, steps), Ladder(LadderEvent.DEAL_OVERDUE, steps))
    world.stores[0].office = replace(OFFICE, ladders=Ladders.of(ladders))
    return world


async def told_of(world: World, what: str) -> list[str]:
    rows = await world.rows(f"SELECT dedupe FROM outbox WHERE dedupe LIKE 'tell:{what}:%' ORDER BY id")
    return [str(row[0]).split(":")[-2] for row in rows]


async def test_an_untouched_lead_is_told_once_nobody_waits_any_more(laddered: World) -> None:
    world = laddered
    await taken(world.stores[0], message("u1"))
    world.clock.advance(timedelta(hours=5))
    await fire(world)
    assert await told_of(world, "lead") == []  # told in the case's notice: the open case has its own ladder
    await press(world, StaffAct.CLOSE, "позвонит сам")
    world.clock.advance(timedelta(minutes=2))
    await fire(world)
    assert await told_of(world, "lead") == ["ivan"]
    world.clock.advance(timedelta(hours=4))
    await fire(world)
    assert await told_of(world, "lead") == ["ivan", "dina"]


async def test_a_lead_that_waits_for_a_case_is_looked_at_ever_more_seldom(laddered: World) -> None:
    world = laddered
    steps = (LadderStep(timedelta(0), (Told.MANAGER,)),)
    ladders = Ladders.of((Ladder(LadderEvent.LEAD_UNTOUCHED, steps),))
    world.stores[0].office = replace(OFFICE, ladders=ladders)
    await taken(world.stores[0], message("u1"))
    looked, begun = 0, world.clock.now()
    while world.clock.now() - begun < timedelta(days=1):
        await fire(world)
        due = await world.stores[0].read(queues.next_deadline)
        assert due is not None
        world.clock.advance(max(due - world.clock.now(), timedelta(seconds=1)))
        looked += 1
    assert looked < 20
    assert await told_of(world, "lead") == []
    await press(world, StaffAct.CLOSE, "позвонит сам")
    world.clock.advance(timedelta(minutes=1))
    await fire(world)
    assert await told_of(world, "lead") == ["ivan"]


async def test_a_taken_lead_is_not_told_of(laddered: World) -> None:
    world = laddered
    await taken(world.stores[0], message("u1"))
    await press(world, StaffAct.CLOSE, "ждёт")
    lead = int(str((await world.rows("SELECT id FROM lead"))[0][0]))
    await world.stores[0].run(lambda desk: take(desk, lead, "ivan"))
    world.clock.advance(timedelta(hours=9))
    await fire(world)
    assert await told_of(world, "lead") == []


async def test_an_overdue_deal_climbs_its_ladder(laddered: World) -> None:
    world = laddered

    def deal(desk: Desk) -> None:
        pipeline, stage = beginning(desk, None)
        record = DealRecord(
            desk.work.next_id(), None, pipeline.id, stage.id, "Окна", desk.now, desk.now, desk.now, manager="ivan",
            due_at=desk.now + timedelta(hours=1),
        )  # fmt: skip
        desk.work.put(record)
        watch_deal(desk, record)

    await world.stores[0].run(deal)
    world.clock.advance(timedelta(hours=4))
    await fire(world)
    assert await told_of(world, "deal") == []
    world.clock.advance(timedelta(hours=1))
    await fire(world)
    assert await told_of(world, "deal") == ["ivan"]
    world.clock.advance(timedelta(hours=4))
    await fire(world)
    assert await told_of(world, "deal") == ["ivan", "dina"]
