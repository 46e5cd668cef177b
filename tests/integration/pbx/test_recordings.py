"""Conversations recorded by a real Asterisk, found by a whole hub, and played through its port."""

from __future__ import annotations

import asyncio
import io
import resource
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from channels.pbx.connector import PbxChannel
from channels.pbx.snippet import Part, snippet
from crm_core.messages import ChannelKey, DeviceState
from crm_core.model.line import Line
from crm_core.model.policy import AccountPolicy
from crm_core.model.user import Role
from crm_core.ports import ChannelState
from crm_core.services.desk import Desk
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, add_user
from hub.access.security import token_digest
from hub.app import create_app
from hub.bootstrap import Hub, build
from hub.connectors import pbx_config
from hub.demo.peers.asterisk import AsteriskRunner, AsteriskTree
from hub.demo.peers.office import Office, People
from hub.demo.peers.process import free_port
from hub.demo.peers.sipp import SippRunner
from hub.settings import (
    DatabaseEngine,
    DatabaseUrl,
    Endpoint,
    PbxSettings,
    RoutingSettings,
    Secret,
    ServerUrl,
    Settings,
)
from tests.integration.pbx.waiting import until
from tests.patience import PATIENCE_S
from tests.peers.speaking import speaking_phone

CLIENT = "79161234567"
LINE = "+74951234567"
SILENT_LINE = "+74951234568"
LOUD_LINE = "+74951234569"
TOKEN = "hub_token-of-root"


@dataclass
class Exchange:
    """A real Asterisk and a whole hub behind its port."""

    office: Office
    people: People
    sipp: SippRunner
    settings: Settings
    asterisk: AsteriskRunner
    hub: Hub
    client: TestClient[Any, Any]

    async def speaking_phone(self, extension: str = "101", *, hold_ms: int = 2500) -> None:
        """A telephone that is picked up at once, says something, and hangs up."""
        await speaking_phone(self.sipp, self.office.phones[extension], extension, hold_ms=hold_ms)

    async def get(self, path: str, **more: Any) -> Any:
        """What the API answers."""
        response = await self.client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {TOKEN}"}, **more)
        assert response.status == 200, await response.text()
        return await response.json()

    async def call(self, **wanted: object) -> dict[str, Any]:
        """The newest call, as soon as it says what is wanted of it."""
        last: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(PATIENCE_S):
                async for _ in self.hub.live.follow(0):
                    last = (await self.get("/calls"))["items"]
                    if last and all(last[0][name] == value for name, value in wanted.items()):
                        return last[0]
        except TimeoutError as err:
            raise AssertionError(f"wanted {wanted}, there is {last}") from err
        raise AssertionError("the feed ended")

    @property
    def files(self) -> list[str]:
        """What lies in the folder of recordings."""
        return sorted(each.name for each in self.office.recordings.iterdir())


@pytest.fixture
def record() -> bool:
    """Whether the PBX records where a line does not say."""
    return True


@pytest.fixture
async def exchange(
    asterisk_tree: AsteriskTree,
    short_dir: Path,
    sipp: SippRunner,
    sqlite_url: str,
    migrated_sqlite: Path,
    record: bool,
) -> AsyncIterator[Exchange]:
    Path(sqlite_url.removeprefix("sqlite+aiosqlite:///")).write_bytes(migrated_sqlite.read_bytes())
    office = Office.plan(short_dir)
    pbx = PbxSettings(
        "office",
        ServerUrl("ami", "127.0.0.1", office.ami_port, "hub", Secret("s3cret")),
        agi=Endpoint("127.0.0.1", free_port()),
        trunk="PJSIP/{number}@trunk",
        recordings=office.recordings,
        cdr=office.cdr,
        fallback="PJSIP/101",
        record=record,
    )
    plain = AccountPolicy()
    settings = Settings(
        folder=short_dir,
        database_url=DatabaseUrl(DatabaseEngine.SQLITE, sqlite_url, "the test's"),
        files=short_dir / "files",
        http=Endpoint("127.0.0.1", 0),
        pbx=(pbx,),
        # A caller for whom the hub took too long is recorded as the PBX does it: few of these tests are about that.
        routing=RoutingSettings(deadline_ms=10_000, ring_s=60),
        lines=(
            Line(LINE, "office", plain),
            Line(SILENT_LINE, "office", plain, record=False),
            Line(LOUD_LINE, "office", plain, record=True),
        ),
    )
    config = pbx_config(pbx, settings)
    office.write(asterisk_tree, *(snippet(config, part) for part in (Part.DIALPLAN, Part.MANAGER, Part.CDR)))
    hub = build(settings)
    async with AsteriskRunner(asterisk_tree, office.run, office.etc) as asterisk:
        await hub.start()
        _, position = await hub.store.run_at(_hire)
        assert await hub.live.reached(position, PATIENCE_S)
        async with TestClient(TestServer(create_app(hub))) as client:
            found = Exchange(office, People(office, sipp), sipp, settings, asterisk, hub, client)
            await _linked(hub)
            yield found
        await hub.stop()


def _hire(desk: Desk) -> None:
    add_user(desk, NewUser("root", "Root", Role.ADMIN))
    add_token(desk, "root", token_digest(TOKEN))
    add_user(desk, NewUser("ivan", "Иван", Role.MANAGER, extension="PJSIP/101"))


async def _linked(hub: Hub) -> None:
    """Wait until the hub has heard of the telephones."""
    (channel,) = hub.channels.values()
    await until(lambda: channel.health.state is ChannelState.CONNECTED)
    await until(lambda: hub.presence.state("office", "PJSIP/101") is DeviceState.IDLE)


