"""Settling against a scripted Asterisk: channel lists, call records that come late, are cut, or can't be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from channels.pbx.ami import AmiAddress, LinkTiming
from channels.pbx.ami_wire import AmiMessage
from channels.pbx.config import PbxConfig
from channels.pbx.connector import PbxChannel, PbxTiming
from crm_core.model.call import CallState
from crm_core.ports import ChannelState
from tests.fakes.ami import ScriptedAmi, obliging, success
from tests.fakes.intake import MemoryIntake
from tests.fakes.pbx import PbxSurroundings, ScriptedRouter
from tests.integration.pbx.conftest import kinds, snapshot
from tests.integration.pbx.waiting import until
from tests.unit.pbx.streams import FIXTURES, blocks_of

TIMING = LinkTiming(action_s=1.0, heartbeat_s=60.0, booted_s=1.0, backoff_first_s=0.01, backoff_most_s=0.05)
QUICK = PbxTiming(sweep_s=0.05, compare_s=0.2, drain_s=1.0, again_s=0.05)
CALL = "test-1795314526.8"
RECORD = (FIXTURES / "inbound_answered_caller_hangs_up.cdr.csv").read_bytes()
OTHER_RECORD = (FIXTURES / "inbound_noanswer_timeout.cdr.csv").read_bytes()
LIVE = (
    "Event: CoreShowChannel\r\nActionID: {action}\r\nChannel: PJSIP/trunk-00000008\r\nChannelState: 4\r\n"
    "CallerIDNum: 79161234567\r\nContext: from-trunk\r\nExten: 1000\r\nUniqueid: {call}\r\nLinkedid: {call}\r\n\r\n"
)


class Office:
    """A scripted Asterisk with channels that live, and a connector to it."""

    def __init__(self, peer: ScriptedAmi, folder: Path) -> None:
        self.peer = peer
        self.sink = MemoryIntake()
        self.around = PbxSurroundings(ScriptedRouter())
        self.cdr = folder / "Master.csv"
        self.live: set[str] = set()
        config = PbxConfig(
            "office", AmiAddress("127.0.0.1", peer.port, "hub", "s3cret"), agi_port=0, cdr=self.cdr, timing=TIMING
        )
        self.channel = PbxChannel(config, self.around.context, QUICK)

    def script(self, peer: ScriptedAmi, message: AmiMessage) -> bytes:
        """Lists what lives."""
        if message.get("Action") != "CoreShowChannels":
            return obliging(peer, message)
        action = message.get("ActionID")
        listed = "".join(LIVE.format(action=action, call=call) for call in self.live).encode()
        return success(message) + listed + b"Event: CoreShowChannelsComplete\r\n\r\n"

    def place(self) -> str:
        """The place in the records that was saved."""
        return self.around.cursors.places.get(("pbx:office", "cdr"), "").partition(":")[2]

    async def began(self) -> None:
        """A call begins: its first events come over the link."""
        self.live.add(CALL)
        for block in blocks_of("inbound_answered_caller_hangs_up")[:40]:
            self.peer.say(block + b"\r\n\r\n")
        await self.sink.until(lambda sink: "started" in kinds(sink))


@asynccontextmanager
async def _office(folder: Path) -> AsyncIterator[Office]:
    async with ScriptedAmi() as peer:
        office = Office(peer, folder)
        peer.script = office.script
        await office.channel.start(office.sink)
        try:
            await until(lambda: office.channel.health.state is ChannelState.CONNECTED)
            yield office
        finally:
            await office.channel.stop()


async def test_what_was_before_the_hub_came_is_history(tmp_path: Path) -> None:
    (tmp_path / "Master.csv").write_bytes(RECORD)
    async with _office(tmp_path) as office:
        await until(lambda: office.place() == str(len(RECORD)))
        with office.cdr.open("ab") as file:
            file.write(OTHER_RECORD)
        settled = snapshot(await office.sink.event(lambda event: event.external_id.endswith(":settled")))
        assert settled.state is CallState.MISSED
        assert kinds(office.sink) == ["settled"]


async def test_records_that_come_late_are_waited_for(tmp_path: Path) -> None:
    async with _office(tmp_path) as office:
        await until(office.place)
        await office.began()
        asked = office.peer.names().count("CoreShowChannels")
        office.live.clear()
        await office.peer.until(lambda peer: peer.names().count("CoreShowChannels") > asked)
        office.cdr.write_bytes(RECORD)
        settled = snapshot(await office.sink.event(lambda event: event.external_id.endswith(":settled")))
        assert (settled.state, settled.answered_by) == (CallState.ANSWERED, "PJSIP/101")


async def test_a_call_that_goes_on_is_left_alone_and_keeps_its_place(tmp_path: Path) -> None:
    async with _office(tmp_path) as office:
        await until(lambda: office.place() == "0")
        await office.began()
        office.cdr.write_bytes(RECORD)  # the first row of a call that was transferred
        asked = office.peer.names().count("CoreShowChannels")
        await office.peer.until(lambda peer: peer.names().count("CoreShowChannels") >= asked + 3)
        assert "settled" not in kinds(office.sink)
        assert office.place() == "0"


async def test_a_call_that_was_seen_to_its_end_is_not_settled_again(tmp_path: Path) -> None:
    async with _office(tmp_path) as office:
        await until(lambda: office.place() == "0")
        for block in blocks_of("inbound_answered_caller_hangs_up"):
            office.peer.say(block + b"\r\n\r\n")
        await office.sink.until(lambda sink: "finished" in kinds(sink))
        office.cdr.write_bytes(RECORD)
        await until(lambda: office.place() == str(len(RECORD)))
        assert kinds(office.sink) == ["started", "answered", "finished"]


async def test_the_place_is_saved_only_after_the_commit(tmp_path: Path) -> None:
    async with _office(tmp_path) as office:
        await until(lambda: office.place() == "0")
        office.sink.go_away()
        office.cdr.write_bytes(RECORD)
        await office.sink.until(lambda sink: sink.refusals >= 3)
        assert office.place() == "0"
        await until(lambda: "could not be settled" in office.channel.health.detail)
        await until(lambda: office.peer.names().count("CoreShowChannels") >= 5)
        assert office.channel.stats.waiting == 1  # trying again adds nothing
        office.sink.come_back()
        await office.sink.until(lambda sink: kinds(sink) == ["settled"])
        await until(lambda: office.place() == str(len(RECORD)))


async def test_records_that_cannot_be_read_are_a_visible_trouble(tmp_path: Path) -> None:
    async with _office(tmp_path) as office:
        await until(lambda: office.place() == "0")
        await office.began()
        office.cdr.mkdir()
        office.live.clear()
        await until(lambda: "could not be settled" in office.channel.health.detail)
        assert "settled" not in kinds(office.sink)
        office.cdr.rmdir()
        office.cdr.write_bytes(RECORD)
        settled = snapshot(await office.sink.event(lambda event: event.external_id.endswith(":settled")))
        assert settled.answered_by == "PJSIP/101"
        await until(lambda: not office.channel.health.detail)


async def test_facts_that_had_to_be_let_go_come_back_from_the_records(tmp_path: Path) -> None:
    async with _office(tmp_path) as office:
        await until(lambda: office.place() == "0")
        office.channel._delivery._kept = 1
        office.sink.go_away()
        for name in ("inbound_answered_caller_hangs_up", "caller_abandons_ringing"):
            for block in blocks_of(name):
                office.peer.say(block + b"\r\n\r\n")
        await until(lambda: office.channel.stats.dropped == 4)
        office.channel._delivery._kept = 100
        office.cdr.write_bytes(RECORD)
        office.sink.come_back()
        settled = snapshot(await office.sink.event(lambda event: event.external_id == f"{CALL}:settled"))
        assert settled.answered_by == "PJSIP/101"
