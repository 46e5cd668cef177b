"""What passes at the door, and when it is written down why a call rings here: who sees it ring is told once more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crm_core.messages import (
    CallChanged,
    CallRinging,
    ChannelKey,
    InboundEvent,
    Payload,
    ReceiptState,
    RouteAction,
    RouteDecision,
    RouteQuery,
    Sender,
)
from crm_core.model.call import CallLeg, CallSnapshot, CallState, Direction
from crm_core.services.intake import receive as receiving
from crm_core.storage.decisions import Decided
from hub.intake import Intake
from hub.workers import TraceKeeper
from tests.integration.hub.world import World

PBX = ChannelKey("pbx", "office")


def _fact(world: World, name: str, payload: Payload) -> InboundEvent:
    return InboundEvent(PBX, f"c1:{name}", "+79161234567", world.clock.now(), Sender(), payload, b"")


def _started(world: World) -> CallSnapshot:
    now = world.clock.now()
    return CallSnapshot("c1", Direction.IN, "+79161234567", "+74951234567", CallState.RINGING, now)


def _ringing(world: World) -> InboundEvent:
    call = replace(_started(world), legs=(CallLeg("PJSIP/101", world.clock.now()),))
    return _fact(world, "ringing:1", CallRinging(call))


async def _told(world: World) -> int:
    return sum('"call"' in str(row) or "'call'" in str(row) for row in await world.rows("SELECT * FROM feed"))


async def test_a_call_is_told_once_more_when_the_reason_is_written_down(world: World) -> None:
    store = world.stores[0]
    traces = TraceKeeper(store, world.clock, world.metrics)
    query = RouteQuery("office", "+79161234567", "+74951234567", call_id="c1")
    intake = Intake(store, world.metrics, {})
    intake.start()

    async def decided() -> int:
        before = await _told(world)
        traces._add(Decided(query, RouteDecision(RouteAction.FALLBACK), world.clock.now(), 1.0))
        await traces.turn()
        return await _told(world) - before

    assert await decided() == 0  # nobody was told of it yet
    await intake.receive(_fact(world, "started", CallChanged(_started(world))))
    assert await decided() == 0  # nobody's telephone rings yet
    receipt = await intake.receive(_ringing(world))
    assert (receipt.state, receipt.journal_id) == (ReceiptState.DONE, None)
    assert await decided() == 1
    over = replace(_started(world), state=CallState.MISSED, finished_at=world.clock.now())
    await intake.receive(_fact(world, "finished", CallChanged(over)))
    assert await decided() == 0
    await intake.stop()
    await traces.stop()


async def test_what_passes_and_can_t_be_taken_in_leaves_no_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(receiving, "call_rings", broken)
    intake = Intake(world.stores[0], world.metrics, {})
    intake.start()
    started = _fact(world, "started", CallChanged(_started(world)))
    receipts = await intake.receive_many([started, _ringing(world)])
    assert [each.state for each in receipts] == [ReceiptState.DONE, ReceiptState.FAILED]
    assert await world.rows("SELECT external_id FROM journal") == [("c1:started",)]
    await intake.stop()
