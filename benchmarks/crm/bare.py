"""The bare statements: what somebody would write by hand who knows this one question, straight to the driver."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from benchmarks.crm.loading import postgres_connection, sqlite_connection

Answer = list[Any]


@dataclass(frozen=True, slots=True)
class Bare:
    """One connection of one driver. Parameters are written `$1` for both."""

    postgres: asyncpg.Connection | None
    sqlite: sqlite3.Connection | None

    async def fetch(self, sql: str, *values: Any) -> Answer:
        """All rows of a statement."""
        if self.postgres is not None:
            return await self.postgres.fetch(sql, *values)
        assert self.sqlite is not None
        return self.sqlite.execute(sql.replace("$", "?"), values).fetchall()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """What is written within is committed at its end."""
        if self.postgres is not None:
            async with self.postgres.transaction():
                yield
            return
        assert self.sqlite is not None
        self.sqlite.execute("BEGIN IMMEDIATE")
        yield
        self.sqlite.execute("COMMIT")


@asynccontextmanager
async def bare_on(url: str) -> AsyncIterator[Bare]:
    """A connection to the database of a URL."""
    if url.startswith("sqlite"):
        conn = sqlite_connection(url)
        yield Bare(None, conn)
        conn.close()
        return
    other = await postgres_connection(url)
    yield Bare(other, None)
    await other.close()


_NEWEST = "occurred_at DESC, sequence DESC, id DESC"
_CARD = "SELECT * FROM contact WHERE id = $1"
_IDENTITIES = "SELECT * FROM identity WHERE contact_id = $1 ORDER BY created_at, key"
_ENTRIES = f"""
SELECT t.*, c.* FROM (SELECT * FROM timeline WHERE contact_id = $1 ORDER BY {_NEWEST} LIMIT $2) AS t
LEFT JOIN call AS c ON c.id = t.call_id ORDER BY t.occurred_at DESC, t.sequence DESC, t.id DESC
"""
_FILES = f"""
SELECT a.* FROM (SELECT id FROM timeline WHERE contact_id = $1 ORDER BY {_NEWEST} LIMIT $2) AS t
JOIN attachment AS a ON a.entry_id = t.id
"""


async def card(bare: Bare, contact_id: int, limit: int) -> int:
    """A client, their identities, the last entries with calls and files; how many entries."""
    await bare.fetch(_CARD, contact_id)
    await bare.fetch(_IDENTITIES, contact_id)
    found = await bare.fetch(_ENTRIES, contact_id, limit)
    await bare.fetch(_FILES, contact_id, limit)
    return len(found)


async def board(bare: Bare, pipeline_id: int, stages: Sequence[int], limit: int) -> int:
    """What stands on the stages of a pipeline, and the first cards of each; how many cards."""
    on = "pipeline_id = $1 AND closed_at IS NULL AND deleted_at IS NULL"
    await bare.fetch(
        f"SELECT stage_id, currency, sum(amount), count(*) FROM deal WHERE {on} GROUP BY stage_id, currency",
        pipeline_id,
    )
    parts = " UNION ALL ".join(
        f"SELECT * FROM (SELECT * FROM deal WHERE {on} AND stage_id = {stage} ORDER BY updated_at DESC, id DESC"
        f" LIMIT {limit}) AS s{stage}"
        for stage in stages
    )
    return len(await bare.fetch(parts, pipeline_id))


async def deals_by_fields(bare: Bare, fields: Sequence[int], values: Sequence[str], limit: int) -> int:
    """The newest deals with two values of fields, with their places; how many."""
    sql = (
        "SELECT d.*, p.name, s.name FROM field_value AS a JOIN field_value AS b ON b.subject_id = a.subject_id"
        " JOIN deal AS d ON d.id = a.subject_id JOIN pipeline AS p ON p.id = d.pipeline_id"
        " JOIN stage AS s ON s.id = d.stage_id WHERE a.field_id = $1 AND a.text_key = $2 AND b.field_id = $3"
        f" AND b.text_key = $4 AND d.deleted_at IS NULL ORDER BY a.subject_id DESC LIMIT {limit}"
    )
    return len(await bare.fetch(sql, fields[0], values[0], fields[1], values[1]))


async def contacts_by_fields(bare: Bare, fields: Sequence[int], values: Sequence[str], limit: int) -> int:
    """The newest clients with two values of fields, and their identities; how many."""
    sql = (
        "SELECT c.* FROM field_value AS a JOIN field_value AS b ON b.subject_id = a.subject_id"
        " JOIN contact AS c ON c.id = a.subject_id WHERE a.field_id = $1 AND a.text_key = $2 AND b.field_id = $3"
        " AND b.text_key = $4 AND c.deleted_at IS NULL AND c.merged_into IS NULL"
        f" ORDER BY a.subject_id DESC LIMIT {limit}"
    )
    found = await bare.fetch(sql, fields[0], values[0], fields[1], values[1])
    return await _with_identities(bare, found)


async def search(bare: Bare, typed: str, limit: int) -> int:
    """The newest clients whose text holds one word, by the index of three-letter pieces; how many."""
    alive = f"c.search LIKE $1 AND c.deleted_at IS NULL AND c.merged_into IS NULL ORDER BY c.id DESC LIMIT {limit}"
    pattern = f"%{typed}%"
    if bare.sqlite is not None:
        inner = "SELECT rowid FROM contact_search WHERE contact_search MATCH $2"
        found = await bare.fetch(
            f"SELECT c.* FROM contact AS c WHERE c.id IN ({inner}) AND {alive}", pattern, f'"{typed}"'
        )
    else:
        pieces = sorted({typed[start : start + 3] for start in range(len(typed) - 2)})
        indexed = "hub_trigrams(c.search) @> $2::text[]"
        found = await bare.fetch(f"SELECT c.* FROM contact AS c WHERE {indexed} AND {alive}", pattern, pieces)
    return await _with_identities(bare, found)


async def _with_identities(bare: Bare, contacts: Sequence[Any]) -> int:
    ids = [each[0] for each in contacts]
    if not ids:
        return 0
    among = ", ".join(map(str, ids))
    await bare.fetch(f"SELECT * FROM identity WHERE contact_id IN ({among}) ORDER BY created_at, key")
    return len(ids)
