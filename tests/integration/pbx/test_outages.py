"""Asterisk killed, frozen, restarted; the intake away; two hubs: nothing is lost, nothing told twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from channels.pbx.ami import AmiAddress
from channels.pbx.connector import PbxChannel, create
from channels.pbx.proof import prove
from crm_core.errors import ChannelAuthError, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import OutboundMessage
from crm_core.model.call import CallState
from crm_core.ports import ChannelState
from hub.demo.peers.process import free_port
from tests.fakes.pbx import dial
from tests.fakes.telephone import Telephone
from tests.integration.pbx.conftest import CALM, CLIENT, LINE, Exchange, kinds, snapshot
from tests.integration.pbx.waiting import until
from tests.patience import PATIENCE_S


async def _state(channel: PbxChannel, *states: ChannelState) -> None:
    await until(lambda: channel.health.state in states)


async def _records_read(exchange: Exchange) -> None:
    """Wait until the connector will read call records on from where they end now. Other places are saved beside that
    one, such as how far the numbers were compared."""
    here = "pbx:office", "cdr"
    cdr, places = exchange.office.cdr, exchange.around.cursors.places
    await until(lambda: here in places and places[here].endswith(f":{cdr.stat().st_size if cdr.exists() else 0}"))


async def _next_state(channel: PbxChannel) -> ChannelState:
    await asyncio.sleep(0.02)
    return channel.health.state


async def test_a_graceful_stop_keeps_the_link_to_the_end_of_the_last_call(exchange: Exchange) -> None:
    # refused pings tell of the stop
    exchange.config = replace(exchange.config, timing=replace(CALM, heartbeat_s=0.3))
    channel = await exchange.hub(dial("101"))
    server = ("127.0.0.1", exchange.office.sip_port)
    async with Telephone("101", exchange.office.phones["101"], server) as phone:
        await exchange.people.caller(CLIENT, LINE, hold_ms=600_000)
        talking = await phone.picked_up()
        await exchange.call("answered")
        # the console waits with it for the end
        stopping = asyncio.create_task(exchange.pbx.rx("core stop gracefully"))
        await _refused_while_it_waits(exchange, channel)
        await talking.hang_up()
        assert (await exchange.call("finished")).state is CallState.ANSWERED
    assert channel.stats.link.connects == 1
    await _state(channel, ChannelState.RECONNECTING)
    await asyncio.gather(stopping, return_exceptions=True)
    await exchange.pbx.process.wait(PATIENCE_S)
    await exchange.pbx.start()
    await _state(channel, ChannelState.CONNECTED)
    await until(lambda: channel.health.detail == "")


async def _refused_while_it_waits(exchange: Exchange, channel: PbxChannel) -> None:
    """Who is linked stays so and says what is wrong, nobody else is let in."""
    await until(lambda: "Asterisk is shutting down" in channel.health.detail)
    assert channel.health.state is ChannelState.CONNECTED
    assert channel.health.trouble
    late = create(replace(exchange.config, name="late", agi_port=free_port()), exchange.around.context)
    await late.start(exchange.sink)
    await until(lambda: "Asterisk is shutting down" in late.health.detail)
    assert late.health.state is ChannelState.RECONNECTING
    await late.stop()


async def test_asterisk_is_killed_and_started_again(exchange: Exchange) -> None:
    await exchange.people.phone("101")
    channel = await exchange.hub(dial("101"))
    await exchange.pbx.kill()
    await _state(channel, ChannelState.RECONNECTING)
    assert exchange.around.presence.states == {}
    await exchange.pbx.start()
    await exchange.linked()
    assert channel.health.state is ChannelState.CONNECTED
    await exchange.people.caller(CLIENT, LINE, hold_ms=200)
    assert (await exchange.call("finished")).state is CallState.ANSWERED


async def test_a_frozen_asterisk_is_noticed(exchange: Exchange) -> None:
    exchange.config = replace(exchange.config, timing=replace(CALM, heartbeat_s=0.3, heartbeat_deadline_s=2.0))
    channel = await exchange.hub()
    exchange.pbx.freeze()
    await _state(channel, ChannelState.RECONNECTING)
    assert exchange.around.presence.states == {}
    exchange.pbx.thaw()
    await exchange.linked()
    await _state(channel, ChannelState.CONNECTED)


async def test_a_call_that_was_cut_by_a_crash_is_settled(exchange: Exchange) -> None:
    await exchange.people.silent_phone("101")
    channel = await exchange.hub(dial("101", ring_s=60))
    await exchange.people.caller(CLIENT, LINE)
    await exchange.call("started")
    await exchange.pbx.kill()
    await _state(channel, ChannelState.RECONNECTING)
    await exchange.pbx.start()
    settled = await exchange.call("settled")
    assert (settled.state, settled.settled) == (CallState.MISSED, True)
    assert channel.stats.calls == 0


async def test_calls_that_came_and_went_while_the_hub_was_away(exchange: Exchange) -> None:
    await exchange.people.phone("103", hold_ms=300)
    away = await exchange.hub()
    await _records_read(exchange)
    await away.stop()
    caller = await exchange.people.caller(CLIENT, LINE, hold_ms=1300)
    assert await caller.wait(PATIENCE_S) == 0
    await exchange.recorded(CLIENT)
    assert exchange.sink.events == []
    await exchange.hub()
    settled = await exchange.call("settled")
    assert (settled.state, settled.number, settled.answered_by) == (CallState.ANSWERED, CLIENT, "PJSIP/103")
    assert settled.line == LINE
    await _records_read(exchange)


async def test_a_callback_ordered_by_key_while_the_hub_was_away_is_not_forgotten(exchange: Exchange) -> None:
    away = await exchange.hub()
    await _records_read(exchange)
    await away.stop()
    await exchange.people.busy_phone("103")  # nobody takes the fallback
    caller = await exchange.people.key_presser(CLIENT, LINE, after_ms=1500)
    assert await caller.wait(PATIENCE_S) == 0
    await exchange.recorded(CLIENT)
    await exchange.hub()
    settled = await exchange.call("settled")
    assert (settled.state, settled.wish_callback, settled.line) == (CallState.BUSY, True, LINE)


async def test_a_call_that_goes_on_through_an_outage_of_the_hub_is_taken_up(exchange: Exchange) -> None:
    await exchange.people.phone("101", answer_ms=100, hold_ms=600_000)
    away = await exchange.hub(dial("101"))
    caller = await exchange.people.caller(CLIENT, LINE, hold_ms=600_000)
    await exchange.call("answered")
    await away.stop()
    await exchange.hub(dial("101"))
    await exchange.hang_up_all()
    finished = await exchange.call("finished")
    assert (finished.state, finished.answered_by) == (CallState.ANSWERED, "PJSIP/101")
    assert await caller.wait(PATIENCE_S) == 0
    # the transitions told again have the ids they had, so the intake knows them; call records follow
    assert kinds(exchange.sink)[:3] == ["started", "answered", "finished"]


async def test_call_records_know_better_than_a_link_that_came_in_the_middle(exchange: Exchange) -> None:
    await exchange.people.phone("101", answer_ms=100, hold_ms=600_000)
    away = await exchange.hub(dial("101"))
    await _records_read(exchange)
    caller = await exchange.people.caller(CLIENT, LINE, hold_ms=600_000)
    seen = await exchange.call("answered")
    await away.stop()
    exchange.sink.events.clear()
    await asyncio.sleep(1.5)  # they talk on; what the new link sees first is later than the truth
    await exchange.hub(dial("101"))
    await exchange.hang_up_all()
    guessed = await exchange.call("finished")
    assert await caller.wait(PATIENCE_S) == 0
    assert guessed.guessed
    assert guessed.answered_at is not None
    assert seen.answered_at is not None
    assert guessed.answered_at - seen.answered_at > timedelta(seconds=1)
    settled = await exchange.call("settled")
    assert settled.answered_at is not None
    assert abs(settled.answered_at - seen.answered_at) <= timedelta(seconds=1.1)
    assert settled.progress > guessed.progress


async def test_asterisk_restarts_in_the_middle_of_ten_calls(exchange: Exchange) -> None:
    await exchange.people.phone("101", answer_ms=50, hold_ms=600_000)
    await exchange.people.silent_phone("102")
    talking, ringing = 5, 5
    channel = await exchange.hub()
    # the first five talk, the others still ring
    exchange.around.router.script = [dial("101", ring_s=600)]
    for number in range(talking):
        await exchange.people.caller(f"7916123450{number}", LINE, hold_ms=600_000)
    await exchange.sink.until(lambda sink: kinds(sink).count("answered") == talking)
    exchange.around.router.script = [dial("102", ring_s=600)]
    for number in range(ringing):
        await exchange.people.caller(f"7916123451{number}", LINE)
    await exchange.sink.until(lambda sink: kinds(sink).count("started") == talking + ringing)
    await until(lambda: channel.stats.calls == talking + ringing)
    await exchange.pbx.kill()
    await _state(channel, ChannelState.RECONNECTING)
    await exchange.pbx.start()
    await exchange.sink.until(lambda sink: kinds(sink).count("settled") == talking + ringing)
    assert channel.stats.calls == 0
    ends = [snapshot(event) for event in exchange.sink.events if event.external_id.endswith(":settled")]
    assert len({call.linkedid for call in ends}) == talking + ringing
    states = [call.state for call in ends]
    assert (states.count(CallState.ANSWERED), states.count(CallState.MISSED)) == (talking, ringing)
    await exchange.linked()
    exchange.around.router.script = [dial("101")]
    await exchange.people.caller(CLIENT, LINE, hold_ms=100)
    assert (await exchange.call("finished")).state is CallState.ANSWERED


async def test_transitions_wait_while_the_intake_is_away(exchange: Exchange) -> None:
    await exchange.people.phone("101")
    channel = await exchange.hub(dial("101"))
    exchange.sink.go_away()
    await exchange.people.caller(CLIENT, LINE, hold_ms=100)
    await exchange.sink.until(lambda sink: any(each.external_id.endswith(":finished") for each in sink.offered))
    await until(lambda: "wait for the intake" in channel.health.detail)
    exchange.sink.come_back()
    await exchange.call("finished")
    assert kinds(exchange.sink) == ["started", "answered", "finished"]


async def test_wrong_credentials_are_said_to_be_wrong(exchange: Exchange) -> None:
    wrong = replace(exchange.config, ami=AmiAddress("127.0.0.1", exchange.office.ami_port, "hub", "wrong"))
    channel = create(wrong, exchange.around.context)
    await channel.start(exchange.sink)
    await _state(channel, ChannelState.BAD_CREDENTIALS)
    assert "Authentication failed" in channel.health.detail
    await channel.stop()
    assert channel.health.state is ChannelState.STOPPED
    with pytest.raises(ChannelAuthError, match="Authentication failed"):
        await channel.check()


async def test_a_check_proves_the_account(exchange: Exchange) -> None:
    assert (await prove(exchange.config)).startswith("Asterisk 22")
    nobody = replace(exchange.config, ami=AmiAddress("127.0.0.1", free_port(), "hub", "s3cret"))
    with pytest.raises(TransientDeliveryError, match="is Asterisk running"):
        await prove(nobody)


async def test_only_the_owner_of_the_lease_links(exchange: Exchange) -> None:
    channel = await exchange.hub(dial("101"))
    lease = exchange.around.leases["pbx:office"]
    lease.taken.set()
    # for good: not `stopped` for a moment, which would look like a hub that ends
    states = {await _next_state(channel) for _ in range(20)}
    assert states <= {ChannelState.CONNECTED, ChannelState.CONNECTING}
    await until(lambda: channel.health.detail == "another node owns the link")
    assert channel.health.state is ChannelState.CONNECTING
    await exchange.around.presence.until(lambda each: each.states == {})
    # FastAGI is answered all the same
    await exchange.people.caller(CLIENT, LINE)
    await until(lambda: exchange.around.journal.decisions)


async def test_an_address_that_is_taken_is_a_visible_trouble(exchange: Exchange) -> None:
    async def nothing(_: object, writer: asyncio.StreamWriter) -> None:
        writer.close()

    port = free_port()
    server = await asyncio.start_server(nothing, "127.0.0.1", port)
    channel = await exchange.hub(config=replace(exchange.config, agi_port=port))
    assert "FastAGI can't be answered" in channel.health.detail
    server.close()
    await server.wait_closed()
    await until(lambda: channel.agi_address is not None)
    assert channel.health.detail == ""


async def test_two_pbxs_share_an_address(exchange: Exchange) -> None:
    first = await exchange.hub(dial("101"))
    second = create(replace(exchange.config, name="other"), exchange.around.context)
    await second.start(exchange.sink)
    assert first.agi_address == second.agi_address
    await second.stop()
    assert first.agi_address is not None
    await exchange.people.phone("101")
    await exchange.people.caller(CLIENT, LINE, hold_ms=100)
    assert (await exchange.call("finished")).answered_by == "PJSIP/101"


async def test_a_telephone_carries_no_texts(exchange: Exchange) -> None:
    channel = create(replace(exchange.config, timing=CALM), exchange.around.context)
    with pytest.raises(PermanentDeliveryError):
        await channel.send(OutboundMessage(channel.key, CLIENT, "hello", "key-1"))
