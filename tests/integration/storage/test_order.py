"""The outcome is the same in whatever order facts arrive, in whatever batches, and however often."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from crm_core.storage import tables
from crm_core.storage.database import Database
from crm_core.storage.store import Store
from tests.fakes.clock import START, DrivenClock
from tests.integration.storage.histories import History, history, in_order, outcome, shuffled
from tests.integration.storage.world import OFFICE, POLICIES, World, world_on

FreshWorld = Callable[[], AbstractAsyncContextManager[World]]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a migrated, staffed and empty database lies, to be copied."""
    return tmp_path_factory.mktemp("template") / "hub.sqlite3"


@pytest.fixture
async def fresh(template: Path, tmp_path: Path) -> FreshWorld:
    """Makes an empty world in no time."""
    if not template.exists():
        async with world_on(f"sqlite+aiosqlite:///{template}"):
            pass
    numbers = count()

    @asynccontextmanager
    async def make() -> AsyncIterator[World]:
        path = tmp_path / f"{next(numbers)}.sqlite3"
        shutil.copy(template, path)
        database = Database(f"sqlite+aiosqlite:///{path}")
        clock = DrivenClock()
        try:
            yield World(Store(database, clock, OFFICE, POLICIES), clock)
        finally:
            await database.stop()
            path.unlink()

    return make


async def same_both_ways(fresh: FreshWorld, story: History, random: Random) -> None:
    async with fresh() as world:
        await in_order(world, story)
        expected = await outcome(world)
    async with fresh() as world:
        await shuffled(world, story, random)
        assert await outcome(world) == expected


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(random=st.randoms(use_true_random=False), with_replies=st.booleans())
async def test_any_order_and_batching_gives_the_same_outcome(
    fresh: FreshWorld, random: Random, with_replies: bool
) -> None:
    await same_both_ways(fresh, history(random, with_replies=with_replies), random)


@pytest.mark.parametrize("seed", range(8))
async def test_on_postgresql_too(postgres_url: str, seed: int) -> None:
    random = Random(seed)
    story = history(random, with_replies=True)
    async with world_on(postgres_url) as world:
        await in_order(world, story)
        expected = await outcome(world)
        await world.store.database.write(_forget_everything)
        world.clock.set(START)
        await shuffled(world, story, random)
        assert await outcome(world) == expected


def _forget_everything(conn: Connection) -> None:
    kept = {"app_user", "user_group", "revision", "feed_position", "id_block"}
    names = ", ".join(f'"{table.name}"' for table in tables.metadata.sorted_tables if table.name not in kept)
    conn.exec_driver_sql(f"TRUNCATE {names}")
