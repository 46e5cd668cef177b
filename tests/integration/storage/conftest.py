"""A world on each engine in turn, and two of them on one database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm_core.storage.database import Database
from crm_core.storage.store import Store
from tests.integration.storage.world import OFFICE, POLICIES, World, world_on


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """An office on an empty database."""
    async with world_on(database_url) as made:
        yield made


@pytest.fixture
async def sqlite_world(tmp_path: Path) -> AsyncIterator[World]:
    """An office on the embedded engine alone, for tests of many cases."""
    async with world_on(f"sqlite+aiosqlite:///{tmp_path / 'hub.sqlite3'}") as made:
        yield made


@pytest.fixture
async def second(world: World, database_url: str) -> AsyncIterator[World]:
    """Another process's view of the same office: connections of its own, the same clock."""
    database = Database(database_url)
    yield World(Store(database, world.clock, OFFICE, POLICIES), world.clock)
    await database.stop()
