"""Running imports: a stored file is read line by line and taken in batch by batch, each in one transaction that also
moves the import's place. Whoever goes on behind a dead process begins right there, and nothing is taken twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

from crm_core.errors import ConcurrentChange, Conflict, CoreError, InvalidInput, NotFound, StorageUnavailable
from crm_core.model.exchange import ImportRecord, ImportState
from crm_core.model.importing import Became, How, ImportKind, Line, Outcome, Plan
from crm_core.services.desk import Desk
from crm_core.services.importing import runs
from crm_core.services.importing.columns import plan as planned
from crm_core.services.importing.columns import replaced
from crm_core.services.importing.take import take
from crm_core.services.settling import settle
from crm_core.storage.store import Store
from hub.exchange.tables import Table, open_table
from hub.files import DiskFiles
from hub.log import get_logger

log = get_logger(__name__)

AT_ONCE = 500
"""Lines a transaction."""

MOST_BYTES = 200 * 1024 * 1024
"""Bytes of a file."""

_PIECE = 1 << 20

Told = Callable[[Sequence[Line], Sequence[Outcome]], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was understood: how it is written, what its columns mean."""

    table: Table
    plan: Plan
    how: How


class _Rehearsed(Exception):
    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__("nothing of this is written")
        self.outcomes = outcomes


@dataclass(slots=True)
class Importer:
    """Takes lines into the record. `told` hears of every batch."""

    store: Store
    plan: Plan
    how: How
    told: Told | None = None
    _dry: set[int] = field(default_factory=set)
    _record: ImportRecord = field(init=False)

    async def rehearse(self, lines: Iterator[Line]) -> AsyncIterator[Outcome]:
        """What would become of the lines; nothing is written."""
        while batch := await asyncio.to_thread(lambda: list(islice(lines, AT_ONCE))):
            outcomes = await self._halved(batch, self._rehearsed)
            if self.told is not None and (waiting := self.told(batch, outcomes)) is not None:
                await waiting
            for each in outcomes:
                yield each

    async def run(self, record: ImportRecord, lines: Iterator[Line]) -> ImportRecord:
        """Take the lines behind the import's place in; its state afterwards. Raises Conflict where somebody else
        does so too, StorageUnavailable, InvalidInput where the file ends being a table."""
        self._record = record
        place = record.line
        behind = (line for line in lines if line.number > place)
        while batch := await asyncio.to_thread(lambda: list(islice(behind, AT_ONCE))):
            outcomes = await self._halved(batch, self._written)
            if self.told is not None and (waiting := self.told(batch, outcomes)) is not None:
                await waiting
            if self._record.state not in runs.ACTIVE:
                return self._record
        return await self.store.run(lambda desk: runs.end(desk, record.id, ImportState.DONE))

    async def _halved(
        self, batch: Sequence[Line], act: Callable[[Sequence[Line]], Awaitable[list[Outcome]]]
    ) -> list[Outcome]:
        """A batch that can't be is halved until the line stands alone that stands in the way."""
        try:
            return await act(batch)
        except (StorageUnavailable, ConcurrentChange, _Moved):
            raise
        except CoreError as err:
            if len(batch) > 1:
                half = len(batch) // 2
                return [*await self._halved(batch[:half], act), *await self._halved(batch[half:], act)]
            failed = [Outcome(batch[0].number, Became.FAILED, None, (str(err),))]
            if act == self._written:
                await self._note(batch, failed)
            return failed

    async def _rehearsed(self, batch: Sequence[Line]) -> list[Outcome]:
        try:
            await self.store.run(partial(self._try, batch))
        except _Rehearsed as done:
            return done.outcomes
        raise AssertionError("unreachable")

    def _try(self, batch: Sequence[Line], desk: Desk) -> None:
        outcomes = take(desk, self.plan, self.how, batch, self._dry)
        settle(desk)
        raise _Rehearsed(outcomes)

    async def _written(self, batch: Sequence[Line]) -> list[Outcome]:
        record, outcomes = await self.store.run(partial(self._write, batch))
        self._record = record
        return outcomes

    def _write(self, batch: Sequence[Line], desk: Desk) -> tuple[ImportRecord, list[Outcome]]:
        record = runs.held(desk, self._record.id)
        if record.state not in runs.ACTIVE:
            return record, []
        if record.line != self._record.line:
            raise _Moved("import {record} is being done by another process", record=record.id)
        outcomes = take(desk, self.plan, self.how, batch, self._dry)
        return runs.moved_on(desk, record, batch, outcomes, batch[-1].number), outcomes

    async def _note(self, batch: Sequence[Line], outcomes: list[Outcome]) -> None:
        def note(desk: Desk) -> ImportRecord:
            record = runs.held(desk, self._record.id)
            if record.line != self._record.line:
                raise _Moved("import {record} is being done by another process", record=record.id)
            return runs.moved_on(desk, record, batch, outcomes, batch[-1].number)

        self._record = await self.store.run(note)


class _Moved(Conflict):
    """Another process does this import."""


async def understand(
    store: Store, path: Path, kind: ImportKind, how: How, given: dict[str, str], system: str | None
) -> Opened:
    """Open a file and find out what its columns mean; raises InvalidInput."""
    catalogue = await store.run(lambda desk: desk.catalogue)
    table = await asyncio.to_thread(
        partial(open_table, path, encoding=how.encoding, separator=how.separator, sheet=how.sheet)
    )
    plan = planned(catalogue, kind, table.headings, given, system)
    values = replaced(catalogue, kind, table.headings, how.values)
    return Opened(table, plan, replace(how, system=plan.system, values=values))


async def keep_file(files: DiskFiles, path: Path, most: int = MOST_BYTES) -> str:
    """Put a file into the store; its hash. Raises InvalidInput where it is too large."""

    async def pieces() -> AsyncIterator[bytes]:
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece

    if (await asyncio.to_thread(path.stat)).st_size > most:
        raise InvalidInput("the file is larger than {most} MB: cut it into parts", most=most // 1024 // 1024)
    return (await files.put(pieces(), most)).sha256


async def stored(files: DiskFiles, sha256: str, how: How) -> Table:
    """A file of the store as a table; raises NotFound, InvalidInput."""
    return await asyncio.to_thread(_stored, files.path(sha256), how)


def _stored(path: Path, how: How) -> Table:
    if not path.is_file():
        raise NotFound("the file of the import is no longer in the store: begin anew")
    return open_table(path, encoding=how.encoding, separator=how.separator, sheet=how.sheet)


async def go_on(store: Store, files: DiskFiles, record: ImportRecord, told: Told | None = None) -> ImportRecord:
    """Run an import from its place to its end; a file that can't be read ends it as failed, with the reason."""
    plan, how = runs.plan_of(record), runs.how_of(record)
    try:
        table = await stored(files, record.sha256, how)
        return await Importer(store, plan, how, told).run(record, table.lines)
    except (InvalidInput, NotFound) as err:
        log.warning("an import can't go on", id=record.id, error=str(err))
        reason = str(err)
        return await store.run(lambda desk: runs.end(desk, record.id, ImportState.FAILED, reason))
