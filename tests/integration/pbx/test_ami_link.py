"""The AMI link against peers that misbehave: nothing blocks it, nothing is sent twice, every trouble is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from channels.pbx.ami import (
    AmiAddress,
    AmiDownError,
    AmiLink,
    AmiRefusedError,
    AmiTimeoutError,
    LinkHandlers,
    LinkTiming,
)
from channels.pbx.ami_wire import AmiInjectionError, AmiMessage
from crm_core.ports import ChannelState
from tests.fakes.ami import BOOTED, GREETING, ScriptedAmi, obliging, refusal, success
from tests.integration.pbx.waiting import until
from tests.patience import PATIENCE_S

CALM = LinkTiming(
    connect_s=PATIENCE_S,
    action_s=PATIENCE_S,
    heartbeat_s=PATIENCE_S,
    heartbeat_deadline_s=PATIENCE_S,
    booted_s=PATIENCE_S,
    backoff_first_s=0.01,
    backoff_most_s=0.05,
    bad_credentials_s=0.05,
)
BEATING = replace(CALM, heartbeat_s=0.05)
HELLO = b"Event: Newchannel\r\nUniqueid: 1\r\nCallerIDName: \xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd\xd0\xbe\xd0\xb2\r\n\r\n"


class Listener:
    """A link, and what it told."""

    def __init__(self, port: int, timing: LinkTiming) -> None:
        self.heard: list[AmiMessage] = []
        self.ready = 0
        self.lost = 0
        self.fault: Exception | None = None
        self.lost_because: list[str] = []
        self._changed = asyncio.Event()
        address = AmiAddress("127.0.0.1", port, "hub", "s3cret")
        self.link = AmiLink(
            address, LinkHandlers(self._message, self._ready, self._lost), frozenset({"Newchannel"}), timing=timing
        )

    def _message(self, message: AmiMessage) -> None:
        self._changed.set()
        self.heard.append(message)
        if self.fault is not None:
            raise self.fault

    async def _ready(self) -> None:
        self.ready += 1
        self._changed.set()

    def _lost(self) -> None:
        self.lost += 1
        self.lost_because.append(self.link.health.detail)
        self._changed.set()

    async def until(self, name: str, count: int) -> None:
        """Wait until it has been told this often."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                value = getattr(self, name)
                if (len(value) if isinstance(value, list) else value) >= count:
                    return
                self._changed.clear()
                await self._changed.wait()

    async def state(self, *states: ChannelState) -> None:
        """Wait for a state."""
        await until(lambda: self.link.health.state in states)


@asynccontextmanager
async def _linked(peer: ScriptedAmi, timing: LinkTiming = CALM) -> AsyncIterator[Listener]:
    listener = Listener(peer.port, timing)
    running = asyncio.create_task(listener.link.run())
    try:
        yield listener
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_login_asks_for_the_needed_events_only() -> None:
    async with ScriptedAmi() as peer, _linked(peer) as listener:
        await listener.until("ready", 1)
        login = peer.actions[0]
        assert (login.get("Username"), login.get("Secret"), login.get("Events")) == (
            "hub",
            "s3cret",
            "system,call,agent,user",
        )
        assert listener.link.health.state is ChannelState.CONNECTED


async def test_a_character_split_between_packets_arrives_whole() -> None:
    async with ScriptedAmi() as peer, _linked(peer) as listener:
        await listener.until("ready", 1)
        for byte in HELLO:
            peer.say(bytes([byte]))
            await asyncio.sleep(0)
        await listener.until("heard", 1)
        assert listener.heard[0].get("CallerIDName") == "Иванов"


async def test_a_callback_that_raises_does_not_cost_the_link() -> None:
    async with ScriptedAmi() as peer, _linked(peer) as listener:
        await listener.until("ready", 1)
        listener.fault = RuntimeError("a fault of ours")
        peer.say(HELLO, HELLO)
        await listener.until("heard", 2)
        assert listener.link.stats.callback_errors == 2
        await listener.link.act("Ping")
        assert peer.connections == 1


async def test_events_nobody_wants_are_passed_over() -> None:
    async with ScriptedAmi() as peer, _linked(peer) as listener:
        await listener.until("ready", 1)
        peer.say(b"Event: VarSet\r\nX: y\r\n\r\n\r\nEvent: Cdr\r\n\r\n", HELLO)
        await listener.until("heard", 1)
        assert len(listener.heard) == 1
        assert listener.link.stats.passed_over == 3  # the greeting FullyBooted too


