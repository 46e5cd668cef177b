"""The moments of a pushed call become one call of the record: in any order, repeated, after a restart, on two nodes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import permutations
from typing import Any

import pytest

from channels.cti import CtiConfig
from channels.cti.inbound import read
from crm_core.messages import InboundEvent, ReceiptState
from crm_core.model.call import CallState, Direction
from crm_core.model.case import CaseState
from crm_core.model.channel import ChannelKey
from crm_core.model.office import Line
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import DeadlineKind, DeadlineRecord, ListedNumberRecord
from crm_core.ports import UnitOfWork
from crm_core.services.desk import Desk
from crm_core.services.firing import fire
from crm_core.services.intake.receive import receive
from crm_core.storage.database import Database
from crm_core.storage.store import Store
from tests.fakes.clock import DrivenClock
from tests.integration.storage.world import OFFICE, POLICIES, World, at, hire, moved, ringing

CONFIG = CtiConfig("other", "t0ken")
CTI = ChannelKey("cti", "other")
LINE = "+74959876543"
CLIENT = "+79161234567"
PUSHED = replace(
    OFFICE,
    naming=frozenset({"other"}),
    policies={CTI: AccountPolicy(source="Вторая АТС")},
    lines=(*OFFICE.lines, Line(LINE, "other", AccountPolicy(source="Листовки"))),
)


@dataclass
class Exchange:
    """A telephone system that pushes; `terse` repeats no numbers after the beginning."""

    direction: str = "in"
    terse: bool = False

    def tell(self, event: str, seconds: float, call: str = "c1", **more: Any) -> InboundEvent:
        body: dict[str, Any] = {"event": event, "direction": self.direction, "callId": call, **more}
        if event == "newCall" or not self.terse:
            ends = ("from", "to") if self.direction == "in" else ("to", "from")
            body = {ends[0]: CLIENT.lstrip("+"), ends[1]: LINE.lstrip("+"), **body}
        return read(CONFIG, "RU", json.dumps(body).encode(), at(seconds)).event


@pytest.fixture
async def world(migrated_url: str) -> AsyncIterator[World]:
    database = Database(migrated_url)
    await database.write(hire)
    clock = DrivenClock()
    yield World(Store(database, clock, PUSHED, POLICIES), clock)
    await database.stop()


async def outcome(world: World) -> dict[str, Any]:
    """What stands in the record, without ids and times of writing."""
    call = await world.row("call", linkedid="c1")
    contacts = {each.id for each in await world.rows("contact") if each.id == call.contact_id}
    (entry,) = await world.rows("timeline", kind="call")
    assert call.contact_id in contacts
    assert entry.id == call.entry_id
    cases = await world.rows("contact_case", state="open")
    return {
        "call": (call.state, call.number, call.line, call.answered_by, call.endpoint, call.cause_text),
        "times": (call.started_at, call.answered_at, call.finished_at, call.wait_s, call.talk_s),
        "rung": [(leg["user"], leg["ring_s"], leg["answered"]) for leg in call.rung],
        "entry": (entry.occurred_at, entry.signal, entry.signal_at, entry.author),
        "identities": [row.key for row in await world.rows("identity")],
        "leads": [(row.source, row.status) for row in await world.rows("lead")],
        "open": [(case.kind, case.facts) for case in cases],
    }


@pytest.mark.parametrize("terse", [False, True])
@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_an_answered_call_in_any_order(world: World, order: tuple[int, ...], *, terse: bool) -> None:
    pbx = Exchange(terse=terse)
    story = (
        pbx.tell("newCall", 0, user=["Ivan", "Petr"]),
        pbx.tell("answer", 7, user="Petr", answeringNumber="102"),
        pbx.tell("hangup", 67, cause="normalClearing", user="Petr"),
    )
    for position in order:
        await world.take(story[position])
    found = await outcome(world)
    assert found["call"] == (CallState.ANSWERED, CLIENT, LINE, "petr", "petr", "normalClearing")
    assert found["times"] == (at(0), at(7), at(67), 7.0, 60.0)
    assert found["rung"] == [("ivan", 7.0, False), ("petr", 7.0, True)]
    assert found["entry"] == (at(0), "talk", at(7), "Petr")
    assert found["identities"] == [f"tel:{CLIENT}"]
    assert [source for source, _ in found["leads"]] == ["Листовки"]
    assert found["open"] == []
    assert (await world.row("contact", id=(await world.row("call")).contact_id)).manager == "petr"


@pytest.mark.parametrize("terse", [False, True])
@pytest.mark.parametrize("order", list(permutations(range(2))))
@pytest.mark.parametrize(
    ("cause", "state"),
    [("cancel", CallState.ABANDONED), ("noAnswer", CallState.MISSED), ("busy", CallState.BUSY)],
)
async def test_an_unanswered_call_in_any_order(
    world: World, order: tuple[int, ...], cause: str, state: CallState, *, terse: bool
) -> None:
    pbx = Exchange(terse=terse)
    story = (pbx.tell("newCall", 0, user=["Ivan", "Petr"]), pbx.tell("hangup", 25, cause=cause))
    for position in order:
        await world.take(story[position])
    found = await outcome(world)
    assert found["call"] == (state, CLIENT, LINE, None, None, cause)
    assert found["times"] == (at(0), None, at(25), 25.0, 0.0)
    assert found["rung"] == [("ivan", 25.0, False), ("petr", 25.0, False)]
    assert found["open"] == [("call", 1)]
    # The ladder of missed calls tells at once.
    assert await world.told()


async def test_a_missed_call_opens_a_case_and_an_answered_one_closes_it(world: World) -> None:
    pbx = Exchange()
    await world.take(pbx.tell("newCall", 0), pbx.tell("hangup", 20, cause="noAnswer"))
    assert [case.state for case in await world.rows("contact_case")] == [CaseState.OPEN]
    back = Exchange("out")
    await world.take(back.tell("newCall", 100, "c2", user="Ivan"))
    await world.take(back.tell("answer", 105, "c2"))
    assert [case.state for case in await world.rows("contact_case")] == [CaseState.CLOSED]
    call = await world.row("call", linkedid="c2")
    assert (call.direction, call.answered_by, call.number, call.line) == (Direction.OUT, "ivan", CLIENT, LINE)


async def test_an_outgoing_call_that_fails_opens_no_case(world: World) -> None:
    pbx = Exchange("out", terse=True)
    await world.take(pbx.tell("newCall", 0, user="Ivan"))
    await world.take(pbx.tell("hangup", 9, cause="notFound"))
    assert (await world.row("call")).state == CallState.FAILED
    assert await world.rows("contact_case") == []


async def test_an_end_alone_is_a_missed_call(world: World) -> None:
    """The hub was away when it rang: how long nobody knows, so that it can't count as a slip of the finger."""
    await world.take(Exchange().tell("hangup", 0, cause="cancel"))
    assert (await world.row("call")).state == CallState.ABANDONED
    assert [case.state for case in await world.rows("contact_case")] == [CaseState.OPEN]


