"""Putting recordings away into a real object storage: verified, tried again, told; nothing is lost on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import obstore
import pytest

from crm_core.model.recording import RecordingState
from crm_core.model.records import RecordingRecord
from crm_core.ports import Policies
from crm_core.services.desk import Desk
from crm_core.storage.database import Database
from crm_core.storage.store import Store
from hub.recordings.bucket import Bucket, NotInStorage, StorageTrouble
from hub.settings import Secret
from hub.workers import RecordingKeeper
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.integration.hub.test_recordings import CALL, OFFICE, Kept
from tests.integration.hub.world import World, add_people
from tests.peers.object_storage import ObjectStorageServer
from tests.unit.hub.test_recording_files import sound

ALARM = "recordings:s3"


@pytest.fixture
async def kept(sqlite_url: str, migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[Kept]:
    Path(sqlite_url.removeprefix("sqlite+aiosqlite:///")).write_bytes(migrated_sqlite.read_bytes())
    world = World(sqlite_url)
    store = Store(Database(world.url), world.clock, OFFICE, Policies(LeastLoaded(), TellByRole()))
    world.stores.append(store)
    await add_people(store)
    folder = tmp_path / "monitor"
    folder.mkdir()
    yield Kept(world, store, folder)
    await store.database.stop()


def keeper_of(kept: Kept, server: ObjectStorageServer, *, keep: timedelta | None = None) -> RecordingKeeper:
    """Somebody who puts recordings away; quick to give up."""
    keeper = kept.keeper(s3=server.storage, keep=keep)
    keeper.bucket = Bucket(server.storage, patience_s=0.5)
    return keeper


async def test_what_is_put_there_is_read_back(object_storage: ObjectStorageServer, tmp_path: Path) -> None:
    bucket = Bucket(replace(object_storage.storage, prefix="офис-1"))
    path = sound(tmp_path / "a.wav", 800)  # 12.8 MB, sent in several parts
    await bucket.put(path, "office/1.wav")
    assert await bucket.size("office/1.wav") == path.stat().st_size
    pieces = [piece async for piece in bucket.read("office/1.wav", 40, 1_000_040)]
    assert b"".join(pieces) == path.read_bytes()[40:1_000_040]
    await bucket.delete("office/1.wav")
    await bucket.delete("office/1.wav")
    with pytest.raises(NotInStorage):
        await bucket.size("office/1.wav")
    with pytest.raises(NotInStorage):
        async for _ in bucket.read("office/1.wav", 0, 1):
            pass


async def test_a_wrong_secret_is_said_without_it(object_storage: ObjectStorageServer, tmp_path: Path) -> None:
    bucket = Bucket(replace(object_storage.storage, secret=Secret("not-the-secret")), patience_s=0.5)
    with pytest.raises(StorageTrouble) as caught:
        await bucket.put(sound(tmp_path / "a.wav"), "a.wav")
    assert "403" in str(caught.value)
    assert "not-the-secret" not in str(caught.value)
    assert len(str(caught.value)) <= 300


async def test_what_came_back_otherwise_does_not_count(
    object_storage: ObjectStorageServer, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = keeper_of(kept, object_storage)
    await kept.talk()
    path = sound(kept.folder / f"{CALL}.wav", 55)
    put = obstore.put
    monkeypatch.setattr(obstore, "put", lambda store, key, _file: put(store, key, b"something else"))
    await kept.pass_by(keeper, 6, 4, 0)
    row = await kept.row()
    assert row is not None
    assert (row.state, path.exists()) == (RecordingState.STORED, True)
    assert "is not what was put there" in str(row.error)
    monkeypatch.undo()
    await kept.pass_by(keeper, 61)
    assert (await kept.state(), path.exists()) == (RecordingState.REMOTE, False)


async def test_a_storage_that_is_down_is_tried_again_and_told(
    own_object_storage: ObjectStorageServer, kept: Kept
) -> None:
    keeper = keeper_of(kept, own_object_storage, keep=timedelta(days=30))
    await kept.talk()
    path = sound(kept.folder / f"{CALL}.wav", 55)
    own_object_storage.stop()
    await kept.pass_by(keeper, 6, 4, 0)
    row = await kept.row()
    assert row is not None
    assert (row.state, row.attempts, path.exists()) == (RecordingState.STORED, 1, True)
    assert await kept.alarms() == []  # that may pass
    assert keeper.parts[ALARM]["state"] == "trouble"
    await kept.pass_by(keeper, 61, 121, 241)
    ((subject, detail),) = await kept.alarms()
    assert subject == ALARM
    assert str(detail).startswith("хранилище не принимает записи: ")
    assert path.exists()
    own_object_storage.start()
    await kept.pass_by(keeper, 481)
    row = await kept.row()
    assert row is not None
    assert (row.state, path.exists(), row.error) == (RecordingState.REMOTE, False, None)
    assert row.look_at == row.expires_at == row.created_at + timedelta(days=30)
    assert await kept.alarms() == []
    assert keeper.parts[ALARM]["state"] == "connected"


async def test_a_full_storage_loses_nothing(own_object_storage: ObjectStorageServer, kept: Kept) -> None:
    keeper = keeper_of(kept, own_object_storage)
    own_object_storage.stop()
    own_object_storage.start(full=True)
    await kept.talk()
    path = sound(kept.folder / f"{CALL}.wav", 55)
    content = path.read_bytes()
    await kept.pass_by(keeper, 6, 4, 0)
    row = await kept.row()
    assert row is not None
    assert (row.state, path.read_bytes()) == (RecordingState.STORED, content)
    assert "500 Internal Server Error" in str(row.error)
    own_object_storage.stop()
    own_object_storage.start()
    await kept.pass_by(keeper, 61)
    assert (await kept.state(), path.exists()) == (RecordingState.REMOTE, False)
    (name,) = own_object_storage.names()
    assert bytes(obstore.get(own_object_storage.store(), name).bytes()) == content


async def test_a_copy_left_on_the_disk_is_deleted_later(object_storage: ObjectStorageServer, kept: Kept) -> None:
    keeper = keeper_of(kept, object_storage)
    await kept.talk()
    path = sound(kept.folder / f"{CALL}.wav", 55)
    content = path.read_bytes()
    await kept.pass_by(keeper, 6, 4, 0)
    assert not path.exists()
    path.write_bytes(content)  # as if the hub had died between the commit and the deletion
    later = kept.world.clock.now() + timedelta(minutes=10)
    await kept.store.run(lambda desk: _again(desk, later))
    await kept.pass_by(keeper, 601)
    assert (await kept.state(), path.exists()) == (RecordingState.REMOTE, False)


async def test_what_lay_on_the_disk_is_put_away_once_there_is_a_storage(
    object_storage: ObjectStorageServer, kept: Kept
) -> None:
    await kept.talk()
    path = sound(kept.folder / f"{CALL}.wav", 55)
    await kept.pass_by(kept.keeper(), 6, 4, 86_400)
    assert (await kept.state(), path.exists()) == (RecordingState.STORED, True)
    await kept.pass_by(keeper_of(kept, object_storage), 1)
    assert (await kept.state(), path.exists()) == (RecordingState.REMOTE, False)


async def test_a_file_deleted_by_hand_before_it_was_put_away_is_missing(
    object_storage: ObjectStorageServer, kept: Kept
) -> None:
    await kept.talk()
    path = sound(kept.folder / f"{CALL}.wav", 55)
    await kept.pass_by(kept.keeper(), 6, 4)
    path.unlink()
    await kept.pass_by(keeper_of(kept, object_storage), 1)
    assert await kept.state() is RecordingState.MISSING


def _again(desk: Desk, at: datetime) -> None:
    (row,) = desk.work.everything(RecordingRecord)
    desk.work.put(row._replace(look_at=at))
