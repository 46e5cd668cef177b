"""An office on each engine, and short ways to bring tables into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crm_core.model.exchange import ImportRecord
from crm_core.model.importing import How, ImportKind, Outcome
from crm_core.services.importing import runs
from hub.exchange.importing import Importer, keep_file, understand
from hub.files import DiskFiles
from tests.integration.http.conftest import world
from tests.integration.storage.world import World, world_on

__all__ = ["Office", "office", "world"]


@dataclass
class Office:
    """The record, a folder for files, and what the last import said."""

    world: World
    files: DiskFiles
    folder: Path
    outcomes: list[Outcome] = field(default_factory=list)

    def file(self, name: str, content: str | bytes) -> Path:
        """A file on disk."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    async def bring(
        self, kind: str, content: str | bytes | Path, *, given: dict[str, str] | None = None, **how: Any
    ) -> dict[str, int]:
        """Bring a table in; the counts."""
        path = content if isinstance(content, Path) else self.file("table.csv", content)
        record = await self.begun(kind, path, given=given, **how)
        opened = await understand(self.world.store, path, ImportKind(kind), How(**how), given or {}, how.get("system"))
        self.outcomes = []

        def told(_lines: Sequence[Any], outcomes: Sequence[Outcome]) -> None:
            self.outcomes.extend(outcomes)

        done = await Importer(self.world.store, opened.plan, runs.how_of(record), told).run(record, opened.table.lines)
        return {name: count for name, count in done.counts.items() if count}

    async def begun(self, kind: str, path: Path, *, given: dict[str, str] | None = None, **how: Any) -> ImportRecord:
        """An import that waits."""
        store = self.world.store
        opened = await understand(
            store, path, ImportKind(kind), How(author="root", **how), given or {}, how.get("system")
        )
        sha256 = await keep_file(self.files, path)
        return await store.run(
            lambda desk: runs.begin(
                desk, ImportKind(kind), path.name, sha256, opened.plan, opened.how, opened.table.total
            )
        )

    async def try_out(self, kind: str, content: str, **how: Any) -> list[Outcome]:
        """What would become of the lines."""
        path = self.file("table.csv", content)
        opened = await understand(self.world.store, path, ImportKind(kind), How(dry_run=True, **how), {}, None)
        return [each async for each in Importer(self.world.store, opened.plan, opened.how).rehearse(opened.table.lines)]

    async def ask(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of the record."""
        return await self.world.store.read(lambda conn: [tuple(row) for row in conn.execute(text(sql), values)])


@pytest.fixture
async def office(migrated_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with world_on(migrated_url) as made:
        yield Office(made, DiskFiles(tmp_path / "files"), tmp_path)
