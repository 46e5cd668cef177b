"""A world on each engine in turn, and two of them on one database."""

from collections.abc import AsyncIterator

import pytest

from crm_core.storage.database import Database
from crm_core.storage.store import Store
from tests.integration.storage.world import OFFICE, POLICIES, World, world_on


@pytest.fixture
async def world(migrated_url: str) -> AsyncIterator[World]:
    """An office on a database without content."""
    async with world_on(migrated_url) as made:
        yield made


@pytest.fixture
async def sqlite_world(furnished_sqlite: str) -> AsyncIterator[World]:
    """An office on the embedded engine alone, for tests of many cases."""
    async with world_on(furnished_sqlite) as made:
        yield made


@pytest.fixture
async def second(world: World, migrated_url: str) -> AsyncIterator[World]:
    """Another process's view of the same office: connections of its own, the same clock."""
    database = Database(migrated_url)
    yield World(Store(database, world.clock, OFFICE, POLICIES), world.clock)
    await database.stop()
