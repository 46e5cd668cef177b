"""The dialler: what is due is rung once, whoever dies in between, and only by the node that owns the link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from crm_core.errors import NotFound, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import DeviceState
from crm_core.model.callback import CallbackState, DialOutcome, DialState, RobotRules
from crm_core.model.line import Line
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import ListedNumberRecord
from crm_core.model.user import Role, Staff
from crm_core.ports import PlaceCall
from crm_core.services.calls import dials
from crm_core.services.cards import leads
from crm_core.services.firing import fire
from crm_core.services.watching import callbacks
from crm_core.services.watching.cases import promise
from crm_core.storage import queues
from crm_core.storage.database import Connection, Database
from crm_core.storage.staff import touch_staff
from crm_core.storage.store import Store
from crm_core.storage.users import NewUser, add_user
from hub.metrics import Metrics
from hub.nodes.live import Live
from hub.workers import dialler as module
from hub.workers.dialler import Dialler
from routing.presence import Presence
from tests.fakes.account import ConnectedAccount
from tests.fakes.clock import DrivenClock
from tests.integration.storage.robots import CLIENT, OTHER, PERSON, ROBOTS, SPACING, order_at, pass_time, place
from tests.integration.storage.world import (
    LINE,
    PBX,
    POLICIES,
    World,
    answered,
    at,
    ended,
    form,
    missed,
    moved,
    ringing,
    world_on,
)
from tests.patience import PATIENCE_S

Behaviour = Callable[[PlaceCall], Exception | None]


class Link(ConnectedAccount):
    """A PBX's link of one node: it keeps what it was handed, and answers as the test says."""

    def __init__(self) -> None:
        super().__init__(PBX)
        self.owned: Callable[[], bool] = lambda: True
        self.placed: list[PlaceCall] = []
        self.behaviour: Behaviour = lambda _: None
        self.hang: asyncio.Event | None = None
        self.stopped: list[str] = []
        self.deaf = False
        self._handed = asyncio.Condition()

    @property
    def controls(self) -> bool:
        return self.owned()

    async def place_call(self, call: PlaceCall) -> None:
        async with self._handed:
            self.placed.append(call)
            self._handed.notify_all()
        if self.hang is not None:
            await self.hang.wait()
        outcome = self.behaviour(call)
        if outcome is not None:
            raise outcome

    async def stop_call(self, linkedid: str) -> None:
        self.stopped.append(linkedid)
        if self.deaf:
            raise TransientDeliveryError("the link is down")

    async def handed(self, number: int) -> None:
        """Wait until so many calls were handed over."""
        async with asyncio.timeout(PATIENCE_S), self._handed:
            await self._handed.wait_for(lambda: len(self.placed) >= number)


class Node:
    """One process: a store of its own, its link, what it knows of the telephones, and its dialler."""

    def __init__(self, store: Store, clock: DrivenClock, staff: Staff) -> None:
        self.store = store
        self.link = Link()
        self.presence = Presence(clock)
        self.live = Live(store, poll_s=0.02)
        self.metrics = Metrics()
        self.dialler = Dialler(store, clock, self.metrics, {PBX: self.link}, self.presence, self.live, lambda: staff)
        self.dialler.stop_s = 0.0

    async def turn(self) -> None:
        """Look once, and let what is handed over come to its end."""
        await self.dialler.turn()
        await self.dialler.idle()

    def count(self, purpose: str, outcome: str) -> float:
        value = self.metrics.registry.get_sample_value("hub_dials_total", {"purpose": purpose, "outcome": outcome})
        return value or 0.0


@pytest.fixture
async def world(migrated_url: str) -> AsyncIterator[World]:
    async with world_on(migrated_url, ROBOTS) as made:
        yield made


async def node_of(world: World, store: Store | None = None) -> Node:
    staff = await world.store.run(lambda desk: desk.work.staff)
    return Node(store or world.store, world.clock, staff)


@pytest.fixture
async def node(world: World) -> AsyncIterator[Node]:
    made = await node_of(world)
    yield made
    await made.dialler.stop()
    await made.live.stop()


