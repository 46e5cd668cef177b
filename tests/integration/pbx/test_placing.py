"""Calls that the hub places, through a real Asterisk: who rings, who hears what, and what the hub is told."""

from __future__ import annotations

import pytest

from channels.pbx.connector import PbxChannel
from crm_core.errors import PermanentDeliveryError
from crm_core.messages import CallChanged
from crm_core.model.call import CallSnapshot, CallState, Direction
from crm_core.ports import PlaceCall
from tests.integration.pbx.conftest import LINE, Exchange

NUMBER = "+79161234567"
LINKEDID = "1795314567.hub4711"


def to_place(*, announce: bool = False, endpoint: str = "PJSIP/101", name: str = "Анна", ring_s: int = 5) -> PlaceCall:
    """A call to be placed."""
    return PlaceCall(LINKEDID, endpoint, NUMBER, LINE, name, announce, ring_s, "followme/call-from")


async def over(exchange: Exchange) -> CallSnapshot:
    """The call when it is over, however that is told."""
    event = await exchange.sink.event(
        lambda each: isinstance(each.payload, CallChanged) and each.payload.call.finished_at is not None
    )
    assert isinstance(event.payload, CallChanged)
    assert event.payload.call.linkedid == LINKEDID
    return event.payload.call


async def controlled(exchange: Exchange) -> PbxChannel:
    """The connector, once it may place calls."""
    channel = await exchange.hub()
    assert channel.controls
    return channel


async def test_the_person_rings_first_then_the_client(exchange: Exchange) -> None:
    await exchange.people.phone("101")
    await exchange.people.client_phone(hold_ms=500)
    channel = await controlled(exchange)
    await channel.place_call(to_place())
    call = await over(exchange)
    assert (call.state, call.direction, call.number) == (CallState.ANSWERED, Direction.OUT, NUMBER)
    assert [leg.endpoint for leg in call.legs] == ["PJSIP/101", f"PJSIP/{NUMBER}@trunk"]
    assert call.talk_s > 0.2
    assert call.hung_up_by == "client"


@pytest.mark.parametrize(
    ("client", "state"), [("busy", CallState.BUSY), ("silent", CallState.NO_ANSWER), ("away", CallState.NO_ANSWER)]
)
async def test_a_client_who_is_not_reached(exchange: Exchange, client: str, state: CallState) -> None:
    await exchange.people.phone("101", hold_ms=1500 if client == "silent" else 30_000)
    match client:
        case "busy":
            await exchange.people.client_busy()
        case "silent":
            await exchange.people.client_phone(answer_ms=600_000)
        case _:
            await exchange.people.client_away()
    channel = await controlled(exchange)
    await channel.place_call(to_place())
    call = await over(exchange)
    assert call.state is state
    assert call.answered_at is None


async def test_a_person_who_does_not_pick_up(exchange: Exchange) -> None:
    await exchange.people.silent_phone("101")
    channel = await controlled(exchange)
    await channel.place_call(to_place(ring_s=1))
    call = await over(exchange)
    assert call.state is CallState.FAILED
    assert [leg.endpoint for leg in call.legs] == ["PJSIP/101"]


async def test_a_telephone_that_does_not_exist_is_told_at_once(exchange: Exchange) -> None:
    channel = await controlled(exchange)
    await channel.place_call(to_place(endpoint="PJSIP/999"))
    call = await over(exchange)
    assert (call.state, call.number, call.legs) == (CallState.FAILED, NUMBER, ())


async def test_a_name_can_not_carry_headers(exchange: Exchange) -> None:
    await exchange.people.phone("101")
    await exchange.people.client_phone(hold_ms=200)
    channel = await controlled(exchange)
    await channel.place_call(to_place(name='Э"ве\r\nAction: DBPut\r\n<script>' + "😀" * 300))
    assert (await over(exchange)).state is CallState.ANSWERED


async def test_what_can_not_be_sent_is_refused(exchange: Exchange) -> None:
    channel = await controlled(exchange)
    with pytest.raises(PermanentDeliveryError):
        await channel.place_call(to_place(endpoint="PJSIP/101\r\nAction: Ping"))


async def test_the_person_hears_whom_it_is_about_and_accepts(exchange: Exchange) -> None:
    await exchange.people.accepting_phone("101", after_ms=6500)
    await exchange.people.client_phone(hold_ms=300)
    channel = await controlled(exchange)
    await channel.place_call(to_place(announce=True))
    call = await over(exchange)
    assert call.state is CallState.ANSWERED
    log = (exchange.office.run / "log" / "messages").read_text(encoding="utf-8")
    for sound in ("followme/call-from", "digits/4", "digits/5", "digits/6", "digits/7"):
        assert f"Playing '{sound}" in log


async def test_who_declines_keeps_the_client_from_being_dialled(exchange: Exchange) -> None:
    await exchange.people.accepting_phone("101", key="2", after_ms=1500)
    channel = await controlled(exchange)
    await channel.place_call(to_place(announce=True))
    call = await over(exchange)
    assert call.state is CallState.FAILED
    assert [leg.endpoint for leg in call.legs] == ["PJSIP/101"]


async def test_a_call_that_is_not_wanted_any_more_does_not_reach_the_client(exchange: Exchange) -> None:
    await exchange.people.accepting_phone("101", after_ms=6500)
    await exchange.people.client_phone()
    channel = await controlled(exchange)
    await channel.place_call(to_place(announce=True))
    await exchange.call("started")
    await channel.stop_call(LINKEDID)
    call = await over(exchange)
    assert call.state is CallState.FAILED
    assert [leg.endpoint for leg in call.legs] == ["PJSIP/101"]
    with pytest.raises(PermanentDeliveryError):
        await channel.stop_call(LINKEDID)  # there is no such call any more


async def test_stopping_leaves_a_client_alone_who_is_on_the_line(exchange: Exchange) -> None:
    await exchange.people.phone("101")
    await exchange.people.client_phone(hold_ms=1500)
    channel = await controlled(exchange)
    await channel.place_call(to_place())
    await exchange.call("answered")
    await channel.stop_call(LINKEDID)
    call = await over(exchange)
    assert (call.state, call.hung_up_by) == (CallState.ANSWERED, "client")
