"""How many connections a node opens to PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from hub.bootstrap import build
from tests.integration.http.world import settings_for

_MINE = "SELECT count(*), pg_sleep(0.02) FROM pg_stat_activity WHERE datname = current_database()"


def _seen(conn: Connection) -> int:
    return int(conn.exec_driver_sql(_MINE).scalar_one())


async def test_a_node_opens_no_more_than_it_may_and_whoever_asks_waits(postgres_url: str, tmp_path: Path) -> None:
    hub = build(replace(settings_for(postgres_url, tmp_path), database_connections=4), connectors={})
    await hub.start()
    seen = await asyncio.gather(*(hub.store.read(_seen) for _ in range(40)))
    await hub.stop()
    assert max(seen) == 4
