"""Writing rows by the million: indexes and references are taken away before and built anew behind."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

import asyncpg
from sqlalchemy.engine import make_url

from benchmarks.crm.data import NEXT_ID, Rows

Told = Callable[[str], None]
_HOURS = 3 * 3600


async def postgres_connection(url: str) -> asyncpg.Connection:
    """The bare driver, on the database of a URL; patient."""
    parts = make_url(url)
    return await asyncpg.connect(
        host=parts.host,
        port=parts.port,
        user=parts.username,
        database=parts.database,
        command_timeout=_HOURS,
        server_settings={"jit": "off"},
    )


def sqlite_connection(url: str) -> sqlite3.Connection:
    """The bare driver, on the file of a URL, with the hub's own settings."""
    conn = sqlite3.connect(make_url(url).database or "", isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("PRAGMA cache_size=-65536")
    return conn


async def fill(url: str, rows: Rows, tell: Told) -> None:
    """Fill a migrated database; says how long each table took."""
    if rows.dialect.sqlite:
        _fill_sqlite(url, rows, tell)
    else:
        await _fill_postgres(url, rows, tell)


async def _fill_postgres(url: str, rows: Rows, tell: Told) -> None:
    conn = await postgres_connection(url)
    began = time.perf_counter()
    # No triggers: every reference is sound by the way it is made.
    await conn.execute("SET session_replication_role = replica; SET synchronous_commit = off")
    await conn.execute("SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'")
    tables = list(dict.fromkeys(table for table, _ in rows.statements()))
    rebuilt: list[str] = []
    for table in tables:
        for name, made in await conn.fetch(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'u'"
            " AND conrelid = $1::text::regclass",
            table,
        ):
            await conn.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
            rebuilt.append(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {made}')
        for name, made in await conn.fetch(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = $1::text::regclass AND NOT indisprimary",
            table,
        ):
            await conn.execute(f"DROP INDEX {name}")
            rebuilt.append(made)
    for table, statement in rows.statements():
        start = time.perf_counter()
        done = await conn.execute(statement)
        tell(f"{table}: {int(done.split()[-1]):,} rows in {time.perf_counter() - start:.0f} s")
    start = time.perf_counter()
    for statement in rebuilt:
        await conn.execute(statement)
    tell(f"{len(rebuilt)} indexes in {time.perf_counter() - start:.0f} s")
    await conn.execute("SELECT setval('hub_id', $1::bigint)", NEXT_ID)
    await conn.execute("UPDATE feed_position SET position = $1", rows.size.entries + 1000)
    await conn.execute("VACUUM (ANALYZE)")
    await conn.execute("CHECKPOINT")
    size = await conn.fetchval("SELECT pg_database_size(current_database())")
    await conn.close()
    tell(f"{rows.size}: {size / 2**30:.1f} GB in {time.perf_counter() - began:.0f} s")


def _fill_sqlite(url: str, rows: Rows, tell: Told) -> None:
    conn = sqlite_connection(url)
    began = time.perf_counter()
    conn.execute("PRAGMA synchronous=OFF")
    tables = list(dict.fromkeys(table for table, _ in rows.statements()))
    marks = ", ".join("?" for _ in tables)
    dropped = conn.execute(
        f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})",
        tables,
    ).fetchall()
    for name, _ in dropped:
        conn.execute(f'DROP INDEX "{name}"')
    conn.execute("BEGIN")
    for table, statement in rows.statements():
        start = time.perf_counter()
        done = conn.execute(statement)
        tell(f"{table}: {done.rowcount:,} rows in {time.perf_counter() - start:.0f} s")
    for _, made in dropped:
        conn.execute(made)
    conn.execute("UPDATE id_block SET next = ? WHERE name = 'id'", (NEXT_ID,))
    conn.execute("UPDATE feed_position SET position = ?", (rows.size.entries + 1000,))
    conn.execute("COMMIT")
    conn.execute("ANALYZE")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages, each = (conn.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    conn.close()
    tell(f"{rows.size}: {pages * each / 2**30:.1f} GB in {time.perf_counter() - began:.0f} s")
