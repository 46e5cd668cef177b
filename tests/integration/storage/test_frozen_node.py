"""A node that stands still in the middle of a transaction holds nobody up for long."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from crm_core.errors import ConcurrentChange, StorageUnavailable
from crm_core.storage import leases
from crm_core.storage.database import Connection, Database, take_your_time
from crm_core.storage.errors import translated
from crm_core.storage.migrate import migrate
from tests.patience import PATIENCE_S

LONG = timedelta(minutes=5)


async def test_what_it_has_locked_is_free_again(postgres_url: str) -> None:
    frozen, other = Database(postgres_url, idle_s=0.2), Database(postgres_url)
    await migrate(other)
    await other.write(lambda conn: leases.acquire(conn, "poll", "a", LONG))
    engine = frozen._async_engine
    assert engine is not None
    conn = await engine.connect()
    try:
        await conn.run_sync(lambda sync: sync.exec_driver_sql("SELECT * FROM lease FOR UPDATE").all())
        async with asyncio.timeout(PATIENCE_S):
            await other.write(lambda sync: leases.release(sync, "poll", "a"))
        # it wakes up, and its work begins anew
        with pytest.raises((ConcurrentChange, StorageUnavailable)), translated():
            await conn.run_sync(lambda sync: sync.exec_driver_sql("SELECT 1").all())
    finally:
        await conn.invalidate()
        await conn.close()
    assert await frozen.write(lambda sync: leases.acquire(sync, "poll", "b", LONG)) is not None
    await frozen.stop()
    await other.stop()


async def test_a_transaction_is_bounded_a_migration_is_not(postgres_url: str) -> None:
    database = Database(postgres_url)
    found = await database.read(
        lambda conn: conn.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one()
    )
    assert found == "8s"
    whole = await database.read(lambda conn: conn.exec_driver_sql("SHOW transaction_timeout").scalar_one())
    assert whole == "30s"
    lifted = await database.write(_lifted)
    assert lifted == "0"
    assert await database.read(lambda conn: conn.exec_driver_sql("SHOW transaction_timeout").scalar_one()) == "30s"
    await database.stop()


def _lifted(conn: Connection) -> str:
    take_your_time(conn)
    return str(conn.exec_driver_sql("SHOW transaction_timeout").scalar_one())
