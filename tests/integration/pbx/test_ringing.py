"""Whom a real call rings is told while it rings: one after another, a group at once, through wires and queues."""

from __future__ import annotations

import pytest

from channels.pbx.connector import PbxChannel
from crm_core.messages import CallRinging, InboundEvent
from tests.fakes.intake import MemoryIntake
from tests.fakes.pbx import dial
from tests.integration.pbx.conftest import CLIENT, LINE, Exchange, kinds, listed
from tests.integration.pbx.switchboard import GROUP, ONE, QUEUE, WIRE, WIRED_QUEUE, Switchboard
from tests.integration.pbx.waiting import until


def ringing(event: InboundEvent) -> frozenset[str] | None:
    """The extensions that ring by this fact; None where it is another."""
    if not isinstance(event.payload, CallRinging):
        return None
    legs = event.payload.call.legs
    return frozenset(leg.endpoint.removeprefix("PJSIP/") for leg in legs if leg.ended_at is None)


def told(sink: MemoryIntake) -> list[frozenset[str]]:
    """Whom it was told to ring, one after another; not the moments between, which may be too short to be told."""
    return [rung for event in sink.events if (rung := ringing(event))]


async def _rings(sink: MemoryIntake, *extensions: str) -> None:
    await sink.event(lambda event: ringing(event) == frozenset(extensions))


async def test_one_after_another_before_anybody_picks_up(exchange: Exchange) -> None:
    await exchange.people.silent_phone("101")
    await exchange.people.silent_phone("102")
    await exchange.hub(dial("101", ring_s=2), dial("102", ring_s=60))
    await exchange.people.caller(CLIENT, LINE)
    await _rings(exchange.sink, "101")
    await _rings(exchange.sink, "102")
    assert kinds(exchange.sink) == ["started"]
    assert told(exchange.sink) == [{"101"}, {"102"}]
    assert {event.sender.identities[0].value for event in exchange.sink.events} == {f"+{CLIENT}"}
    await exchange.hang_up_all()
    await exchange.call("finished")
    assert len({event.external_id for event in exchange.sink.events}) == len(exchange.sink.events)


async def test_a_group_is_told_at_once_and_by_whom_it_was_taken(switchboard: Switchboard) -> None:
    client, sink = switchboard.calls(GROUP), switchboard.exchange.sink
    first = await switchboard.phones["101"].rung()
    await switchboard.phones["102"].rung()
    await _rings(sink, "101", "102")
    assert kinds(sink) == ["started"]
    assert told(sink) == [{"101", "102"}]
    first.answer()
    await client.until_answered()
    await switchboard.exchange.call("answered")
    await client.hang_up()
    await switchboard.over()
    assert {"102"} not in told(sink)


@pytest.mark.parametrize("line", [QUEUE, WIRED_QUEUE])
async def test_a_queue_goes_on_to_the_next_member(switchboard: Switchboard, line: str) -> None:
    client, sink = switchboard.calls(line), switchboard.exchange.sink
    await switchboard.phones["101"].rung()
    await _rings(sink, "101")
    second = await switchboard.phones["102"].rung()
    await _rings(sink, "102")
    assert kinds(sink) == ["started"]
    second.answer()
    await client.until_answered()
    await switchboard.exchange.call("answered")
    await client.hang_up()
    await switchboard.over()
    assert told(sink) == [{"101"}, {"102"}]


async def test_a_telephone_behind_a_wire(switchboard: Switchboard) -> None:
    client, sink = switchboard.calls(WIRE), switchboard.exchange.sink
    phone = await switchboard.phones["101"].rung()
    await _rings(sink, "101")
    phone.answer()
    await client.until_answered()
    await client.hang_up()
    await switchboard.over()
    assert told(sink) == [{"101"}]


async def test_a_call_that_ends_while_it_rings(switchboard: Switchboard) -> None:
    switchboard.calls(ONE)
    sink = switchboard.exchange.sink
    await switchboard.phones["101"].rung()
    await _rings(sink, "101")
    await switchboard.exchange.hang_up_all()
    await switchboard.over()
    assert kinds(sink) == ["started", "finished"]
    assert told(sink) == [{"101"}]


async def test_a_node_that_takes_over_while_it_rings_learns_whom(switchboard: Switchboard) -> None:
    client = switchboard.calls(GROUP)
    phone = await switchboard.phones["101"].rung()
    await switchboard.phones["102"].rung()
    await switchboard.ringing("PJSIP/101")
    await switchboard.ringing("PJSIP/102")
    await switchboard.hub.stop()
    sink = MemoryIntake()
    other = PbxChannel(switchboard.exchange.config, switchboard.exchange.around.context)
    await other.start(sink)
    try:
        await listed(other)
        await _rings(sink, "101", "102")
        phone.answer()
        await client.until_answered()
        await sink.event(lambda event: event.external_id.endswith(":answered"))
        await client.hang_up()
        await sink.event(lambda event: event.external_id.endswith(":finished"))
        await until(lambda: len(other._book) == 0)
        assert kinds(sink)[:1] == ["started"]
    finally:
        await other.stop()