async def test_an_action_is_never_sent_again() -> None:
    def script(peer: ScriptedAmi, message: AmiMessage) -> bytes | None:
        if message.get("Action") == "Originate":
            peer.drop()
            return None
        return obliging(peer, message)

    async with ScriptedAmi(script) as peer, _linked(peer) as listener:
        await listener.until("ready", 1)
        with pytest.raises(AmiDownError):
            await listener.link.act("Originate", [("Channel", "PJSIP/101")])
        await listener.until("ready", 2)
        await listener.link.act("Ping")
        assert peer.names().count("Originate") == 1
        assert listener.lost == 1


async def test_an_action_that_is_not_answered_times_out_and_is_forgotten() -> None:
    def script(peer: ScriptedAmi, message: AmiMessage) -> bytes | None:
        return None if message.get("Action") == "Originate" else obliging(peer, message)

    async with ScriptedAmi(script) as peer, _linked(peer) as listener:
        await listener.until("ready", 1)
        with pytest.raises(AmiTimeoutError):
            await listener.link.act("Originate", within_s=0.1)
        assert listener.link._pending == {}
        peer.say(success(peer.actions[-1]))
        await listener.link.act("Ping")


async def test_a_refusal_has_the_words_of_the_pbx() -> None:
    def script(peer: ScriptedAmi, message: AmiMessage) -> bytes:
        return refusal(message, "Permission denied") if message.get("Action") == "DBPut" else obliging(peer, message)

    async with ScriptedAmi(script) as peer, _linked(peer) as listener:
        await listener.until("ready", 1)
        with pytest.raises(AmiRefusedError, match="Permission denied"):
            await listener.link.act("DBPut")


async def test_forged_headers_are_never_sent() -> None:
    async with ScriptedAmi() as peer, _linked(peer) as listener:
        await listener.until("ready", 1)
        with pytest.raises(AmiInjectionError):
            await listener.link.act("Originate", [("CallerID", "x\r\n\r\nAction: DBPut")])
        await listener.link.act("Ping")
        assert "DBPut" not in peer.names()
        assert "Originate" not in peer.names()


async def test_before_it_is_connected_an_action_says_so() -> None:
    with pytest.raises(AmiDownError, match="not connected"):
        await Listener(1, CALM).link.act("Ping")


async def test_a_peer_that_falls_silent_is_noticed() -> None:
    def script(peer: ScriptedAmi, message: AmiMessage) -> bytes | None:
        silent = message.get("Action") == "Ping" and peer.connections == 1
        return None if silent else obliging(peer, message)

    async with ScriptedAmi(script) as peer, _linked(peer, replace(BEATING, heartbeat_deadline_s=0.2)) as listener:
        await listener.until("lost", 1)
        await listener.until("ready", 2)


async def test_a_flood_of_events_before_the_answer_is_a_sign_of_life() -> None:
    def script(peer: ScriptedAmi, message: AmiMessage) -> bytes | None:
        # the answers to pings stand behind events that take their time
        return HELLO if message.get("Action") == "Ping" else obliging(peer, message)

    async with ScriptedAmi(script) as peer, _linked(peer, replace(BEATING, heartbeat_deadline_s=1.0)) as listener:
        await listener.until("heard", 3)
        assert peer.connections == 1
        assert listener.lost == 0
        assert listener.link._pending.keys() <= {peer.actions[-1].get("ActionID")}


async def test_wrong_credentials_stand_in_the_health_and_are_mended_without_a_restart() -> None:
    wrong = True

    def script(peer: ScriptedAmi, message: AmiMessage) -> bytes:
        return refusal(message, "Authentication failed") if wrong else obliging(peer, message)

    async with ScriptedAmi(script) as peer, _linked(peer) as listener:
        await listener.state(ChannelState.BAD_CREDENTIALS)
        assert "Authentication failed" in listener.link.health.detail
        assert "s3cret" not in listener.link.health.detail
        wrong = False
        await listener.until("ready", 1)