async def test_a_conversation_is_found_and_played_in_parts(exchange: Exchange) -> None:
    await exchange.speaking_phone()
    await exchange.people.caller(CLIENT, LINE, hold_ms=20_000)
    call = await exchange.call(recording_state="stored")
    assert (call["state"], call["answered_by"]) == ("answered", "ivan")
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    whole = await exchange.client.get(call["recording_url"], headers=bearer)
    content = await whole.read()
    assert (whole.status, whole.content_type) == (200, "audio/wav")
    with wave.open(io.BytesIO(content)) as sound:
        seconds, frames = sound.getnframes() / sound.getframerate(), sound.readframes(sound.getnframes())
    assert 1 <= seconds <= 20
    assert len(set(frames)) > 16  # somebody was heard
    part = await exchange.client.get(call["recording_url"], headers={**bearer, "Range": "bytes=44-1043"})
    assert (part.status, await part.read()) == (206, content[44:1044])
    assert part.headers["Content-Range"] == f"bytes 44-1043/{len(content)}"
    log = await exchange.get("/access-log")
    assert [(each["login"], each["subject_id"]) for each in log["items"]] == [("root", call["id"])]
    (entry,) = (await exchange.get(f"/contacts/{call['contact_id']}/timeline", params={"limit": "1"}))["items"]
    assert entry["call"]["recording_url"] == call["recording_url"]


async def test_a_missed_call_leaves_no_file_and_expects_none(exchange: Exchange) -> None:
    await exchange.people.silent_phone("101")
    await exchange.people.impatient_caller(CLIENT, LINE, patience_ms=700)
    call = await exchange.call(state="abandoned")
    assert (call["recording_state"], call["recording_url"], exchange.files) == (None, None, [])


async def test_a_line_may_be_left_unrecorded(exchange: Exchange) -> None:
    await exchange.speaking_phone(hold_ms=500)
    await exchange.people.caller(CLIENT, SILENT_LINE, hold_ms=5000)
    call = await exchange.call(state="answered", hung_up_by="office")
    assert (call["recording_state"], exchange.files) == (None, [])


@pytest.mark.parametrize("record", [False])
async def test_a_pbx_that_does_not_record_does_so_for_a_line(exchange: Exchange) -> None:
    await exchange.speaking_phone(hold_ms=1000)
    await exchange.people.caller(CLIENT, LINE, hold_ms=5000)
    call = await exchange.call(state="answered", hung_up_by="office")
    assert (call["recording_state"], exchange.files) == (None, [])
    await exchange.people.caller(CLIENT, LOUD_LINE, hold_ms=5000)
    call = await exchange.call(line=LOUD_LINE, recording_state="stored")
    assert len(exchange.files) == 1


async def test_calls_out_are_recorded(exchange: Exchange) -> None:
    await exchange.people.client_phone(hold_ms=800)
    await exchange.speaking_phone(hold_ms=20_000)
    fields = {"Channel": "PJSIP/101", "Context": "hub-robot", "Exten": CLIENT, "Priority": "1", "Async": "true"}
    channel = exchange.hub.channels[ChannelKey("pbx", "office")]
    assert isinstance(channel, PbxChannel)
    await channel._link.act("Originate", (fields | {"CallerID": f"Client <{CLIENT}>"}).items())
    call = await exchange.call(direction="out", recording_state="stored")
    assert call["number"] == CLIENT


async def test_without_the_hub_the_fallback_records_as_the_pbx_does(exchange: Exchange) -> None:
    for channel in exchange.hub.channels.values():
        await channel.stop()
    await exchange.speaking_phone(hold_ms=800)
    caller = await exchange.people.caller(CLIENT, LINE, hold_ms=10_000)
    assert await caller.wait(PATIENCE_S) == 0
    (name,) = exchange.files

    def whole() -> bool:
        try:
            with wave.open(str(exchange.office.recordings / name)) as sound:
                return bool(sound.getnframes() > 2000)
        except (EOFError, wave.Error):
            return False  # Asterisk ends the file a moment after the call

    await until(whole)


@contextmanager
def files_bounded(pid: int, size: int) -> Iterator[None]:
    """No file of a process grows beyond `size` bytes meanwhile: what a full disk is to it, without another disk."""
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


async def test_a_disk_that_is_full_leaves_a_short_recording_and_says_so(exchange: Exchange) -> None:
    limit = 24_000  # bytes: 1.5 seconds
    with files_bounded(exchange.asterisk.pid, limit):
        await exchange.speaking_phone(hold_ms=8000)
        await exchange.people.caller(CLIENT, LINE, hold_ms=20_000)
        call = await exchange.call(recording_state="stored")
    assert exchange.asterisk.running
    assert call["recording_detail"].startswith(("запись короче разговора: 1 с из", "запись короче разговора: 2 с из"))
    assert (exchange.office.recordings / exchange.files[0]).stat().st_size <= limit


async def test_a_disk_without_any_room_leaves_no_recording(exchange: Exchange) -> None:
    with files_bounded(exchange.asterisk.pid, 0):
        await exchange.speaking_phone(hold_ms=800)
        await exchange.people.caller(CLIENT, LINE, hold_ms=20_000)
        call = await exchange.call(recording_state="empty")
    assert exchange.asterisk.running
    assert (call["recording_url"], call["recording_detail"]) == (None, "файл без звука")

    def gone() -> bool:
        return not exchange.files

    await until(gone)  # it is deleted after it was said that it is empty
