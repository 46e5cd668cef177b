"""An office whose robots are on, and short ways to place calls and to tell what became of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from crm_core.messages import InboundEvent
from crm_core.model.call import CallLeg, CallSnapshot, CallState, Direction
from crm_core.model.callback import CallbackReason, DialPurpose, RobotRules
from crm_core.model.records import CallbackRecord, DialRecord
from crm_core.services.calls import dials
from crm_core.services.firing import fire
from crm_core.services.watching import callbacks
from crm_core.storage import queues
from tests.integration.storage.world import LINE, OFFICE, World, answered, ended, moved

CLIENT = "+79161234567"
OTHER = "+79161234568"
SPACING = timedelta(minutes=15)
RULES = RobotRules(on_take=True, on_missed=True, on_order=True, attempts=3, spacing=SPACING)
ROBOTS = replace(OFFICE, outward=("office",), robot=RULES)
PERSON = "PJSIP/101"
TRUNK = f"PJSIP/{CLIENT}@trunk"


async def place(world: World, number: str = CLIENT, login: str = "ivan", **more: Any) -> DialRecord:
    """Somebody presses «call»."""

    def service(desk: Any) -> DialRecord:
        contact, known = dials.client_of_number(desk, number)
        user = desk.work.staff.get(login)
        purpose = more.pop("purpose", DialPurpose.CLICK)
        return dials.place(desk, contact, user, purpose, author=login, **{"number": known, **more})

    return await world.store.run(service)


async def robot(world: World, login: str = "ivan") -> DialRecord:
    """The robot places a call for the only callback that waits."""
    (waiting,) = await world.rows("callback", state="waiting")

    def service(desk: Any) -> DialRecord:
        record, contact = desk.work.owned(CallbackRecord, waiting.id)
        user = desk.work.staff.get(login)
        purpose = DialPurpose(record.reason.value)
        return dials.place(desk, contact, user, purpose, author="robot", callback=record, confirmed=True)

    return await world.store.run(service)


async def send(world: World, dial: DialRecord) -> DialRecord | None:
    """The call is marked as sent."""
    return await world.store.run(lambda desk: dials.take_to_send(desk, dial.id))


async def sent(world: World, number: str = CLIENT, login: str = "ivan") -> DialRecord:
    """A call that was placed and handed over."""
    dial = await send(world, await place(world, number, login))
    assert dial is not None
    return dial


async def pass_time(world: World, **by: float) -> None:
    """Let time pass, and fire whatever became due."""
    world.clock.advance(timedelta(**by))
    now = world.clock.now()
    for deadline in await world.store.read(lambda conn: queues.due_deadlines(conn, now, 100)):
        await world.store.run(partial(fire, deadline=deadline))


def told(dial: DialRecord, start: datetime, *endpoints: str) -> CallSnapshot:
    """The placed call begins; these endpoints are rung."""
    legs = tuple(CallLeg(endpoint, start) for endpoint in endpoints)
    return CallSnapshot(dial.linkedid, Direction.OUT, dial.number, "", CallState.RINGING, start, legs=legs)


def over(dial: DialRecord, start: datetime, state: CallState, *endpoints: str, after: float = 20) -> InboundEvent:
    """The placed call is over."""
    call = told(dial, start, *endpoints)
    if state is CallState.ANSWERED:
        call = answered(call, 5, PERSON)
    return moved(ended(call, after, state))


async def order_at(world: World, number: str, at: datetime, **more: Any) -> CallbackRecord:
    """Somebody orders a callback."""

    def service(desk: Any) -> CallbackRecord:
        contact, known = dials.client_of_number(desk, number)
        reason = CallbackReason.ORDERED
        return callbacks.order(desk, contact, reason, at, **{"author": "petr", "number": known, **more})

    return await world.store.run(service)


__all__ = ["CLIENT", "LINE", "OTHER", "PERSON", "ROBOTS", "RULES", "SPACING", "TRUNK"]
