"""A node that stands still in the middle of a transaction holds nobody up for long."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from crm_core.errors import ConcurrentChange, StorageUnavailable
from crm_core.storage import leases
from crm_core.storage.database import Connection, Database, take_your_time
from crm_core.storage.errors import translated
from crm_core.storage.migrate import migrate
from tests.patience import PATIENCE_S
from tests.peers.postgres import PostgresServer

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


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("how", ["read", "write"])
async def test_who_stood_still_begins_anew(
    postgres_server: PostgresServer, postgres_url: str, how: str, asked: bool
) -> None:
    """Between two statements, or while the answer to one lay unread with the end of the connection behind it."""
    database = Database(postgres_url, idle_s=0.2)
    tries: list[int] = []

    def work(conn: Connection) -> int:
        pid = int(conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        tries.append(pid)
        if len(tries) == 1:
            if asked:
                asyncio.get_running_loop().call_soon(_stand_still, postgres_server, pid)
                conn.exec_driver_sql("SELECT 1").all()
            else:
                _stand_still(postgres_server, pid)
        return int(conn.exec_driver_sql("SELECT 2").scalar_one())

    # Of a query without a transaction there is nothing that PostgreSQL would take back.
    assert await (database.read(work, at_length=True) if how == "read" else database.write(work)) == 2
    assert len(tries) == 2
    await database.stop()


async def test_who_stood_still_before_the_commit_begins_anew(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    database = Database(postgres_url, idle_s=0.2)
    await database.write(lambda conn: conn.exec_driver_sql("CREATE TABLE done (pid integer)"))
    tries: list[int] = []

    def work(conn: Connection) -> None:
        pid = int(conn.exec_driver_sql("INSERT INTO done VALUES (pg_backend_pid()) RETURNING pid").scalar_one())
        tries.append(pid)
        if len(tries) == 1:
            _stand_still(postgres_server, pid)

    await database.write(work)
    kept = await database.read(lambda conn: conn.exec_driver_sql("SELECT pid FROM done").scalars().all())
    assert list(kept) == tries[1:]
    assert len(tries) == 2
    await database.stop()


def _stand_still(server: PostgresServer, pid: int) -> None:
    """Hold the whole loop until PostgreSQL has ended the session."""
    deadline = time.monotonic() + PATIENCE_S
    while server.sql(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}").strip():
        assert time.monotonic() < deadline


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