async def test_a_login_that_is_refused_for_another_reason_is_tried_again_soon() -> None:
    leaving = True

    def script(peer: ScriptedAmi, message: AmiMessage) -> bytes:
        return refusal(message, "Asterisk is shutting down") if leaving else obliging(peer, message)

    timing = replace(CALM, bad_credentials_s=60.0)
    async with ScriptedAmi(script) as peer, _linked(peer, timing) as listener:
        await peer.until(lambda each: each.connections >= 3)
        await listener.state(ChannelState.RECONNECTING)
        assert "Asterisk is shutting down" in listener.link.health.detail
        leaving = False
        await listener.until("ready", 1)


async def test_a_refused_ping_is_a_sign_of_life_and_stands_in_the_health(caplog: pytest.LogCaptureFixture) -> None:
    leaving = True

    def script(peer: ScriptedAmi, message: AmiMessage) -> bytes:
        refused = leaving and message.get("Action") == "Ping"
        return refusal(message, "Asterisk is shutting down") if refused else obliging(peer, message)

    async with ScriptedAmi(script) as peer, _linked(peer, BEATING) as listener:
        await peer.until(lambda each: each.names().count("Ping") >= 3)
        health = listener.link.health
        assert (health.state, health.trouble) == (ChannelState.CONNECTED, True)
        assert health.detail == "Ping: Asterisk is shutting down"
        assert [record.getMessage() for record in caplog.records].count(
            f"AMI 127.0.0.1:{peer.port}: {health.detail}"
        ) == 1
        peer.say(HELLO)
        await listener.until("heard", 1)
        leaving = False
        await until(lambda: not listener.link.health.trouble)
        assert (peer.connections, listener.lost) == (1, 0)


async def test_a_peer_that_stays_away_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async with ScriptedAmi() as peer:
        port = peer.port
    listener = Listener(port, CALM)
    running = asyncio.create_task(listener.link.run())
    await until(lambda: listener.link.stats.failures >= 4)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len([record for record in caplog.records if record.name == "channels.pbx.ami"]) == 1


async def test_a_user_who_may_not_see_the_system_is_told_so() -> None:
    timing = replace(CALM, booted_s=0.2)
    async with ScriptedAmi(lambda _, message: success(message)) as peer, _linked(peer, timing) as listener:
        await listener.until("ready", 1)
        assert listener.link.health.state is ChannelState.CONNECTED
        assert "system" in listener.link.health.detail


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH\r\n", b"\x00" * 100])
async def test_peers_that_are_no_asterisk_are_left_and_tried_again(greeting: bytes) -> None:
    async with ScriptedAmi(lambda *_: None, greeting) as peer, _linked(peer, replace(CALM, action_s=0.1)) as listener:
        await peer.until(lambda each: each.connections >= 2)
        assert listener.ready == 0
        await listener.state(ChannelState.RECONNECTING)


async def test_a_block_without_end_costs_the_connection_not_the_memory() -> None:
    async with ScriptedAmi() as peer, _linked(peer) as listener:
        await listener.until("ready", 1)
        peer.say(b"x" * (2 * 1024 * 1024))
        await listener.until("lost", 1)
        assert "block" in listener.lost_because[0]
        await listener.until("ready", 2)


async def test_stopping_while_it_waits_to_reconnect_stops_it() -> None:
    async with ScriptedAmi() as peer:
        port = peer.port
    listener = Listener(port, replace(CALM, backoff_first_s=60.0, backoff_most_s=60.0))
    running = asyncio.create_task(listener.link.run())
    await listener.state(ChannelState.RECONNECTING)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert listener.link.health.state is ChannelState.STOPPED


async def test_a_fault_in_asking_for_the_state_is_visible_and_costs_nothing_else() -> None:
    async with ScriptedAmi() as peer:

        async def ready() -> None:
            raise RuntimeError("a fault of ours")

        link = AmiLink(
            AmiAddress("127.0.0.1", peer.port, "hub", "s3cret"),
            LinkHandlers(lambda _: None, ready, lambda: None),
            frozenset(),
            timing=CALM,
        )
        running = asyncio.create_task(link.run())
        await until(lambda: "a fault of ours" in link.health.detail)
        assert link.health.state is ChannelState.CONNECTED
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_an_answer_in_the_last_packet_is_heard() -> None:
    def script(peer: ScriptedAmi, message: AmiMessage) -> bytes:
        if message.get("Action") == "Login":
            return success(message) + BOOTED
        peer.say(success(message))
        peer.drop()
        return b""

    async with ScriptedAmi(script, GREETING) as peer, _linked(peer) as listener:
        await listener.until("ready", 1)
        assert (await listener.link.act("Ping")).get("Response") == "Success"
