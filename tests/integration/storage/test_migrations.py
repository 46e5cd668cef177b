"""The schema on both engines: from nothing to the newest, by several processes at once, back, and as the tables say."""

from __future__ import annotations

import asyncio

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from crm_core.storage.database import Database
from crm_core.storage.migrate import configuration, current, head, migrate
from crm_core.storage.tables import metadata


async def test_up_from_nothing_twice_and_at_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(3)]
    try:
        reached = await asyncio.gather(*(migrate(database) for database in databases))
        assert reached == [head()] * 3
        assert await migrate(databases[0]) == head()
        assert await databases[0].read(current) == head()
        rows = await databases[0].read(lambda conn: conn.exec_driver_sql("SELECT position FROM feed_position").all())
        assert [tuple(row) for row in rows] == [(0,)]
    finally:
        for database in databases:
            await database.stop()


async def test_the_migrations_make_what_the_tables_say(database_url: str) -> None:
    database = Database(database_url)
    try:
        await migrate(database)
        differences = await database.read(_differences)
    finally:
        await database.stop()
    assert differences == []


async def test_back_to_nothing_and_up_again(database_url: str) -> None:
    database = Database(database_url)
    try:
        await migrate(database)
        await database.write(_downgrade)
        assert await database.read(lambda conn: inspect(conn).get_table_names()) == ["alembic_version"]
        assert await database.read(current) is None
        assert await migrate(database) == head()
    finally:
        await database.stop()


def _differences(conn: Connection) -> list[object]:
    found: list[object] = compare_metadata(MigrationContext.configure(conn), metadata)
    return found


def _downgrade(conn: Connection) -> None:
    config = configuration()
    config.attributes["connection"] = conn
    command.downgrade(config, "base")