async def test_a_short_call_is_a_slip_of_the_finger(world: World) -> None:
    pbx = Exchange()
    await world.take(pbx.tell("newCall", 0), pbx.tell("hangup", 2, cause="cancel"))
    assert (await world.row("call")).state == CallState.ABANDONED
    assert await world.rows("contact_case") == []


async def test_an_end_of_which_neither_number_nor_beginning_is_known_is_kept(world: World) -> None:
    pbx = Exchange(terse=True)
    await world.take(pbx.tell("hangup", 20, cause="noAnswer"))
    call = await world.row("call")
    assert (call.state, call.contact_id, call.number) == (CallState.MISSED, None, "")
    assert await world.rows("timeline") == []
    await world.take(pbx.tell("newCall", 0))
    assert (await outcome(world))["open"] == [("call", 1)]


async def test_repeats_change_nothing(world: World) -> None:
    pbx = Exchange()
    story = [pbx.tell("newCall", 0), pbx.tell("answer", 5, user="Ivan"), pbx.tell("hangup", 50, cause="normalClearing")]
    await world.take(*story)
    before = await outcome(world)
    receipts = await world.take(*story)
    assert {receipt.state for receipt in receipts} == {ReceiptState.DUPLICATE}
    assert await outcome(world) == before


async def test_a_client_who_is_handed_on_has_talked_with_both(world: World) -> None:
    pbx = Exchange()
    await world.take(pbx.tell("newCall", 0, user="Ivan"), pbx.tell("answer", 5, user="Ivan"))
    await world.take(pbx.tell("answer", 65, user="Petr"), pbx.tell("hangup", 125, cause="normalClearing"))
    call = await world.row("call")
    assert (call.answered_by, call.answered_at, call.talk_s) == ("ivan", at(5), 120.0)
    assert {(leg["user"], leg["answered"]) for leg in call.rung} == {("ivan", True), ("petr", True)}


async def test_somebody_who_answered_is_the_only_one_who_rang(world: World) -> None:
    pbx = Exchange()
    await world.take(pbx.tell("answer", 5))
    assert (await world.row("call")).answered_by is None
    await world.take(pbx.tell("newCall", 0, user="Ivan"))
    assert (await world.row("call")).answered_by == "ivan"


async def test_a_refused_caller_opens_no_case(world: World) -> None:
    await world.store.run(lambda desk: _listed(desk.work))
    pbx = Exchange()
    await world.take(pbx.tell("newCall", 0))
    await world.take(pbx.tell("hangup", 1, cause="busy"))
    call = await world.row("call")
    assert (call.state, call.list_name) == (CallState.REJECTED, "чёрный список")
    assert await world.rows("contact_case") == []
    assert await world.rows("lead") == []


