"""Real calls that move: queue, group, transfers, pickup, parking, forwarding, hold; always one call with its people."""

from __future__ import annotations

import asyncio

import pytest

from crm_core.model.call import CallSnapshot, CallState, Direction
from tests.integration.pbx.conftest import kinds
from tests.integration.pbx.switchboard import (
    CLIENT,
    GROUP,
    ONE,
    PARKED,
    QUEUE,
    WIRE,
    WIRED_QUEUE,
    Switchboard,
    told,
)

SHORTLY = 0.4
# A machine with other things to do shortens and lengthens what others see of that; captured calls prove exact times.
AT_LEAST = 0.1


async def _later(seconds: float = SHORTLY) -> None:
    """People talk for a while; only real time makes seconds of conversation in a real Asterisk."""
    await asyncio.sleep(seconds)


def _whole(board: Switchboard, call: CallSnapshot) -> None:
    """One client's call from the first ring to the end, told once."""
    assert kinds(board.exchange.sink) == ["started", "answered", "finished"]
    assert {event.correlation_id for event in board.exchange.sink.events} == {call.linkedid}
    assert (call.state, call.direction, call.number) == (CallState.ANSWERED, Direction.IN, CLIENT)
    assert call.talk_s == pytest.approx(sum(_length(call)), abs=0.01)


def _length(call: CallSnapshot) -> list[float]:
    return [(talk.until - talk.since).total_seconds() for talk in call.talks if talk.until is not None]


@pytest.mark.parametrize("line", [QUEUE, WIRED_QUEUE])
async def test_a_queue_whose_first_member_does_not_pick_up(switchboard: Switchboard, line: str) -> None:
    client = switchboard.calls(line)
    await switchboard.phones["101"].rung()
    await switchboard.phones["102"].picked_up()
    await client.until_answered()
    await switchboard.exchange.call("answered")
    await _later()
    await client.hang_up()
    call = await switchboard.over()
    _whole(switchboard, call)
    assert told(call.talks) == [("PJSIP/102", "answered")]
    first, second = call.legs
    assert (first.endpoint, first.answered_at, second.endpoint) == ("PJSIP/101", None, "PJSIP/102")
    assert first.ended_at is not None
    assert (first.ended_at - first.rang_at).total_seconds() > 2
    assert second.answered_at is not None
    assert (call.answered_by, call.hung_up_by) == ("PJSIP/102", "client")


async def test_a_ring_group(switchboard: Switchboard) -> None:
    client = switchboard.calls(GROUP)
    await switchboard.phones["101"].rung()
    await switchboard.phones["102"].picked_up()
    await switchboard.exchange.call("answered")
    await client.hang_up()
    call = await switchboard.over()
    _whole(switchboard, call)
    causes = {leg.endpoint: leg.cause for leg in call.legs if leg.answered_at is None}
    assert causes == {"PJSIP/101": 26}, "somebody else answered"


async def test_an_attended_transfer(switchboard: Switchboard) -> None:
    client, manager = await switchboard.talking()
    await manager.hold()
    asking = switchboard.phones["101"].call("102")
    colleague = await switchboard.phones["102"].picked_up()
    await asking.until_answered()
    await switchboard.together("PJSIP/101", "PJSIP/102")
    await _later()
    await manager.refer("102", asking)
    await manager.hang_up()
    await switchboard.together("PJSIP/trunk", "PJSIP/102")
    await client.hang_up()
    await colleague.until_ended()
    call = await switchboard.over()
    _whole(switchboard, call)
    assert told(call.talks) == [("PJSIP/101", "answered"), ("PJSIP/102", "attended_transfer")]
    assert call.answered_by == "PJSIP/101"
    assert call.hold_s >= AT_LEAST
    assert call.hung_up_by == "client"


@pytest.mark.parametrize("last", ["client", "office"])
async def test_a_blind_transfer(switchboard: Switchboard, last: str) -> None:
    client, manager = await switchboard.talking()
    await _later()
    await manager.refer("102")
    colleague = await switchboard.phones["102"].rung()
    await manager.hang_up()
    await _later()
    colleague.answer()
    await switchboard.together("PJSIP/trunk", "PJSIP/102")
    await (client if last == "client" else colleague).hang_up()
    call = await switchboard.over()
    _whole(switchboard, call)
    assert told(call.talks) == [("PJSIP/101", "answered"), ("PJSIP/102", "blind_transfer")]
    assert call.talks[0].until is not None
    between = (call.talks[1].since - call.talks[0].until).total_seconds()
    assert between >= AT_LEAST, "while the colleague's telephone rang nobody talked"
    assert call.hung_up_by == last


async def test_a_transfer_that_nobody_takes(switchboard: Switchboard) -> None:
    client, manager = await switchboard.talking()
    await manager.refer("102")
    await switchboard.phones["102"].rung()
    await _later()
    await client.hang_up()
    call = await switchboard.over()
    _whole(switchboard, call)
    assert told(call.talks) == [("PJSIP/101", "answered")]
    assert [(leg.endpoint, leg.answered_at is not None) for leg in call.legs] == [
        ("PJSIP/101", True),
        ("PJSIP/102", False),
    ]


@pytest.mark.parametrize("code", ["*8", "*1"])
async def test_a_colleague_picks_the_call_up(switchboard: Switchboard, code: str) -> None:
    client = switchboard.calls(ONE)
    await switchboard.phones["101"].rung()
    await switchboard.ringing("PJSIP/101")
    colleague = switchboard.phones["103"].call(code)
    await colleague.until_answered()
    await switchboard.exchange.call("answered")
    await client.hang_up()
    call = await switchboard.over()
    _whole(switchboard, call)
    assert told(call.talks) == [("PJSIP/103", "picked_up")]
    assert call.answered_by == "PJSIP/103"
    assert [(leg.endpoint, leg.answered_at) for leg in call.legs] == [("PJSIP/101", None)]


