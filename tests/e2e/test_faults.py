"""What was acknowledged is there exactly once, whatever happens to the hub or its database in between."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from crm_core.storage.database import Connection, Database
from tests.e2e.hub_process import HubProcess
from tests.patience import PATIENCE_S
from tests.peers.postgres import PostgresServer

CONFIG = """
[[web]]
name = "site"
key = "secret"
"""
BURST = 300
SENDERS = 20


@pytest.fixture
async def hub(migrated_url: str, tmp_path: Path) -> AsyncIterator[HubProcess]:
    process = HubProcess(tmp_path, migrated_url, CONFIG)
    await process.start()
    yield process
    await process.kill()


def form(number: int) -> dict[str, str]:
    return {"submission_id": f"form-{number}", "phone": f"+7916{number:07}", "message": f"вопрос {number}"}


async def post(session: aiohttp.ClientSession, hub: HubProcess, number: int) -> int | None:
    """The status of the answer; None where there was none."""
    try:
        async with session.post(f"{hub.url}/in/web/site?key=secret", json=form(number)) as response:
            await response.read()
            return response.status
    except (aiohttp.ClientError, ConnectionError):
        return None


async def counts(url: str) -> dict[str, int]:
    def read(conn: Connection) -> dict[str, int]:
        return {
            table: int(conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())
            for table in ("journal", "contact", "lead", "contact_case")
        } | {"form": int(conn.exec_driver_sql("SELECT count(*) FROM timeline WHERE kind = 'form'").scalar_one())}

    database = Database(url)
    try:
        return await database.read(read)
    finally:
        await database.stop()


async def ids(url: str) -> set[str]:
    database = Database(url)
    try:
        rows = await database.read(lambda conn: conn.exec_driver_sql("SELECT text FROM timeline").all())
    finally:
        await database.stop()
    return {str(row[0]).split("\n")[0] for row in rows}


@pytest.mark.timeout(600)
async def test_a_killed_hub_loses_nothing_that_it_acknowledged(hub: HubProcess, migrated_url: str) -> None:
    acknowledged: set[int] = set()
    numbers = itertools.count(1)
    enough = asyncio.Event()

    async def sender(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            if await post(session, hub, number) != 200:
                return
            acknowledged.add(number)
            if len(acknowledged) >= BURST:
                enough.set()

    async with aiohttp.ClientSession() as session:
        senders = [asyncio.create_task(sender(session)) for _ in range(SENDERS)]
        await enough.wait()
        await hub.kill()  # while the senders go on
        await asyncio.gather(*senders)
    assert len(acknowledged) >= BURST
    sent = next(numbers) - 1

    await hub.start()
    there = await ids(migrated_url)
    assert {f"вопрос {number}" for number in acknowledged} <= there
    # The provider repeats everything, acknowledged or not: each is there exactly once.
    async with aiohttp.ClientSession() as session:
        for number in range(1, sent + 1):
            assert await post(session, hub, number) == 200
    found = await counts(migrated_url)
    assert found == dict.fromkeys(found, sent)


@pytest.mark.timeout(600)
async def test_a_stopped_hub_ends_in_good_order(hub: HubProcess, migrated_url: str) -> None:
    async with aiohttp.ClientSession() as session:
        senders = [asyncio.create_task(post(session, hub, number)) for number in range(1, 101)]
        done, _ = await asyncio.wait(senders, return_when=asyncio.FIRST_COMPLETED)
        assert done
        assert await hub.stop() == 0
        statuses = await asyncio.gather(*senders)
    acknowledged = statuses.count(200)
    assert acknowledged
    assert set(statuses) <= {200, 503, None}
    assert (await counts(migrated_url))["journal"] >= acknowledged


@pytest.mark.timeout(600)
async def test_while_the_database_is_away_nothing_is_acknowledged(own_postgres: PostgresServer, tmp_path: Path) -> None:
    url = own_postgres.fresh_database()
    hub = HubProcess(tmp_path, url, CONFIG)
    await hub.start()
    try:
        async with aiohttp.ClientSession() as session:
            assert await post(session, hub, 1) == 200
            own_postgres.kill()
            for number in range(2, 12):
                assert await post(session, hub, number) == 503
            async with session.get(f"{hub.url}/readyz") as response:
                assert response.status == 503
            async with session.get(f"{hub.url}/healthz") as response:
                assert response.status == 200
            own_postgres.start()
            async with asyncio.timeout(PATIENCE_S):
                for number in range(2, 12):
                    while await post(session, hub, number) != 200:  # noqa: ASYNC110 — as a provider repeats
                        await asyncio.sleep(0.1)
        found = await counts(url)
        assert found == dict.fromkeys(found, 11)
    finally:
        await hub.kill()
