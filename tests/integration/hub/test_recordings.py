"""Recordings from the end of a call to their own: found, judged, missing, expired; and a disk that runs full."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from crm_core.model.office import Office
from crm_core.model.recording import RecordingState
from crm_core.model.records import RecordingRecord
from crm_core.ports import Policies
from crm_core.services.calls import recordings as service
from crm_core.services.calls.recordings import SPACING
from crm_core.services.intake.receive import receive
from crm_core.storage.database import Database
from crm_core.storage.queries import recordings as queries
from crm_core.storage.store import Store
from hub.settings import DatabaseEngine, DatabaseUrl, PbxSettings, RecordingsSettings, Secret, ServerUrl, Settings
from hub.workers import RecordingKeeper
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.integration.hub.world import SHOP, World
from tests.integration.storage.world import answered, ended, moved, ringing
from tests.looking import somebody
from tests.unit.hub.test_recording_files import sound

CALL = "1772442000.7"
NUMBER = "+79161234567"
OFFICE = Office(staff_channel=SHOP, recorded=frozenset({"office"}))


@dataclass
class Kept:
    """An office whose recordings lie in a folder, and who looks after them."""

    world: World
    store: Store
    folder: Path
    room: int = 10**12

    def keeper(self, folder: Path | None = None, **settings: object) -> RecordingKeeper:
        """One more process."""
        pbx = PbxSettings(
            "office", ServerUrl("ami", "127.0.0.1", 9, "hub", Secret("x")), recordings=folder or self.folder
        )
        recordings = replace(RecordingsSettings(), **settings)  # type: ignore[arg-type]  # whatever the test sets
        configured = Settings(
            folder=self.folder,
            database_url=DatabaseUrl(DatabaseEngine.SQLITE, self.world.url, ""),
            files=self.folder,
            pbx=(pbx,),
            recordings=recordings,
        )
        return RecordingKeeper(self.store, self.world.clock, self.world.metrics, configured, free=lambda _: self.room)

    async def talk(self, linkedid: str = CALL, *, recorded: bool = True, settled: bool = False) -> None:
        """A call that was answered, talked for 55 seconds, and is over."""
        start = self.world.clock.now() - timedelta(seconds=60)
        call = ended(answered(ringing(linkedid, NUMBER, start), 5, "PJSIP/101"), 60)
        call = replace(call, recording=f"{linkedid}.wav" if recorded else None, settled=settled)
        await self.store.run(lambda desk: receive(desk.work, [moved(call)], desk.office, desk.policies))

    async def row(self, call: str = CALL) -> RecordingRecord | None:
        """What became of a recording."""
        sql = f"SELECT id FROM call WHERE linkedid = '{call}'"
        call_id = int((await self.world.rows(sql))[0][0])  # type: ignore[call-overload]  # whatever the database gives
        return await self.store.read(lambda conn: queries.recording_of(conn, somebody(self.store, conn), call_id))

    async def state(self, call: str = CALL) -> RecordingState | None:
        """Its state."""
        row = await self.row(call)
        return row.state if row is not None else None

    async def pass_by(self, keeper: RecordingKeeper, *seconds: float) -> None:
        """Let time pass, and the keeper look after each stretch."""
        for each in seconds:
            self.world.clock.advance(each)
            await keeper.turn()

    async def alarms(self) -> list[tuple[object, ...]]:
        """The alarms that last."""
        return await self.world.rows("SELECT subject, detail FROM alarm WHERE ended_at IS NULL ORDER BY subject")


@pytest.fixture
async def kept(world: World, tmp_path: Path) -> Kept:
    store = Store(Database(world.url), world.clock, OFFICE, Policies(LeastLoaded(), TellByRole()))
    world.stores.append(store)
    folder = tmp_path / "monitor"
    folder.mkdir()
    return Kept(world, store, folder)


async def test_a_file_is_kept_when_its_size_stands_still(kept: Kept) -> None:
    keeper = kept.keeper()
    await kept.talk()
    path = sound(kept.folder / f"{CALL}.wav", 10)
    await keeper.turn()
    assert await kept.state() is RecordingState.EXPECTED  # the PBX may still write
    await kept.pass_by(keeper, 6)
    sound(path, 55)  # it did
    await kept.pass_by(keeper, 4)
    assert await kept.state() is RecordingState.EXPECTED
    await kept.pass_by(keeper, 4)
    row = await kept.row()
    assert row is not None
    assert (row.state, row.duration_s, row.size, row.error) == (RecordingState.STORED, 55.0, 880_044, None)
    assert (row.expires_at, row.look_at, row.checked_at) == (None, None, kept.world.clock.now())
    await kept.pass_by(keeper, 86_400)
    assert path.exists()


async def test_it_is_found_where_freepbx_puts_it(kept: Kept) -> None:
    keeper = kept.keeper()
    name = f"2026/03/02/in-74951234567-79161234567-20260302-115900-{CALL}.wav"
    sound(kept.folder / name, 55)
    await kept.talk()
    await kept.pass_by(keeper, 6, 4)
    row = await kept.row()
    assert row is not None
    assert (row.state, row.name) == (RecordingState.STORED, name)


async def test_files_without_sound_are_dropped(kept: Kept) -> None:
    keeper = kept.keeper()
    await kept.talk()
    path = sound(kept.folder / f"{CALL}.wav", 0)
    await kept.pass_by(keeper, 6, 4)
    assert await kept.state() is RecordingState.EMPTY
    assert not path.exists()


async def test_a_file_of_a_full_disk_says_that_it_is_short(kept: Kept) -> None:
    keeper = kept.keeper()
    await kept.talk()
    sound(kept.folder / f"{CALL}.wav", 3)  # the disk was full after three of 55 seconds
    await kept.pass_by(keeper, 6, 4)
    row = await kept.row()
    assert row is not None
    assert (row.state, row.error) == (RecordingState.STORED, "запись короче разговора: 3 с из 55 с")


async def test_a_file_that_never_comes_is_missing_visibly(kept: Kept) -> None:
    keeper = kept.keeper()
    await kept.talk()
    await kept.pass_by(keeper, 6, *(each.total_seconds() + 1 for each in SPACING[:-1]))
    assert await kept.state() is RecordingState.EXPECTED
    await kept.pass_by(keeper, SPACING[-1].total_seconds() + 1)
    row = await kept.row()
    assert row is not None
    assert (row.state, row.look_at, row.error) == (RecordingState.MISSING, None, "файла нет в папке записей")
    assert row.checked_at is not None
    assert row.checked_at - row.created_at > timedelta(hours=7)


async def test_a_file_that_comes_late_is_found(kept: Kept) -> None:
    keeper = kept.keeper()
    await kept.talk()
    await kept.pass_by(keeper, 6, 6, 20, 70)
    sound(kept.folder / f"{CALL}.wav", 55)
    await kept.pass_by(keeper, 400, 4)
    assert await kept.state() is RecordingState.STORED


async def test_a_damaged_file_is_missing_and_stays_on_the_disk(kept: Kept) -> None:
    keeper = kept.keeper()
    await kept.talk()
    (kept.folder / f"{CALL}.wav").write_bytes(b"\x00" * 4096)
    await kept.pass_by(keeper, 6, 4, *(each.total_seconds() + 1 for each in SPACING for _ in (1, 2)))
    row = await kept.row()
    assert row is not None
    assert (row.state, row.error) == (RecordingState.MISSING, "файл испорчен: в нём нет звукозаписи")
    assert (kept.folder / f"{CALL}.wav").exists()


async def test_a_call_settled_from_records_is_looked_for_and_forgotten_where_there_is_nothing(kept: Kept) -> None:
    keeper = kept.keeper()
    await kept.talk("1772442000.8", recorded=False, settled=True)
    await kept.talk("1772442000.9", recorded=False, settled=True)
    await kept.talk("1772442000.10", recorded=False)
    sound(kept.folder / "1772442000.8.wav", 55)
    assert await kept.state("1772442000.10") is None
    await kept.pass_by(keeper, 6, 4, *(each.total_seconds() + 1 for each in SPACING))
    assert await kept.state("1772442000.8") is RecordingState.STORED
    assert await kept.state("1772442000.9") is None


async def test_a_repeated_end_expects_no_second_recording(kept: Kept) -> None:
    keeper = kept.keeper()
    await kept.talk()
    sound(kept.folder / f"{CALL}.wav", 55)
    await kept.pass_by(keeper, 6, 4)
    await kept.talk(settled=True)
    assert await kept.state() is RecordingState.STORED


async def test_what_has_expired_is_deleted(kept: Kept) -> None:
    keeper = kept.keeper(keep=timedelta(days=180))
    await kept.talk()
    path = sound(kept.folder / f"{CALL}.wav", 55)
    await kept.pass_by(keeper, 6, 4, 86_400 * 179)
    assert (await kept.state(), path.exists()) == (RecordingState.STORED, True)
    await kept.pass_by(keeper, 86_400)
    assert (await kept.state(), path.exists()) == (RecordingState.EXPIRED, False)


async def test_a_changed_time_to_keep_counts_for_what_lies_there(kept: Kept) -> None:
    await kept.talk()
    sound(kept.folder / f"{CALL}.wav", 55)
    await kept.pass_by(kept.keeper(), 6, 4, 86_400 * 30)
    longer = kept.keeper(keep=timedelta(days=60))
    await longer.turn()
    row = await kept.row()
    assert row is not None
    assert row.expires_at == row.look_at == row.created_at + timedelta(days=60)
    shorter = kept.keeper(keep=timedelta(days=10))
    await shorter.turn()
    assert await kept.state() is RecordingState.EXPIRED


async def test_forever_again(kept: Kept) -> None:
    await kept.talk()
    sound(kept.folder / f"{CALL}.wav", 55)
    await kept.pass_by(kept.keeper(keep=timedelta(days=10)), 6, 4)
    await kept.pass_by(kept.keeper(), 86_400 * 30)
    row = await kept.row()
    assert row is not None
    assert (row.state, row.expires_at, row.look_at) == (RecordingState.STORED, None, None)


async def test_several_nodes_share_a_folder(kept: Kept) -> None:
    keepers = [kept.keeper() for _ in range(3)]
    for number in range(30):
        await kept.talk(f"1772442000.{number}")
        sound(kept.folder / f"1772442000.{number}.wav", 0 if number % 3 == 0 else 55)
    for seconds in (6, 4, 4):
        kept.world.clock.advance(seconds)
        await asyncio.gather(*(keeper.turn() for keeper in keepers for _ in (1, 2)))
    assert await kept.world.rows("SELECT state, count(*) FROM recording GROUP BY state ORDER BY state") == [
        ("empty", 10),
        ("stored", 20),
    ]


async def test_a_claim_that_was_lost_changes_nothing(kept: Kept) -> None:
    await kept.talk()
    kept.world.clock.advance(6)
    now = kept.world.clock.now()
    claims = [
        await kept.store.database.write(
            lambda conn: queries.claim(conn, now, ["office"], remote=False, lease=timedelta(minutes=1), limit=5)
        )
        for _ in (1, 2)
    ]
    assert [len(each) for each in claims] == [1, 0]
    await kept.pass_by(kept.keeper(), 61)  # it took too long, and another node looked
    await kept.store.run(lambda desk: service.empty(desk, claims[0][0]))
    assert await kept.state() is RecordingState.EXPECTED


async def test_a_node_without_the_folder_leaves_it_to_others(kept: Kept) -> None:
    away = kept.keeper(kept.folder / "not mounted")
    await kept.talk()
    await kept.pass_by(away, 6, 60)
    row = await kept.row()
    assert row is not None
    assert (row.state, row.attempts) == (RecordingState.EXPECTED, 0)
    assert away.parts["recordings:office"]["state"] == "away"
    await kept.pass_by(away, 3700)
    ((subject, detail),) = await kept.alarms()
    assert subject == "recordings:office: overdue"
    assert "ждут 1" in str(detail)
    sound(kept.folder / f"{CALL}.wav", 55)
    await kept.pass_by(kept.keeper(), 6, 4, 61)
    assert await kept.state() is RecordingState.STORED
    assert await kept.alarms() == []


async def test_a_disk_that_runs_full_is_told_and_that_there_is_room_again(kept: Kept) -> None:
    keeper = kept.keeper(least_free=1024**3)
    await keeper.turn()
    assert keeper.parts["recordings:office"]["state"] == "connected"
    kept.room = 200 * 1024**2
    await kept.pass_by(keeper, 61)
    ((subject, detail),) = await kept.alarms()
    assert subject == "recordings:office"
    assert "осталось 200 МБ, нужно 1024 МБ" in str(detail)
    assert keeper.parts["recordings:office"]["state"] == "trouble"
    told = await kept.world.count("outbox", "kind = 'notification'")
    assert told == 1  # the director: there is no administrator
    await kept.pass_by(keeper, 61, 61)
    assert await kept.world.count("outbox", "kind = 'notification'") == told
    kept.room = 10**12
    await kept.pass_by(keeper, 61)
    assert await kept.alarms() == []
    assert kept.world.metrics.registry.get_sample_value("hub_recordings_free_bytes", {"pbx": "office"}) == 10**12


async def test_a_file_that_can_not_be_deleted_is_tried_again_and_told(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = kept.keeper(keep=timedelta(days=1))
    await kept.talk()
    path = sound(kept.folder / f"{CALL}.wav", 55)
    await kept.pass_by(keeper, 6, 4)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", refuse)
        await kept.pass_by(keeper, 86_400)
    row = await kept.row()
    assert row is not None
    assert (row.state, row.error) == (RecordingState.STORED, "Read-only file system")
    assert await kept.alarms() == [("recordings:office: files", "файл записи не удалить: Read-only file system")]
    await kept.pass_by(keeper, 601)
    assert (await kept.state(), path.exists()) == (RecordingState.EXPIRED, False)
    assert await kept.alarms() == []


async def test_a_file_that_was_deleted_is_missing_until_it_is_back(kept: Kept) -> None:
    keeper = kept.keeper(keep=timedelta(days=180))
    await kept.talk()
    path = sound(kept.folder / f"{CALL}.wav", 55)
    await kept.pass_by(keeper, 6, 4)
    before = await kept.row()
    away = path.rename(kept.folder.parent / path.name)
    await kept.pass_by(keeper, 61)
    row = await kept.row()
    assert row is not None
    assert (row.state, row.error) == (RecordingState.MISSING, "файла нет в папке записей")
    away.rename(path)
    await kept.pass_by(keeper, 61)
    row = await kept.row()
    assert row is not None
    assert before is not None
    assert row._replace(checked_at=None) == before._replace(checked_at=None)


async def test_all_files_are_looked_at_in_turn(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.workers.recordings._CHECKED_AT_ONCE", 2)
    keeper = kept.keeper()
    paths = []
    for number in range(5):
        await kept.talk(f"1772442000.{number}")
        paths.append(sound(kept.folder / f"1772442000.{number}.wav", 55))
    await kept.pass_by(keeper, 6, 4)
    for path in paths:
        path.unlink()
    await kept.pass_by(keeper, 61, 61, 61, 61)
    assert await kept.world.rows("SELECT DISTINCT state FROM recording") == [("missing",)]


async def test_a_name_that_leads_out_is_never_followed(kept: Kept) -> None:
    keeper = kept.keeper(keep=timedelta(days=1))
    secret = sound(kept.folder.parent / "secret.wav", 55)
    await kept.talk()
    await kept.store.database.write(
        lambda conn: conn.exec_driver_sql("UPDATE recording SET name = '../secret.wav'").rowcount
    )
    await kept.pass_by(keeper, 6, 4)
    assert await kept.state() is RecordingState.EXPECTED
    await kept.store.database.write(
        lambda conn: conn.exec_driver_sql("UPDATE recording SET state = 'stored', expires_at = created_at").rowcount
    )
    await kept.pass_by(keeper, 86_400)
    assert secret.exists()
