"""Hearing calls over HTTP: by state, in parts, by right, and that each hearing is noted; from disk and from S3."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from crm_core.model.recording import RecordingState
from crm_core.model.user import Role
from crm_core.ports import ChannelContext
from crm_core.services.desk import Desk
from crm_core.storage.queries.pages import Reading
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, add_user
from hub.access.security import token_digest
from hub.app import create_app
from hub.bootstrap import build
from hub.demo.peers.process import free_port
from hub.http.keys import EventLimits
from hub.recordings.bucket import Bucket
from hub.settings import RecordingsSettings, Settings
from tests.fakes.clock import DrivenClock
from tests.integration.http.world import SHOP, PlayedChannel, World, hire, settings_for, token_of
from tests.integration.storage.world import answered, ended, moved, ringing
from tests.peers.object_storage import ObjectStorageServer
from tests.unit.hub.test_recording_files import sound

NUMBER = "+79161234567"
LINKEDID = "1772442000.7"
NAME = f"{LINKEDID}.wav"
MORE_PEOPLE = (("mark", Role.MARKETER), ("dina", Role.DIRECTOR), ("hans", Role.HEAD))


@pytest.fixture
async def office(world: World) -> World:
    """The office with everybody, whose recordings are looked after only when the test says so."""
    return await prepared(world)


@pytest.fixture
async def far(migrated_url: str, tmp_path: Path, object_storage: ObjectStorageServer) -> AsyncIterator[World]:
    """The office with an object storage."""
    async with serving(migrated_url, tmp_path, object_storage) as world:
        yield world


@pytest.fixture(params=["disk", "storage"])
async def either(
    request: pytest.FixtureRequest, sqlite_url: str, migrated_sqlite: Path, tmp_path: Path
) -> AsyncIterator[World]:
    """The office, its recordings on disk and in an object storage in turn."""
    shutil.copyfile(migrated_sqlite, sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    server = request.getfixturevalue("object_storage") if request.param == "storage" else None
    async with serving(sqlite_url, tmp_path, server) as world:
        yield world


@asynccontextmanager
async def serving(url: str, folder: Path, server: ObjectStorageServer | None) -> AsyncIterator[World]:
    """A hub behind its port, which puts recordings away where there is a storage."""
    clock, shop = DrivenClock(), PlayedChannel(SHOP)

    def connect(_settings: Settings, _context: ChannelContext) -> list[PlayedChannel]:
        return [shop]

    storage = replace(server.storage, prefix=folder.name) if server is not None else None
    kept = RecordingsSettings(keep=timedelta(days=30), s3=storage)
    settings = replace(settings_for(url, folder), recordings=kept)
    hub = build(settings, clock=clock, connectors={"played": connect})
    await hub.start()
    await hub.store.run_at(hire)
    limits = EventLimits(heartbeat_s=0.05, patience_s=0.2, most_readers=2)
    async with TestClient(TestServer(create_app(hub, events=limits))) as client:
        yield await prepared(World(hub, clock, client, shop, folder, limits))
    await hub.stop()


async def prepared(world: World) -> World:
    """Hire more people; let nobody look after recordings by themselves."""
    await world.hub.recordings.stop()
    (world.folder / "monitor").mkdir()

    def service(desk: Desk) -> None:
        for login, role in MORE_PEOPLE:
            add_user(desk, NewUser(login, login.title(), role))
            add_token(desk, login, token_digest(token_of(login)))

    await world.hub.store.run(service)
    return world


async def talk(world: World, seconds: float | None = 55, *, endpoint: str = "PJSIP/101") -> dict[str, Any]:
    """A recorded call, its file of so many seconds there (None: no file); the call as the API tells of it."""
    start = world.clock.now()
    call = ended(answered(ringing(LINKEDID, NUMBER, start), 5, endpoint), 60)
    await world.take(moved(replace(call, recording=NAME)))
    if seconds is not None:
        sound(world.folder / "monitor" / NAME, seconds)
    return await told(world)


async def told(world: World) -> dict[str, Any]:
    """The call as the API tells of it."""
    (call,) = (await world.get("/calls"))["items"]
    found: dict[str, Any] = call
    return found


async def looked(world: World, *seconds: float) -> dict[str, Any]:
    """Let time pass and recordings be looked after; the call after that."""
    for each in seconds or (6.0, 4.0):
        world.clock.advance(each)
        await world.hub.recordings.turn()
    return await told(world)


def url(call: dict[str, Any]) -> str:
    """Where a call would be heard, whether or not it can be."""
    return f"/api/v1/calls/{call['id']}/recording"


async def heard(world: World, **query: str) -> list[tuple[str, str]]:
    """Who heard what, the newest first."""
    page = await world.get("/access-log", params=query, login="root")
    return [(each["login"], each["what"]) for each in page["items"]]


async def test_a_call_says_how_its_recording_stands(office: World) -> None:
    call = await talk(office, None)
    assert (call["recording_state"], call["recording_url"]) == ("expected", None)
    answer = await office.call("GET", url(call))
    assert (answer.status, answer.headers["Retry-After"]) == (404, "5")
    assert (await answer.json())["type"] == "urn:hub:problem:recording-expected"
    sound(office.folder / "monitor" / NAME, 55)
    call = await looked(office, 6, 4, 4, 20, 4)
    assert (call["recording_state"], call["recording_url"]) == ("stored", url(call))
    (entry,) = (await office.get(f"/contacts/{call['contact_id']}/timeline", params={"limit": "1"}))["items"]
    assert (entry["call"]["recording_state"], entry["call"]["recording_url"]) == ("stored", url(call))
    assert (await office.get(f"/calls/{call['id']}"))["recording_url"] == url(call)


@pytest.mark.parametrize(
    ("state", "status"),
    [(RecordingState.EMPTY, 404), (RecordingState.MISSING, 404), (RecordingState.EXPIRED, 410)],
)
async def test_what_can_not_be_heard_says_why(office: World, state: RecordingState, status: int) -> None:
    call = await talk(office)
    sql = f"UPDATE recording SET state = '{state.value}', error = 'так вышло'"
    await office.hub.store.database.write(lambda conn: conn.exec_driver_sql(sql).rowcount)
    answer = await office.call("GET", url(call))
    problem = await answer.json()
    assert (answer.status, problem["type"]) == (status, f"urn:hub:problem:recording-{state.value}")
    assert problem["detail"] == "так вышло"
    call = await told(office)
    assert (call["recording_state"], call["recording_detail"], call["recording_url"]) == (
        state.value,
        "так вышло",
        None,
    )
    assert await heard(office) == []


PARTS = (
    (None, 200, 0, 880_044),
    ("bytes=0-", 206, 0, 880_044),
    ("bytes=0-43", 206, 0, 44),
    ("bytes=44-1043", 206, 44, 1000),
    ("bytes=880000-", 206, 880_000, 44),
    ("bytes=-100", 206, 879_944, 100),
    ("bytes=880040-999999999", 206, 880_040, 4),
)


async def test_in_parts(either: World) -> None:
    await talk(either)
    file = either.folder / "monitor" / NAME
    content = file.read_bytes()
    call = await looked(either, 6, 4, 0)
    assert file.exists() == (call["recording_state"] == "stored")
    for asked, status, first, length in PARTS:
        answer = await either.call("GET", url(call), headers={"Range": asked} if asked is not None else {})
        body = await answer.read()
        assert (answer.status, body) == (status, content[first : first + length])
        assert (answer.content_type, answer.headers["Accept-Ranges"]) == ("audio/wav", "bytes")
        assert "no-store" in answer.headers["Cache-Control"]
        if status == 206:
            assert answer.headers["Content-Range"] == f"bytes {first}-{first + length - 1}/880044"
    for asked in ("bytes=880044-", "bytes=5-1", "bytes=x-y"):
        answer = await either.call("GET", url(call), headers={"Range": asked})
        assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */880044")
    head = await either.call("HEAD", url(call))
    assert (head.status, head.content_length, await head.read()) == (200, 880_044, b"")
    assert (head.content_type, head.headers["Accept-Ranges"]) == ("audio/wav", "bytes")
    tag = head.headers["ETag"]
    resumed = await either.call("GET", url(call), headers={"Range": "bytes=10-19", "If-Range": tag})
    assert (resumed.status, await resumed.read()) == (206, content[10:20])
    if call["recording_state"] == "remote":  # aiohttp's own files know If-Range with dates alone
        changed = await either.call("GET", url(call), headers={"Range": "bytes=10-19", "If-Range": '"another"'})
        assert (changed.status, await changed.read()) == (200, content)


async def test_each_hearing_is_noted_once(either: World) -> None:
    world = either
    await talk(world)
    call = await looked(world, 6, 4, 0)
    await world.call("HEAD", url(call), login="olga")
    assert await heard(world) == []
    for part in (None, "bytes=0-99", "bytes=100-199", "bytes=-5"):
        await (await world.call("GET", url(call), login="olga", headers={"Range": part} if part else {})).read()
    assert await heard(world) == [("olga", "recording.played")] * 2
    # Somebody who leaves the first byte away is noted as well, once.
    for part in ("bytes=1-", "bytes=500-"):
        await (await world.call("GET", url(call), login="hans", headers={"Range": part})).read()
    assert await heard(world, login="hans") == [("hans", "recording.played")]
    await world.call("GET", url(call), login="hans", headers={"Range": "bytes=880044-"})
    assert len(await heard(world, subject_id=str(call["id"]))) == 3
    page = await world.get("/access-log", params={"what": "recording.played", "limit": "1"}, login="dina")
    (entry,) = page["items"]
    assert (entry["subject_id"], entry["contact_id"], entry["remote"]) == (call["id"], call["contact_id"], "127.0.0.1")
    rest = await world.get("/access-log", params={"after": page["next"]}, login="root")
    assert len(rest["items"]) == 2
    assert await heard(world, subject_id="1") == []


async def test_who_may_hear(office: World) -> None:
    await talk(office)
    call = await looked(office)  # ivan answered, so that the client is his

    async def status(login: str) -> int:
        return (await office.call("GET", url(call), login=login)).status

    assert [await status(login) for login in ("ivan", "olga", "hans", "dina", "root")] == [200] * 5
    assert (await status("petr"), await status("mark")) == (403, 403)
    assert (await office.client.get(url(call))).status == 401
    assert "petr" not in {login for login, _ in await heard(office)}
    for login in ("ivan", "olga", "hans", "mark"):
        await office.get("/access-log", login=login, status=403)
    await office.patch(f"/contacts/{call['contact_id']}", {"manager": "petr"}, login="root")
    assert await status("petr") == 200


async def test_nothing_leads_out_of_the_folder(office: World) -> None:
    call = await talk(office)
    await looked(office)
    monitor = office.folder / "monitor"
    (office.folder / "secret.wav").write_bytes(b"secret")
    (monitor / "link.wav").symlink_to(office.folder / "secret.wav")
    for name in ("../secret.wav", "/etc/passwd", "link.wav", ".", "nothing.wav", f"{office.folder}/secret.wav"):
        sql = f"UPDATE recording SET name = '{name}'"
        await office.hub.store.database.write(partial(_execute, sql=sql))
        answer = await office.call("GET", url(call))
        assert answer.status == 404
        assert b"secret" not in await answer.read()


async def test_a_file_that_was_deleted_is_missing_for_everybody(office: World) -> None:
    await talk(office)
    call = await looked(office)
    assert call["recording_url"] == url(call)
    (office.folder / "monitor").rename(office.folder / "away")
    answer = await office.call("GET", url(call))
    assert (await answer.json())["type"] == "urn:hub:problem:recording-elsewhere"
    (office.folder / "away").rename(office.folder / "monitor")
    (office.folder / "monitor" / NAME).unlink()
    for _ in (1, 2):
        answer = await office.call("GET", url(call))
        assert (answer.status, (await answer.json())["type"]) == (404, "urn:hub:problem:recording-missing")
    call = await told(office)
    assert (call["recording_state"], call["recording_url"]) == ("missing", None)
    assert await heard(office) == []


async def test_without_a_note_nothing_is_played(office: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await talk(office)
    call = await looked(office)

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("the log can't be written")

    monkeypatch.setattr("hub.http.api.telephony.recordings.note_act", refuse)
    answer = await office.call("GET", url(call))
    assert (answer.status, answer.content_type) == (500, "application/problem+json")


async def test_what_was_put_away_expires_there(far: World, object_storage: ObjectStorageServer) -> None:
    await talk(far)
    call = await looked(far, 6, 4, 0)
    prefix = far.hub.settings.recordings.s3
    assert prefix is not None
    name = f"{prefix.prefix}/office/2026/03/02/{call['id']}.wav"
    assert name in object_storage.names()
    call = await looked(far, 86_400 * 31)
    assert (call["recording_state"], call["recording_url"]) == ("expired", None)
    assert name not in object_storage.names()
    assert (await far.call("GET", url(call))).status == 410


async def test_a_storage_that_does_not_answer_is_no_end(far: World, object_storage: ObjectStorageServer) -> None:
    await talk(far)
    call = await looked(far, 6, 4, 0)
    keeper, working = far.hub.recordings, far.hub.recordings.bucket
    keeper.bucket = Bucket(replace(object_storage.storage, port=free_port()), patience_s=0.2)
    answer = await far.call("GET", url(call))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    keeper.bucket = Bucket(replace(object_storage.storage, prefix="somewhere-else"))
    answer = await far.call("GET", url(call))
    assert (answer.status, (await answer.json())["type"]) == (404, "urn:hub:problem:recording-missing")
    keeper.bucket = None
    assert (await far.call("GET", url(call))).status == 503
    keeper.bucket = working
    assert (await far.call("GET", url(call))).status == 200


async def test_the_state_of_the_folders_is_in_readiness(office: World) -> None:
    office.clock.advance(61)
    await office.hub.recordings.turn()
    parts = (await (await office.client.get("/readyz")).json())["parts"]
    assert parts["recordings:office"]["state"] == "connected"


def _execute(conn: Reading, *, sql: str) -> int:
    return int(conn.exec_driver_sql(sql).rowcount)
