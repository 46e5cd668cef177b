"""A table of somebody else: read whatever its types are, in pieces, never written, its password never told."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from crm_core.errors import StorageUnavailable
from crm_core.storage import foreign
from crm_core.storage.foreign import ForeignTable
from tests.patience import PATIENCE_S
from tests.peers.postgres import PostgresServer

START = datetime(2026, 11, 22, tzinfo=UTC)
COLUMNS = ("calldate", "src", "end")


async def _all(table: ForeignTable, hours: int = 48) -> list[Mapping[str, Any]]:
    pieces = table.between(COLUMNS, "calldate", START, START + timedelta(hours=hours))
    return [row async for piece in pieces for row in piece]


async def _postgres(url: str, kind: str, rows: int, schema: str = "public") -> str:
    plain = url.replace("+asyncpg", "")
    conn = await asyncpg.connect(plain)
    await conn.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    await conn.execute(f'CREATE TABLE {schema}.cdr (calldate {kind}, src varchar(80), "end" {kind})')
    await conn.execute(
        f"INSERT INTO {schema}.cdr SELECT (timestamp '2026-11-22' + n * interval '1 minute')::{kind}, n::text, NULL"
        f" FROM generate_series(0, {rows - 1}) AS n"
    )
    await conn.close()
    return plain


def _sqlite(path: Path, rows: int) -> str:
    with sqlite3.connect(path) as conn:
        conn.execute('CREATE TABLE cdr (calldate TEXT, src TEXT, "end" TEXT)')
        times = [(f"{START + timedelta(minutes=n):%Y-%m-%d %H:%M:%S}", str(n), None) for n in range(rows)]
        conn.executemany("INSERT INTO cdr VALUES (?, ?, ?)", times)
    conn.close()
    return f"sqlite:///{path}"


@pytest.mark.parametrize("kind", ["timestamp", "timestamptz", "text"])
async def test_a_table_of_postgresql(postgres_url: str, kind: str) -> None:
    table = ForeignTable(await _postgres(postgres_url, kind, 200), "cdr")
    assert await table.columns() == {"calldate", "src", "end"}
    assert [row["src"] for row in await _all(table)] == [str(number) for number in range(200)]
    assert len(await _all(table, hours=1)) == 60


async def test_a_table_in_a_schema(postgres_url: str) -> None:
    table = ForeignTable(await _postgres(postgres_url, "timestamp", 3, "asterisk"), "asterisk.cdr")
    assert len(await _all(table)) == 3


async def test_a_table_of_sqlite(tmp_path: Path) -> None:
    table = ForeignTable(_sqlite(tmp_path / "cdr.db", 200), "cdr")
    assert [row["src"] for row in await _all(table)] == [str(number) for number in range(200)]
    assert len(await _all(table, hours=1)) == 60


async def test_more_than_fits_comes_in_smaller_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "_MOST_ROWS", 7)
    table = ForeignTable(_sqlite(tmp_path / "cdr.db", 200), "cdr")
    sizes = [len(piece) async for piece in table.between(COLUMNS, "calldate", START, START + timedelta(days=1))]
    assert sum(sizes) == 200
    assert max(sizes) <= 7


async def test_nothing_can_be_written(postgres_url: str, tmp_path: Path) -> None:
    for url in (await _postgres(postgres_url, "timestamp", 1), _sqlite(tmp_path / "cdr.db", 1)):
        table = ForeignTable(url, "cdr")
        with pytest.raises(StorageUnavailable, match=r"read-?only"):
            await table._run(lambda conn: conn.exec_driver_sql("DELETE FROM cdr"))


async def test_what_is_wrong_is_told_without_the_password(own_postgres: PostgresServer, tmp_path: Path) -> None:
    url = own_postgres.url().replace("+asyncpg", "").replace("@", ":s3cret@")
    with pytest.raises(StorageUnavailable, match="there is no table cdr") as caught:
        await ForeignTable(url, "cdr").columns()
    assert "s3cret" not in str(caught.value)
    own_postgres.kill()
    with pytest.raises(StorageUnavailable) as caught:
        await ForeignTable(url, "cdr").columns()
    assert "s3cret" not in str(caught.value)
    with pytest.raises(StorageUnavailable):
        await ForeignTable(f"sqlite:///{tmp_path}/none.db", "cdr").columns()
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("url", ["nonsense", "oracle://h/d", "mongodb://h/d"])
def test_what_is_no_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        ForeignTable(url, "cdr")


async def test_mysql_is_asked_by_its_own_driver() -> None:
    """Nobody listens there: the driver says so in time, and the password stays out of it."""
    table = ForeignTable("mysql://hub:s3cret@127.0.0.1:1/asteriskcdrdb", "cdr")
    assert table.name == "cdr of mysql://hub:***@127.0.0.1:1/asteriskcdrdb"
    with pytest.raises(StorageUnavailable) as caught:
        async with asyncio.timeout(PATIENCE_S):
            await table.columns()
    assert "s3cret" not in str(caught.value)
