"""Looks after recordings: finds and checks the files, puts them away, deletes what has expired, watches the disk.

Every node looks into those folders of PBXs that it has; rows are claimed, so that several nodes share a folder in
peace. What does not work stays visible: in the row's `error`, in the log, in `parts` (for `/readyz`), and as an alarm.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path, PurePosixPath

from crm_core.model.alarm import AlarmKind
from crm_core.model.recording import RecordingState
from crm_core.model.records import CallRecord, RecordingRecord
from crm_core.ports import Clock
from crm_core.services.calls import recordings as service
from crm_core.services.calls.recordings import Why
from crm_core.services.watching.alarms import end_alarm, raise_alarm
from crm_core.storage.queries import recordings as queries
from crm_core.storage.store import Store
from crm_core.wording import Sentence
from hub.log import get_logger
from hub.metrics import Metrics
from hub.recordings import files
from hub.recordings.bucket import Bucket, StorageTrouble
from hub.recordings.files import Judgement
from hub.settings import Settings
from hub.workers.loop import Worker

log = get_logger(__name__)

_EVERY_S = 5.0
_WATCH_EVERY = timedelta(minutes=1)
_CLAIM = timedelta(minutes=10)
_AT_ONCE = 20
_SIDE_BY_SIDE = 4
_OVERDUE = timedelta(hours=1)
_ALARM_AFTER = timedelta(minutes=5)
_STORAGE_AGAIN = timedelta(minutes=1)
_STORAGE_AGAIN_MOST = timedelta(hours=1)
_DISK_AGAIN = timedelta(minutes=10)
_LATER = timedelta(days=1)
# A round of all files on disk takes as many minutes as there are such portions.
_CHECKED_AT_ONCE = 500
STORAGE = "recordings:s3"

_WORDS = {
    "ru": {
        "least": "на диске с записями {folder} осталось {free} МБ, нужно {least} МБ",
        "overdue": "никто не ищет записи: ждут {count}; папки записей нет ни на одном узле хаба",
        "storage": "хранилище не принимает записи: {error}",
        "disk": "файл записи не удалить: {error}",
    },
    "en": {
        "least": "{free} MB are left on the disk of recordings {folder}, {least} MB are wanted",
        "overdue": "nobody looks for recordings: {count} wait; no node of the hub has the folder",
        "storage": "the storage takes no recordings: {error}",
        "disk": "the file of a recording can't be deleted: {error}",
    },
}


def free_space(folder: Path) -> int:
    """Bytes that may still be written beside a folder."""
    return shutil.disk_usage(folder).free


class RecordingKeeper(Worker):
    """See the module. `parts` is how folders and storage stand, for `/readyz`."""

    name = "recordings"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        settings: Settings,
        *,
        free: Callable[[Path], int] = free_space,
    ) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self._settings = settings.recordings
        self._zone = settings.time_zone
        self._folders: dict[str, Path] = {}
        self.serve(settings)
        self._free = free
        storage = settings.recordings.s3
        self.bucket = Bucket(storage) if storage is not None else None
        self.parts: dict[str, dict[str, str]] = {}
        self._aligned = False
        self._watched: datetime | None = None
        self._checked = 0
        self._failing: dict[str, datetime] = {}
        self._raised: dict[str, bool] = {}

    def serve(self, settings: Settings) -> None:
        """Keep the recordings of these PBXs from now on."""
        self._folders = {pbx.name: pbx.recordings for pbx in settings.pbx if pbx.recordings is not None}

    def folder(self, pbx: str) -> Path | None:
        """Where the recordings of a PBX lie, whether or not this node has that folder."""
        return self._folders.get(pbx)

    async def turn(self) -> float:
        """Do what is due with the folders this node has."""
        if not self._folders and self.bucket is None:
            return 60.0
        here = await asyncio.to_thread(self._here)
        now = self._clock.now()
        if not self._aligned:
            put_away = self.bucket is not None
            changed = await self._store.database.write(
                lambda conn: queries.align(conn, now, self._settings.keep, put_away=put_away)
            )
            self._aligned = True
            if changed:
                log.info("recordings follow the configuration", changed=changed)
        if self._watched is None or now - self._watched >= _WATCH_EVERY:
            self._watched = now
            await self._watch(here)
            await self._check(here)
        remote = self.bucket is not None
        claimed = await self._store.database.write(
            lambda conn: queries.claim(conn, now, sorted(here), remote=remote, lease=_CLAIM, limit=_AT_ONCE)
        )
        if not claimed:
            return _EVERY_S
        calls = await self._store.read(lambda conn: queries.calls_of(conn, claimed))
        turns = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def look(row: RecordingRecord) -> None:
            async with turns:
                await self._look_after(row, calls[row.call_id], here)

        ends = await asyncio.gather(*(look(row) for row in claimed), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end
        return 0 if len(claimed) == _AT_ONCE else min(_EVERY_S, service.STANDS_STILL.total_seconds())

    # ------------------------------------------------------------ one recording

    async def _look_after(self, row: RecordingRecord, call: CallRecord, here: frozenset[str]) -> None:
        folder = self._folders[row.pbx] if row.pbx in here else None
        try:
            if row.state is RecordingState.EXPECTED and folder is not None:
                await self._seek(row, call, folder)
            elif row.expires_at is not None and row.expires_at <= self._clock.now():
                await self._expire(row, folder)
            elif row.state is RecordingState.STORED and folder is not None:
                await self._keep(row, folder)
            elif row.state is RecordingState.REMOTE and folder is not None:
                await self._clear(row, folder)
        except StorageTrouble as err:
            await self._storage_failed(row, err)
        except OSError as err:
            await self._disk_failed(row, err)

    async def _seek(self, row: RecordingRecord, call: CallRecord, folder: Path) -> None:
        """Find the file; when its size has stood still since the last look, judge it."""
        name = await asyncio.to_thread(files.find, folder, row.name, call.linkedid, self._days(call))
        path = await asyncio.to_thread(files.inside, folder, name)
        if name is None or path is None:
            await self._in_vain(row, Why.NOT_FOUND)
            return
        judged = await asyncio.to_thread(files.judge, path)
        if judged.size != row.size or name != row.name:
            await self._store.run(lambda desk: service.growing(desk, row, name, judged.size))
            return
        match judged.judgement:
            case Judgement.EMPTY:
                await self._store.run(lambda desk: service.empty(desk, row))
                await self._drop(row, folder, name)
            case Judgement.DAMAGED:
                await self._in_vain(row, Why.DAMAGED)
            case Judgement.SOUND:
                await self._store.run(
                    lambda desk: service.stored(
                        desk,
                        row,
                        size=judged.size,
                        duration_s=judged.duration_s,
                        keep=self._settings.keep,
                        put_away=self.bucket is not None,
                    )
                )
                self.wake()

    async def _drop(self, row: RecordingRecord, folder: Path, name: str) -> None:
        """Delete a file without sound. One that can't be deleted takes no room worth telling people of."""
        try:
            await asyncio.to_thread(files.remove, folder, name)
        except OSError as err:
            log.warning("a recording without sound can't be deleted", call=row.call_id, file=name, error=str(err))
            return
        log.info("a recording without sound was dropped", call=row.call_id, file=name)

    async def _in_vain(self, row: RecordingRecord, why: Why, **fields: object) -> None:
        state = await self._store.run(lambda desk: service.in_vain(desk, row, service.say_why(desk, why, **fields)))
        if state is RecordingState.MISSING:
            log.warning("a recording is missing", call=row.call_id, pbx=row.pbx, file=row.name, why=why.value)

    async def _keep(self, row: RecordingRecord, folder: Path) -> None:
        """Put a file away; it is deleted here only when the storage gave back the same."""
        if self.bucket is None:
            await self._store.run(lambda desk: service.put_off(desk, row, row.expires_at, None))
            return
        path = await asyncio.to_thread(files.inside, folder, row.name)
        if path is None:
            await self._lost(row)
            return
        place = place_of(row)
        await self.bucket.put(path, place)
        await self._well(STORAGE)
        again = self._clock.now() + _CLAIM
        after = await self._store.run(lambda desk: service.put_away(desk, row, place, again))
        if after is not None:
            await self._clear(after, folder)

    async def _clear(self, row: RecordingRecord, folder: Path) -> None:
        """Delete the copy on disk of what lies in the storage."""
        await asyncio.to_thread(files.remove, folder, row.name)
        await self._well(f"recordings:{row.pbx}: files")
        await self._store.run(lambda desk: service.put_off(desk, row, row.expires_at, None))

    async def _expire(self, row: RecordingRecord, folder: Path | None) -> None:
        if row.place is not None:
            if self.bucket is None:
                later = self._clock.now() + _LATER
                log.warning("an expired recording lies in a storage that is not configured", call=row.call_id)
                await self._store.run(lambda desk: service.put_off(desk, row, later, "no storage is configured"))
                return
            await self.bucket.delete(row.place)
            await self._well(STORAGE)
        if folder is not None:
            await asyncio.to_thread(files.remove, folder, row.name)
            await self._well(f"recordings:{row.pbx}: files")
        await self._store.run(lambda desk: service.expired(desk, row))
        log.info("a recording has expired", call=row.call_id, pbx=row.pbx)

    async def _check(self, here: frozenset[str]) -> None:
        """Look whether a portion of the files is still there: one that is gone is missing, one that is back is not."""
        if self.bucket is not None or not here:
            return  # what is to be put away is looked at for that
        after = self._checked
        rows = await self._store.read(lambda conn: queries.kept_on_disk(conn, sorted(here), after, _CHECKED_AT_ONCE))
        self._checked = rows[-1].call_id if len(rows) == _CHECKED_AT_ONCE else 0
        for row, gone in zip(rows, await asyncio.to_thread(self._gone, rows), strict=True):
            if gone is (row.state is RecordingState.MISSING):
                continue
            try:
                await (self._lost(row) if gone else self._back(row, self._folders[row.pbx]))
            except OSError as err:
                log.warning("a recording's file failed", call=row.call_id, file=row.name, error=str(err))

    def _gone(self, rows: list[RecordingRecord]) -> list[bool]:
        return [files.gone(self._folders[row.pbx], row.name) for row in rows]

    async def _lost(self, row: RecordingRecord) -> None:
        log.warning("a recording is gone from the disk", call=row.call_id, pbx=row.pbx, file=row.name)
        await self._store.run(lambda desk: service.lost(desk, row, service.say_why(desk, Why.NOT_FOUND)))

    async def _back(self, row: RecordingRecord, folder: Path) -> None:
        """A file that was missing is there, as when its disk had not been mounted."""
        path = await asyncio.to_thread(files.inside, folder, row.name)
        judged = await asyncio.to_thread(files.judge, path) if path is not None else None
        if judged is None or judged.judgement is not Judgement.SOUND or judged.size != row.size:
            return
        log.info("a recording is back", call=row.call_id, pbx=row.pbx, file=row.name)
        await self._store.run(
            lambda desk: service.stored(
                desk,
                row,
                size=judged.size,
                duration_s=judged.duration_s,
                keep=self._settings.keep,
                put_away=False,
            )
        )

    def _days(self, call: CallRecord) -> Iterable[date]:
        """The days whose folders may hold the file: the PBX may count them in the office's zone or in UTC."""
        days = [
            moment
            for at in (call.started_at, call.answered_at)
            if at is not None
            for moment in (at.astimezone(self._zone).date(), at.date())
        ]
        return dict.fromkeys(days)

    # ------------------------------------------------------------ what does not work

    async def _storage_failed(self, row: RecordingRecord, err: StorageTrouble) -> None:
        now, error = self._clock.now(), str(err)
        log.warning("the storage of recordings failed", call=row.call_id, tries=row.attempts + 1, error=error)
        pause = min(_STORAGE_AGAIN * 2 ** min(row.attempts, 10), _STORAGE_AGAIN_MOST)
        await self._store.run(lambda desk: service.put_off(desk, row, now + pause, error))
        await self._trouble(STORAGE, self._say("storage", error=error), _ALARM_AFTER)

    async def _disk_failed(self, row: RecordingRecord, err: OSError) -> None:
        error = err.strerror or type(err).__name__
        log.warning("a recording's file failed", call=row.call_id, file=row.name, error=error)
        if row.state is RecordingState.EXPECTED:
            await self._in_vain(row, Why.UNREADABLE, error=error)
            return
        again = self._clock.now() + _DISK_AGAIN
        await self._store.run(lambda desk: service.put_off(desk, row, again, error))
        await self._trouble(f"recordings:{row.pbx}: files", self._say("disk", error=error), timedelta(0))

    async def _watch(self, here: frozenset[str]) -> None:
        """Judge the room beside each folder, and whether anybody looks for what is due."""
        waiting = await self._store.read(lambda conn: queries.overdue(conn, self._clock.now() - _OVERDUE))
        for pbx, folder in self._folders.items():
            subject = f"recordings:{pbx}"
            if waiting.get(pbx):
                await self._trouble(f"{subject}: overdue", self._say("overdue", count=waiting[pbx]), timedelta(0))
            else:
                await self._well(f"{subject}: overdue")
            if pbx not in here:
                away = Sentence("{folder} is not on this node", folder=folder)
                self.parts[subject] = {"state": "away", "detail": away}
                continue
            await self._watch_room(subject, pbx, folder)

    async def _watch_room(self, subject: str, pbx: str, folder: Path) -> None:
        try:
            free = await asyncio.to_thread(self._free, folder)
        except OSError as err:
            self.parts[subject] = {"state": "trouble", "detail": err.strerror or type(err).__name__}
            log.warning("the room for recordings can't be told", pbx=pbx, error=str(err))
            return
        self._metrics.recordings_free.labels(pbx).set(free)
        least, mega = self._settings.least_free, 1024 * 1024
        if free < least:
            detail = self._say("least", folder=folder, free=free // mega, least=least // mega)
            self.parts[subject] = {
                "state": "trouble",
                "detail": Sentence("{free} MB free, {least} MB wanted", free=free // mega, least=least // mega),
            }
            await self._trouble(subject, detail, timedelta(0))
        else:
            self.parts[subject] = {"state": "connected", "detail": _free(free)}
            await self._well(subject)

    async def _trouble(self, subject: str, detail: str, patience: timedelta) -> None:
        """Something does not work; an alarm when it has not worked for as long as `patience`."""
        now = self._clock.now()
        since = self._failing.setdefault(subject, now)
        if subject == STORAGE:
            self.parts[subject] = {"state": "trouble", "detail": detail}
        if now - since < patience:
            return
        if not self._raised.get(subject):
            log.warning("recordings can't be kept as they should", subject=subject, detail=detail)
        self._raised[subject] = True
        await self._store.run(lambda desk: raise_alarm(desk, AlarmKind.RECORDINGS, subject, detail, since=since))

    async def _well(self, subject: str) -> None:
        """It works. An alarm of before a restart is ended too, which is asked for once."""
        self._failing.pop(subject, None)
        if subject == STORAGE:
            self.parts[subject] = {"state": "connected", "detail": ""}
        if self._raised.get(subject) is False:
            return
        self._raised[subject] = False
        await self._store.run(lambda desk: end_alarm(desk, AlarmKind.RECORDINGS, subject))

    def _say(self, what: str, **fields: object) -> str:
        return _WORDS.get(self._store.office.language, _WORDS["en"])[what].format(**fields)

    def _here(self) -> frozenset[str]:
        return frozenset(pbx for pbx, folder in self._folders.items() if folder.is_dir())


def place_of(row: RecordingRecord) -> str:
    """Where a recording lies in the storage: by PBX and day, named by the call, so that a second try overwrites."""
    return f"{row.pbx}/{row.created_at:%Y/%m/%d}/{row.call_id}{PurePosixPath(row.name).suffix.lower()}"


def _free(size: int) -> Sentence:
    mega = size // (1024 * 1024)
    return Sentence("{free} GB free", free=mega // 1024) if mega >= 10 * 1024 else Sentence("{free} MB free", free=mega)