@pytest.fixture
async def second(world: World, migrated_url: str) -> AsyncIterator[Node]:
    """Another process with the same database."""
    database = Database(migrated_url)
    made = await node_of(world, Store(database, world.clock, ROBOTS, POLICIES))
    yield made
    await made.dialler.stop()
    await database.stop()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks again by themselves: what happens was told."""
    monkeypatch.setattr(module, "_POLL_S", 600.0)


# ---------------------------------------------------------------- handing over


async def test_a_press_is_handed_over_once(world: World, node: Node) -> None:
    await world.take(form(at(0), name="Анна Иванова", phone=CLIENT))
    dial = await place(world)
    for _ in range(3):
        await node.turn()
    (call,) = node.link.placed
    assert (call.linkedid, call.endpoint, call.number, call.line) == (dial.linkedid, PERSON, CLIENT, LINE)
    assert (call.caller_name, call.announce, call.ring_s, call.record) == ("Анна Иванова", False, 30, None)
    row = await world.row("dial")
    assert (row.state, row.sent_at) == (DialState.SENT, at(0))
    assert node.count("click", "handed_over") == 1


async def test_a_placed_call_is_recorded_as_the_line_that_it_shows(world: World, migrated_url: str) -> None:
    await world.take(form(at(0), name="Анна Иванова", phone=CLIENT))
    await place(world)
    database = Database(migrated_url)
    lines = (Line(LINE, PBX.account, AccountPolicy(), record=False),)
    node = await node_of(world, Store(database, world.clock, replace(ROBOTS, lines=lines), POLICIES))
    await node.turn()
    await node.dialler.stop()
    await node.live.stop()
    await database.stop()
    assert [call.record for call in node.link.placed] == [False]


async def test_a_node_that_dies_between_mark_and_hand_over_rings_nobody_twice(
    world: World, node: Node, second: Node
) -> None:
    await place(world)
    node.link.hang = asyncio.Event()
    await node.dialler.turn()
    await node.link.handed(1)
    await node.dialler.stop()  # it never comes back
    await second.turn()
    assert second.link.placed == []
    assert (await world.row("dial")).state is DialState.SENT
    await pass_time(world, seconds=90)
    await second.turn()
    assert second.link.placed == []
    assert (await world.row("dial")).outcome is DialOutcome.UNKNOWN


async def test_what_was_surely_not_handed_over_is_tried_until_it_is_too_late(world: World, node: Node) -> None:
    await place(world)
    node.link.behaviour = lambda _: TransientDeliveryError("the link is down")
    await node.turn()
    await node.turn()
    assert (len(node.link.placed), (await world.row("dial")).state) == (2, DialState.QUEUED)
    assert len({call.linkedid for call in node.link.placed}) == 1
    await pass_time(world, seconds=15)
    await node.turn()
    assert (len(node.link.placed), (await world.row("dial")).outcome) == (2, DialOutcome.NOT_SENT)
    assert "АТС недоступна" in (await world.row("timeline", kind="call")).text
    assert node.count("click", "not_handed_over") == 2


async def test_it_is_handed_over_when_the_link_is_back(world: World, node: Node) -> None:
    await place(world)
    node.link.behaviour = lambda _: TransientDeliveryError("the link is down")
    await node.turn()
    node.link.behaviour = lambda _: None
    await node.turn()
    await node.turn()
    assert (len(node.link.placed), (await world.row("dial")).state) == (2, DialState.SENT)


@pytest.mark.parametrize("error", [TransientDeliveryError("no answer", uncertain=True), RuntimeError("a fault")])
async def test_an_unknown_end_is_left_to_the_deadline(world: World, node: Node, error: Exception) -> None:
    await place(world)
    node.link.behaviour = lambda _: error
    await node.turn()
    await node.turn()
    assert (len(node.link.placed), (await world.row("dial")).state) == (1, DialState.SENT)
    await pass_time(world, seconds=90)
    await node.turn()
    assert (len(node.link.placed), (await world.row("dial")).outcome) == (1, DialOutcome.UNKNOWN)


async def test_a_refusal_is_told_at_once(world: World, node: Node) -> None:
    await place(world)
    node.link.behaviour = lambda _: PermanentDeliveryError("Extension does not exist.")
    await node.turn()
    row, entry = await world.row("dial"), await world.row("timeline", kind="call")
    assert (row.state, row.outcome) == (DialState.ENDED, DialOutcome.FAILED)
    assert entry.text == "Extension does not exist."
    assert node.count("click", "refused") == 1


async def test_a_node_that_was_frozen_in_between_rings_nobody(
    world: World, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place(world)
    taken = module._taken

    def slowly(desk: object, dial_id: int) -> object:
        found = taken(desk, dial_id)  # type: ignore[arg-type]  # as the dialler gives it
        world.clock.advance(6)
        return found

    monkeypatch.setattr(module, "_taken", slowly)
    await node.turn()
    assert (node.link.placed, (await world.row("dial")).state) == ([], DialState.QUEUED)


async def test_a_link_that_was_lost_in_between_rings_nobody(world: World, node: Node) -> None:
    await place(world)
    answers = iter([True, False])
    node.link.owned = lambda: next(answers)
    await node.turn()
    assert (node.link.placed, (await world.row("dial")).state) == ([], DialState.QUEUED)


async def test_who_does_not_own_the_link_places_nothing(world: World, node: Node, second: Node) -> None:
    await place(world)
    await order_at(world, OTHER, at(0), manager="petr")
    node.link.owned = lambda: False
    await node.turn()
    assert (node.link.placed, (await world.row("callback")).state) == ([], CallbackState.WAITING)
    await second.turn()
    assert {call.number for call in second.link.placed} == {CLIENT, OTHER}


async def test_two_nodes_place_a_call_once(world: World, node: Node, second: Node) -> None:
    await place(world)
    await order_at(world, OTHER, at(0), manager="petr")
    for _ in range(20):  # who loses a race leaves it to a later look
        await asyncio.gather(node.turn(), second.turn())
    assert sorted(call.number for each in (node, second) for call in each.link.placed) == [CLIENT, OTHER]
    assert len(await world.rows("dial")) == 2


async def test_many_are_handed_over_side_by_side_and_not_without_bound(world: World, node: Node) -> None:
    def hire(desk: object) -> None:
        for n in range(20):
            extra = NewUser(f"user{n}", f"User {n}", Role.MANAGER, extension=f"2{n:02}")
            add_user(desk, extra)  # type: ignore[arg-type]  # a desk

    await world.store.run(hire)
    for n in range(20):
        await place(world, f"+7916000{n:04}", f"user{n}")
    node.link.hang = asyncio.Event()
    await node.dialler.turn()
    await node.dialler.turn()
    await node.link.handed(16)
    assert len(node.link.placed) == 16
    node.link.hang.set()
    await node.dialler.idle()
    await node.turn()
    assert len({call.number for call in node.link.placed}) == len(node.link.placed) == 20


# ---------------------------------------------------------------- callbacks


async def test_a_missed_call_is_rung_back_with_an_announcement(world: World, node: Node) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    await node.turn()
    (call,) = node.link.placed
    assert (call.number, call.line, call.announce) == (CLIENT, LINE, True)
    row = await world.row("callback")
    assert (row.state, row.attempts) == (CallbackState.DIALLING, 1)
    assert node.count("missed", "queued") == node.count("missed", "handed_over") == 1


async def test_it_waits_for_the_managers_telephone_and_rings_at_once(world: World, node: Node, unhurried: None) -> None:
    node.presence.device("office", PERSON, DeviceState.BUSY)
    await order_at(world, CLIENT, at(0), manager="ivan")
    await node.turn()
    row = await world.row("callback")
    assert (row.state, row.due_at, row.detail) == (
        CallbackState.WAITING,
        at(0),
        "Ждёт, пока освободится Ivan",
    )
    await node.turn()
    assert await world.row("callback") == row, "what it waits for is written once"
    node.dialler.start()
    node.presence.device("office", PERSON, DeviceState.RINGING)
    assert node.link.placed == []
    node.presence.device("office", PERSON, DeviceState.IDLE)
    await node.link.handed(1)


async def test_a_lead_that_is_taken_rings_its_manager_alone(world: World, node: Node) -> None:
    await world.take(form(at(0), phone=CLIENT))
    lead = await world.row("lead")
    await world.store.run(lambda desk: leads.take(desk, lead.id, "petr"))
    await node.turn()
    (call,) = node.link.placed
    assert (call.endpoint, call.announce) == ("PJSIP/102", False)


async def test_night_is_waited_out(world: World, node: Node) -> None:
    world.clock.advance(timedelta(hours=12))  # midnight in Moscow
    await order_at(world, CLIENT, world.clock.now())
    await node.turn()
    row = await world.row("callback")
    morning = at(21 * 3600)
    assert (row.state, row.due_at, row.attempts) == (CallbackState.WAITING, morning, 0)
    assert "09:00" in row.detail
    world.clock.set(morning - timedelta(seconds=1))
    await node.turn()
    assert node.link.placed == []
    world.clock.set(morning)
    await node.turn()
    assert len(node.link.placed) == 1


async def test_a_moment_that_was_ordered_is_waited_for(world: World, node: Node) -> None:
    await order_at(world, CLIENT, at(0.5))
    assert await node.dialler.turn() == pytest.approx(0.5)
    assert node.link.placed == []
    world.clock.advance(0.5)
    await node.turn()
    assert len(node.link.placed) == 1


async def test_of_two_for_one_manager_the_second_is_put_off(world: World, node: Node) -> None:
    await order_at(world, CLIENT, at(0), manager="ivan")
    await order_at(world, OTHER, at(0), manager="ivan")
    await node.turn()
    assert [call.number for call in node.link.placed] == [CLIENT]
    first, other = await world.rows("callback")
    assert first.state is CallbackState.DIALLING
    assert (other.state, other.due_at, other.attempts) == (CallbackState.WAITING, at(20), 0)
    assert "Ivan" in other.detail


async def test_a_press_for_a_client_who_waits_goes_first(world: World, node: Node) -> None:
    await order_at(world, CLIENT, at(0), manager="ivan")
    await place(world, CLIENT, "petr")
    await node.turn()
    assert [(call.number, call.endpoint) for call in node.link.placed] == [(CLIENT, "PJSIP/102")]
    row = await world.row("callback")
    assert (row.state, row.attempts) == (CallbackState.WAITING, 0)


async def test_who_talks_is_left_to_talk_and_is_reached_by_it(world: World, node: Node) -> None:
    await order_at(world, CLIENT, at(0), manager="ivan")
    call = ringing("c1", CLIENT, at(1))
    await world.take(moved(call))
    await node.turn()
    assert (await world.row("callback")).detail == "Клиент сейчас разговаривает"
    await world.take(moved(ended(answered(call, 5), 60)))
    await node.turn()
    assert (node.link.placed, (await world.row("callback")).state) == ([], CallbackState.REACHED)


async def test_a_client_who_was_reached_meanwhile_is_not_dialled_any_more(world: World, node: Node) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    await node.turn()
    (call,) = node.link.placed
    assert node.link.stopped == []
    await world.take(moved(ended(answered(ringing("c2", CLIENT, at(40)), 5), 60)))
    node.link.deaf = True
    await node.turn()
    node.link.deaf = False
    for _ in range(2):
        await node.turn()
    assert node.link.stopped == [call.linkedid] * 2  # once in vain, once heard, and never again
    assert len(node.link.placed) == 1


async def test_a_callback_that_was_cancelled_before_it_was_handed_over_rings_nobody(world: World, node: Node) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    node.link.owned = lambda: False
    await node.turn()
    node.link.owned = lambda: True
    node.link.behaviour = lambda _: TransientDeliveryError("the link is down")
    await node.turn()  # stands in the queue again
    callback = await world.row("callback")
    await world.store.run(lambda desk: callbacks.cancel(desk, callback.id, "ivan", "не нужно"))
    node.link.behaviour = lambda _: None
    tried = len(node.link.placed)
    await node.turn()
    assert len(node.link.placed) == tried
    assert (await world.row("dial")).state is DialState.ENDED


async def test_nobody_there(world: World, node: Node) -> None:
    def away(conn: Connection) -> None:
        conn.exec_driver_sql("UPDATE app_user SET extension = NULL")
        touch_staff(conn)

    await world.store.database.write(away)
    nobody = await node_of(world, node.store)
    await order_at(world, CLIENT, at(0))
    await nobody.turn()
    row = await world.row("callback")
    assert (nobody.link.placed, row.state) == ([], CallbackState.WAITING)
    assert "никого нет" in row.detail
    await nobody.dialler.stop()


async def test_a_number_on_a_list_is_not_rung(world: World, node: Node) -> None:
    await order_at(world, CLIENT, at(0))
    listed = ListedNumberRecord(f"tel:{CLIENT}", "чёрный список", "спам", "ivan", at(0))
    await world.store.run(lambda desk: desk.work.put(listed))
    await node.turn()
    row = await world.row("callback")
    assert (node.link.placed, row.state) == ([], CallbackState.CANCELLED)


async def test_what_waited_when_the_robot_was_switched_off_is_not_rung(
    world: World, node: Node, migrated_url: str
) -> None:
    await order_at(world, CLIENT, at(0))
    database = Database(migrated_url)
    off = Store(database, world.clock, replace(ROBOTS, robot=RobotRules(on_missed=True)), POLICIES)
    restarted = await node_of(world, off)
    await restarted.turn()
    await database.stop()
    assert (restarted.link.placed, (await world.row("callback")).state) == ([], CallbackState.CANCELLED)


async def test_a_promise_holds_the_robot_back(world: World, node: Node) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    case = await world.row("contact_case")
    await world.store.run(lambda desk: promise(desk, case.id, "ivan", at(3600)))
    await node.turn()
    assert node.link.placed == []
    world.clock.set(at(3600))
    await node.turn()
    assert len(node.link.placed) == 1


async def test_an_unreachable_pbx_costs_no_attempt(world: World, node: Node) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    node.link.behaviour = lambda _: TransientDeliveryError("the link is down")
    await node.turn()
    await pass_time(world, seconds=15)
    row = await world.row("callback")
    assert (row.state, row.attempts, row.due_at) == (
        CallbackState.WAITING,
        0,
        world.clock.now() + timedelta(minutes=1),
    )


async def test_a_refused_attempt_is_followed_by_another_after_a_while(world: World, node: Node) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    node.link.behaviour = lambda _: PermanentDeliveryError("no")
    await node.turn()
    row = await world.row("callback")
    assert (row.state, row.attempts, row.due_at) == (CallbackState.WAITING, 1, world.clock.now() + SPACING)


async def test_one_that_can_not_be_looked_after_does_not_stop_the_others(
    world: World, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await order_at(world, CLIENT, at(0), manager="ivan")
    await order_at(world, OTHER, at(0), manager="petr")
    place_as_ever = dials.place

    def broken(desk: object, contact: object, *rest: object, **more: object) -> object:
        if more["number"] == CLIENT:
            raise NotFound("gone")
        return place_as_ever(desk, contact, *rest, **more)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(dials, "place", broken)
    await node.turn()
    assert [call.number for call in node.link.placed] == [OTHER]


# ---------------------------------------------------------------- waking up


async def test_a_press_wakes_the_dialler(world: World, node: Node, unhurried: None) -> None:
    await node.live.start()
    node.dialler.start()
    await place(world)
    await node.link.handed(1)
    assert node.link.placed[0].number == CLIENT


async def test_a_callback_wakes_the_dialler(world: World, node: Node, unhurried: None) -> None:
    await node.live.start()
    node.dialler.start()
    await world.take(missed("c1", CLIENT, at(0)))
    await node.link.handed(1)


async def test_a_deadline_fires_on_any_node(world: World, node: Node, second: Node) -> None:
    await place(world)
    await node.turn()
    world.clock.advance(90)
    now = world.clock.now()
    for deadline in await second.store.read(lambda conn: queues.due_deadlines(conn, now, 10)):
        await second.store.run(partial(fire, deadline=deadline))
    assert (await world.row("dial")).outcome is DialOutcome.UNKNOWN
