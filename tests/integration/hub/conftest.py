"""A record and the parts around it, on each engine, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.hub.world import World, add_people


@pytest.fixture
async def world(migrated_url: str) -> AsyncIterator[World]:
    world = World(migrated_url)
    await add_people(world.store())
    yield world
    for store in world.stores:
        await store.database.stop()
