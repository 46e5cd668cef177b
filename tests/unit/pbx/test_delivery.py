"""The way into the intake: nothing lost, nothing out of order, nothing unbounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from channels.pbx.delivery import Delivery
from crm_core.messages import CallChanged, ChannelKey, InboundEvent, Receipt, Sender
from crm_core.model.call import CallSnapshot, CallState, Direction
from tests.fakes.intake import MemoryIntake
from tests.unit.pbx.build import START


def _fact(number: int) -> InboundEvent:
    call = CallSnapshot(str(number), Direction.IN, "79161234567", "", CallState.RINGING, START)
    return InboundEvent(ChannelKey("pbx", "office"), f"{number}:started", "", START, Sender(), CallChanged(call), b"")


@asynccontextmanager
async def _running(delivery: Delivery, sink: MemoryIntake) -> AsyncIterator[None]:
    task = asyncio.create_task(delivery.run(sink))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_in_order_and_together() -> None:
    delivery, sink = Delivery(), MemoryIntake()
    for number in range(250):
        delivery.put(_fact(number))
    async with _running(delivery, sink):
        await delivery.drained()
    assert [event.external_id for event in sink.events] == [f"{number}:started" for number in range(250)]
    assert delivery.delivered == 250
    assert len(delivery) == 0


async def test_what_happens_within_a_moment_shares_a_transaction() -> None:
    delivery, sink = Delivery(), MemoryIntake()
    async with _running(delivery, sink):
        await asyncio.sleep(0)
        for number in range(3):
            delivery.put(_fact(number))
            await asyncio.sleep(0)
            assert sink.offered == []
        await delivery.drained()
    assert sink.calls == [3]


async def test_facts_wait_while_the_intake_is_away_and_the_trouble_shows() -> None:
    delivery, sink = Delivery(retry_first_s=0.001, retry_most_s=0.002), MemoryIntake()
    sink.go_away()
    async with _running(delivery, sink):
        delivery.put(_fact(1))
        await sink.until(lambda each: each.refusals >= 3)
        delivery.put(_fact(2))
        assert delivery.trouble
        assert len(delivery) == 2
        sink.come_back()
        await delivery.drained()
    assert [event.external_id for event in sink.events] == ["1:started", "2:started"]
    assert delivery.trouble == ""


async def test_over_the_bound_the_oldest_go_and_are_counted() -> None:
    delivery, sink = Delivery(kept=3), MemoryIntake()
    for number in range(5):
        delivery.put(_fact(number))
    assert (len(delivery), delivery.dropped) == (3, 2)
    async with _running(delivery, sink):
        await delivery.drained()
    assert [event.external_id for event in sink.events] == ["2:started", "3:started", "4:started"]


async def test_an_overflow_during_a_delivery_loses_nothing_that_is_not_counted() -> None:
    delivery = Delivery(kept=3)
    began, go_on = asyncio.Event(), asyncio.Event()

    class SlowSink(MemoryIntake):
        async def receive_many(self, events: object) -> list[Receipt]:
            began.set()
            await go_on.wait()
            return list(await super().receive_many(events))  # type: ignore[arg-type]  # as the base takes it

    sink = SlowSink()
    for number in range(3):
        delivery.put(_fact(number))
    async with _running(delivery, sink):
        await began.wait()
        delivery.put(_fact(3))
        go_on.set()
        await delivery.drained()
    assert [event.external_id for event in sink.events] == [f"{number}:started" for number in range(4)]


async def test_a_fact_that_breaks_the_intake_does_not_hold_up_the_others() -> None:
    class Picky(MemoryIntake):
        async def receive_many(self, events: object) -> list[Receipt]:
            assert isinstance(events, list)
            if any(event.external_id == "1:started" for event in events):
                raise RuntimeError("a fault of the intake")
            return list(await super().receive_many(events))

    delivery, sink = Delivery(retry_first_s=0.0001, retry_most_s=0.0002), Picky()
    for number in range(4):
        delivery.put(_fact(number))
    async with _running(delivery, sink):
        await sink.until(lambda each: len(each.events) == 3)
        assert len(delivery) == 1


class _Passing:
    """What passes: told as it stands when it is asked for."""

    def __init__(self) -> None:
        self.asked, self.state = 0, 0

    def __call__(self) -> list[InboundEvent]:
        self.asked += 1
        return [_fact(self.state)] if self.state else []


async def test_what_passes_is_told_once_however_often_it_changed() -> None:
    passing, sink = _Passing(), MemoryIntake()
    delivery = Delivery(passing=passing)
    async with _running(delivery, sink):
        for state in range(1, 40):
            passing.state = state
            delivery.stir()
            await asyncio.sleep(0)
        delivery.put(_fact(100))
        await delivery.drained()
        assert [event.external_id for event in sink.events] == ["100:started", "39:started"]
        assert (passing.asked, sink.calls) == (1, [2])


async def test_nothing_is_told_where_nothing_stands_otherwise() -> None:
    passing, sink = _Passing(), MemoryIntake()
    delivery = Delivery(gather_s=0.001, passing=passing)
    async with _running(delivery, sink):
        delivery.stir()
        await delivery.drained()
        assert (passing.asked, sink.calls, sink.offered) == (1, [], [])
        passing.state = 7
        delivery.stir()
        await sink.until(lambda each: len(each.events) == 1)


async def test_what_passes_waits_for_the_intake_to_come_back_and_is_told_as_it_stands_then() -> None:
    passing, sink = _Passing(), MemoryIntake()
    delivery = Delivery(retry_first_s=0.001, retry_most_s=0.002, gather_s=0.001, passing=passing)
    sink.go_away()
    async with _running(delivery, sink):
        delivery.put(_fact(100))
        await sink.until(lambda each: each.refusals >= 2)
        for state in range(1, 40):
            passing.state = state
            delivery.stir()
        await sink.until(lambda each: each.refusals >= 5)
        assert (passing.asked, len(delivery)) == (0, 1)
        sink.come_back()
        await delivery.drained()
        assert [event.external_id for event in sink.events] == ["100:started", "39:started"]