async def test_two_systems_with_one_id_have_two_calls(world: World) -> None:
    await world.take(Exchange().tell("newCall", 0))
    await world.take(moved(ringing("c1", "+79160000002", at(0))))
    assert {(call.pbx, call.number) for call in await world.rows("call")} == {
        ("other", CLIENT),
        ("office", "+79160000002"),
    }


async def test_nodes_that_are_told_at_once_agree(migrated_url: str) -> None:
    """Each moment through another node, all of them together, many calls: the record holds each call whole."""
    clock = DrivenClock()
    databases = [Database(migrated_url) for _ in range(3)]
    await databases[0].write(hire)
    stores = [Store(database, clock, PUSHED, POLICIES) for database in databases]
    clock.set(at(100))
    calls = [f"c{number}" for number in range(8)]

    async def push(position: int, event: InboundEvent) -> None:
        await stores[position % 3].run(lambda desk: receive(desk.work, [event], desk.office, desk.policies))

    try:
        pushes: list[Any] = []
        for number, call in enumerate(calls):
            pbx = Exchange(terse=bool(number % 2))
            story = (
                pbx.tell("newCall", number, call, user="Petr"),
                pbx.tell("answer", number + 5, call),
                pbx.tell("hangup", number + 35, call, cause="normalClearing"),
            )
            turned = story if number % 4 < 2 else story[::-1]
            pushes += [push(position + number, event) for position, event in enumerate(turned)]
        await asyncio.gather(*pushes)
        world = World(stores[0], clock)
        found = await world.rows("call")
        assert sorted(call.linkedid for call in found) == calls
        for call in found:
            assert (call.state, call.answered_by, call.talk_s) == (CallState.ANSWERED, "petr", 30.0), call
            assert call.finished_at - call.started_at == timedelta(seconds=35)
        assert len({call.contact_id for call in found}) == 1
        assert len(await world.rows("timeline", kind="call")) == len(calls)
        assert len(await world.rows("contact")) == 1
        assert await world.rows("contact_case", state="open") == []
    finally:
        for database in databases:
            await database.stop()


def _listed(work: UnitOfWork) -> None:
    work.put(ListedNumberRecord(f"tel:{CLIENT}", "чёрный список", "реклама", "ivan", at(0)))


# ---------------------------------------------------------------- calls whose end nobody tells


async def fire_due(world: World) -> None:
    """Let every deadline that has come have its effect."""
    for deadline in await world.deadlines():
        if deadline.due_at <= world.clock.now():
            await world.store.run(partial(fire_one, deadline))


def fire_one(deadline: DeadlineRecord, desk: Desk) -> None:
    fire(desk, deadline)


async def test_a_call_of_which_nothing_more_is_heard_is_missed(world: World) -> None:
    pbx = Exchange(terse=True)
    await world.take(pbx.tell("newCall", 0, user="Ivan"))
    world.clock.set(at(3500))
    await fire_due(world)
    assert (await world.row("call")).state == CallState.RINGING
    world.clock.set(at(3601))
    await fire_due(world)
    call = await world.row("call")
    assert (call.state, call.cause_text, call.wait_s) == (CallState.MISSED, "unheard", 0.0)
    assert [case.state for case in await world.rows("contact_case")] == [CaseState.OPEN]
    assert [deadline.kind for deadline in await world.deadlines()].count(DeadlineKind.CALL) == 0
    # What is told late knows better.
    await world.take(pbx.tell("hangup", 3700, cause="normalClearing", answeringNumber="101"))
    call = await world.row("call")
    assert (call.state, call.cause_text, call.answered_by) == (CallState.ANSWERED, "normalClearing", "ivan")
    assert [case.state for case in await world.rows("contact_case")] == [], "it never was missed"


async def test_a_conversation_of_which_nothing_more_is_heard_is_over(world: World) -> None:
    pbx = Exchange()
    await world.take(pbx.tell("newCall", 0, user="Ivan"), pbx.tell("answer", 5, user="Ivan"))
    for passed, over in ((3700, False), (6 * 3600 + 100, True)):
        world.clock.set(at(passed))
        await fire_due(world)
        assert ((await world.row("call")).finished_at is not None) is over
    assert (await world.row("call")).state == CallState.ANSWERED
    assert await world.rows("contact_case") == []


async def test_a_call_that_is_over_is_watched_no_more(world: World) -> None:
    pbx = Exchange()
    await world.take(pbx.tell("newCall", 0), pbx.tell("hangup", 30, cause="noAnswer"))
    assert DeadlineKind.CALL not in {deadline.kind for deadline in await world.deadlines()}
