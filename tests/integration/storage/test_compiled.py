"""What one database had compiled is there for the next one of its kind, and for no other kind."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Select, func, select
from sqlalchemy.engine import Compiled

from crm_core.storage.database import Database
from crm_core.storage.tables import contact

_ASKED = select(contact.c.id, contact.c.name).where(func.lower(contact.c.name) == "анна")


async def compiled(url: str, statement: Select[tuple[int, str]]) -> Compiled:
    """What a statement was compiled to in a database that is opened for it alone."""

    def run(conn: Connection) -> Compiled:
        found = conn.execute(statement).context.compiled
        assert found is not None
        return found

    database = Database(url)
    try:
        return await database.read(run)
    finally:
        await database.stop()


async def test_a_second_database_finds_it_compiled(migrated_url: str) -> None:
    assert await compiled(migrated_url, _ASKED) is await compiled(migrated_url, _ASKED)


async def test_values_are_those_of_whoever_asks(migrated_url: str) -> None:
    async def found(name: str) -> list[str]:
        database = Database(migrated_url)
        values = select(func.lower(name))
        try:
            return list(await database.read(lambda conn: conn.execute(values).scalars().all()))
        finally:
            await database.stop()

    assert [await found("ANNA"), await found("OLEG")] == [["anna"], ["oleg"]]


async def test_each_kind_of_database_has_its_own(furnished_sqlite: str, request: pytest.FixtureRequest) -> None:
    other = request.getfixturevalue("postgres_server").fresh_database(request.getfixturevalue("migrated_postgres"))
    here, there = await compiled(furnished_sqlite, _ASKED), await compiled(other, _ASKED)
    assert here is not there
    assert str(here) != str(there)
    assert (here.dialect.name, there.dialect.name) == ("sqlite", "postgresql")
