"""Brings in the files that were posted, one at a time; goes on with those whose process died."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Awaitable, Sequence
from functools import partial
from pathlib import Path

from crm_core.errors import Conflict, CoreError, InvalidInput, NotFound, StorageUnavailable
from crm_core.model.exchange import ImportRecord, ImportState
from crm_core.model.importing import Line, Outcome
from crm_core.ports import Clock
from crm_core.services.importing import runs
from crm_core.services.importing.cells import harmless
from crm_core.storage.queries import imports, personal
from crm_core.storage.store import Store
from crm_core.wording import Joined
from hub.exchange.importing import Importer, go_on, keep_file, stored
from hub.exchange.owning import claimed
from hub.files import DiskFiles
from hub.log import get_logger
from hub.metrics import Metrics
from hub.tongues import told_in
from hub.workers.loop import Worker

log = get_logger(__name__)

_EVERY_S = 5.0
_BUSY_S = 2.0


class _Stopping(CoreError):
    """The hub stops; another one goes on."""


class _Stopped(CoreError):
    """Somebody stopped the rehearsal; `record` is how it stands."""

    def __init__(self, record: ImportRecord) -> None:
        super().__init__("the rehearsal was stopped")
        self.record = record


class ImportWorker(Worker):
    """Looks for imports that wait or were left."""

    name = "imports"

    def __init__(self, store: Store, clock: Clock, metrics: Metrics, files: DiskFiles, node: str) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self._files = files
        self._node = node

    async def turn(self) -> float:
        """Do one import, if one waits that nobody else does."""
        for record in await self._store.read(imports.waiting):
            async with claimed(self._store, f"import:{record.id}", self._node) as mine:
                if not mine:
                    continue
                # it may have come to its end while the lease was somebody else's
                current = await self._store.read(partial(imports.one_import, access=None, import_id=record.id))
                if current.state in runs.ACTIVE:
                    return await self._do(current)
        return _EVERY_S

    async def _do(self, record: ImportRecord) -> float:
        try:
            if runs.how_of(record).dry_run:
                done = await self._rehearse(record)
            else:
                done = await go_on(self._store, self._files, record, self._heard)
        except _Stopping:
            return 0.0
        except Conflict as err:
            log.warning("an import is done by somebody else", id=record.id, error=str(err))
            return _BUSY_S
        log.info("an import ended", id=done.id, kind=done.kind, state=done.state.value, **done.counts)
        if done.state not in runs.ACTIVE:
            await forget_file(self._store, self._files, record.sha256)
        return 0.0

    def _heard(self, _lines: Sequence[Line], _outcomes: Sequence[Outcome]) -> None:
        if self._stopping:
            raise _Stopping

    async def _rehearse(self, record: ImportRecord) -> ImportRecord:
        """Nothing is written but what would have happened, as a file to be looked at."""
        plan, how, counts, so_far = runs.plan_of(record), runs.how_of(record), Counter[str](), Counter[str]()

        async def come_so_far(upto: int) -> None:
            moved = await self._store.run(lambda desk: runs.rehearsing(desk, record.id, so_far, upto))
            if moved.state not in runs.ACTIVE:
                raise _Stopped(moved)

        def heard(lines: Sequence[Line], outcomes: Sequence[Outcome]) -> Awaitable[None]:
            self._heard(lines, outcomes)
            so_far.update(each.became.value for each in outcomes)
            return come_so_far(lines[-1].number)

        try:
            table = await stored(self._files, record.sha256, how)
            with tempfile.TemporaryDirectory(prefix="hub-import-") as folder:
                path = Path(folder) / "report.csv"
                with path.open("w", encoding="utf-8-sig", newline="") as file:
                    writer = csv.writer(file, delimiter=";")
                    writer.writerow(["line", "became", "id", "why"])
                    language = self._store.office.language
                    async for each in Importer(self._store, plan, how, heard).rehearse(table.lines):
                        counts[each.became.value] += 1
                        why = harmless(told_in(Joined(each.notes), language))
                        writer.writerow([each.line, each.became.value, each.subject_id or "", why])
                report = await keep_file(self._files, path)
        except _Stopped as err:
            return err.record
        except (InvalidInput, NotFound) as err:
            reason = str(err)
            return await self._store.run(lambda desk: runs.end(desk, record.id, ImportState.FAILED, reason))
        except StorageUnavailable:
            log.warning("a rehearsal begins anew when the database is back", id=record.id)
            raise
        return await self._store.run(lambda desk: runs.rehearsed(desk, record.id, counts, report))


async def forget_file(store: Store, files: DiskFiles, sha256: str) -> None:
    """Take a file that was brought in off the disk, unless something else is the same file."""
    if not await store.read(lambda conn: personal.files_in_use(conn, [sha256])):
        await files.remove(sha256)