async def test_a_client_is_parked_and_fetched_by_another(switchboard: Switchboard) -> None:
    client, manager = await switchboard.talking()
    await manager.refer("700")
    await switchboard.parked(1)
    await manager.hang_up()
    await _later()
    colleague = switchboard.phones["102"].call(PARKED)
    await colleague.until_answered()
    await switchboard.together("PJSIP/trunk", "PJSIP/102")
    await client.hang_up()
    await colleague.until_ended()
    call = await switchboard.over()
    _whole(switchboard, call)
    assert told(call.talks) == [("PJSIP/101", "answered"), ("PJSIP/102", "unparked")]
    assert call.hold_s >= AT_LEAST, "a parked client waits"


async def test_two_parked_clients_do_not_talk_with_each_other(switchboard: Switchboard) -> None:
    client, manager = await switchboard.talking()
    await manager.refer("700")
    await switchboard.parked(1)
    await manager.hang_up()
    await switchboard.gone("PJSIP/101")
    other, second = await switchboard.through()
    await second.refer("700")
    await switchboard.parked(2)
    await second.hang_up()
    for each in (client, other):
        await each.hang_up()
    await switchboard.exchange.sink.until(lambda sink: kinds(sink).count("finished") == 2)
    for event in switchboard.exchange.sink.events:
        if event.external_id.endswith(":finished"):
            call = event.payload.call  # type: ignore[union-attr]  # it has come to its end, so it is a call
            assert told(call.talks) == [("PJSIP/101", "answered")]


async def test_a_telephone_that_forwards_to_a_mobile(switchboard: Switchboard) -> None:
    client = switchboard.calls(ONE)
    forwarding = await switchboard.phones["101"].rung()
    forwarding.forward("89990001122")
    mobile = await switchboard.provider.picked_up()
    await switchboard.exchange.call("answered")
    await _later()
    await client.hang_up()
    await mobile.until_ended()
    call = await switchboard.over()
    _whole(switchboard, call)
    assert told(call.talks) == [("PJSIP/89990001122@trunk", "answered")]
    assert next(leg.cause for leg in call.legs) == 23


LONG = 4.0


async def test_hold(switchboard: Switchboard) -> None:
    client, manager = await switchboard.talking(WIRE)
    await manager.hold()
    await _later()
    await manager.hold(on=False)
    await client.hold()
    await _later(LONG)
    await client.hold(on=False)
    await manager.hang_up()
    await client.until_ended()
    call = await switchboard.over()
    _whole(switchboard, call)
    assert AT_LEAST <= call.hold_s < LONG, "what the client puts on hold is not held by the office"
    assert call.hung_up_by == "office"
    assert told(call.talks) == [("PJSIP/101", "answered")]


async def test_a_call_is_redirected_by_the_pbx(switchboard: Switchboard) -> None:
    client, manager = await switchboard.talking()
    channels = await switchboard.exchange.pbx.rx("core show channels concise")
    (trunk,) = (line.partition("!")[0] for line in channels.splitlines() if line.startswith("PJSIP/trunk-"))
    fields = {"Channel": trunk, "Context": "office", "Exten": "102", "Priority": "1"}
    await switchboard.hub._link.act("Redirect", fields.items())
    await manager.until_ended()
    colleague = await switchboard.phones["102"].picked_up()
    await switchboard.together("PJSIP/trunk", "PJSIP/102")
    await colleague.hang_up()
    await client.until_ended()
    call = await switchboard.over()
    _whole(switchboard, call)
    assert told(call.talks) == [("PJSIP/101", "answered"), ("PJSIP/102", "blind_transfer")]
    assert call.hung_up_by == "office"


async def test_an_attended_transfer_to_a_mobile_is_two_clients_calls(switchboard: Switchboard) -> None:
    client, manager = await switchboard.talking()
    await manager.hold()
    asking = switchboard.phones["101"].call("89990001122")
    mobile = await switchboard.provider.picked_up()
    await asking.until_answered()
    await switchboard.together("PJSIP/101", "PJSIP/trunk")
    await _later()
    await manager.refer("89990001122", asking)
    await manager.hang_up()
    await switchboard.gone("PJSIP/101")
    await _later()
    await client.hang_up()
    await mobile.until_ended()
    await switchboard.exchange.sink.until(lambda sink: kinds(sink).count("finished") == 2)
    calls = {
        event.payload.call.direction: event.payload.call  # type: ignore[union-attr]  # as above
        for event in switchboard.exchange.sink.events
        if event.external_id.endswith(":finished")
    }
    assert told(calls[Direction.IN].talks) == [
        ("PJSIP/101", "answered"),
        ("PJSIP/89990001122@trunk", "attended_transfer"),
    ]
    assert (calls[Direction.OUT].number, calls[Direction.OUT].answered_by) == ("89990001122", "PJSIP/101")


async def test_a_pause_in_a_queue_is_known(switchboard: Switchboard) -> None:
    presence, asterisk = switchboard.exchange.around.presence, switchboard.exchange.pbx
    await presence.until(lambda each: each.pauses.get(("office", "PJSIP/101", "sales")) is False)
    # a member behind a wire is known by the telephone that the queue watches
    assert presence.pauses["office", "PJSIP/101", "wired"] is False
    await asterisk.rx("queue pause member PJSIP/101 queue sales")
    await presence.until(lambda each: each.pauses["office", "PJSIP/101", "sales"])
    assert not presence.pauses["office", "PJSIP/102", "sales"]
    await asterisk.rx("queue unpause member PJSIP/101 queue sales")
    await presence.until(lambda each: not each.pauses["office", "PJSIP/101", "sales"])
