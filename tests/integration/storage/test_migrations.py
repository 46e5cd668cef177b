"""The schema on both engines: from nothing to the newest, by several processes at once, back, and as the tables say."""

from __future__ import annotations

import asyncio

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select

from crm_core.storage.database import Database
from crm_core.storage.migrate import configuration, current, head, migrate
from crm_core.storage.migrations import search_index
from crm_core.storage.searching import titled
from crm_core.storage.tables import document, metadata, task


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


def test_the_newest_script_is_what_all_others_lead_to() -> None:
    assert head() == ScriptDirectory.from_config(configuration()).get_current_head()


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


async def test_mails_are_named_without_their_conversation(database_url: str) -> None:
    mails = [("a@b.example", "<1@b>"), ("c@d.example", "<1@b>"), ("a@b.example", "<2@b>")]
    mails += [("a@b.example", "<3@b>"), ("", "<3@b>")]

    def prepare(conn: Connection) -> None:
        conn.exec_driver_sql(
            "INSERT INTO contact (id, name, created_at, updated_at, search, fields, tags, marks)"
            f" VALUES (1, '', {_NOW[conn.dialect.name]}, {_NOW[conn.dialect.name]}, '', '{{}}', '[]', '{{}}')"
        )
        for number, (conversation, ref) in enumerate(mails, start=1):
            conn.exec_driver_sql(
                "INSERT INTO timeline (id, seq, contact_id, kind, direction, occurred_at, sequence, recorded_at,"
                " channel, account, conversation, ref, text, subject, quoted, author, by_person, versions)"
                f" VALUES ({number}, {number}, 1, 'email', 'in', {_NOW[conn.dialect.name]}, 0,"
                f" {_NOW[conn.dialect.name]}, 'email', 'sales', '{conversation}', 'email:sales:{conversation}:{ref}',"
                " '', '', '', '', false, '[]')"
            )

    def refs(conn: Connection) -> list[str]:
        return [row[0] for row in conn.exec_driver_sql("SELECT ref FROM timeline ORDER BY id")]

    database = Database(database_url)
    try:
        await migrate(database)
        await database.write(lambda conn: _command(conn, "downgrade", "0002"))
        await database.write(prepare)
        await database.write(lambda conn: _command(conn, "upgrade", "head"))
        named = await database.read(refs)
        await database.write(lambda conn: _command(conn, "downgrade", "0002"))
        before = await database.read(refs)
    finally:
        await database.stop()
    assert named[:3] == ["email:sales::<1@b>", "email:sales:c@d.example:<1@b>", "email:sales::<2@b>"]
    assert named[3:] == ["email:sales:a@b.example:<3@b>", "email:sales::<3@b>"]
    assert before == [f"email:sales:{conversation}:{ref}" for conversation, ref in mails]


async def test_titles_of_before_are_found_by_their_words(database_url: str) -> None:
    def prepare(conn: Connection) -> None:
        at = _NOW[conn.dialect.name]
        conn.exec_driver_sql(
            "INSERT INTO task (id, title, state, created_at, updated_at, author, text, kind, result, checklist, fields,"
            " tags, version)"
            f" VALUES (1, 'Замер: ЛОДЖИЯ', 'open', {at}, {at}, 'ivan', '', '', '', '[]', '{{}}', '[]', 1)"
        )
        conn.exec_driver_sql(
            "INSERT INTO document (id, template, number, title, created_at, author, name, content_type, size, sha256)"
            f" VALUES (2, 'Счёт', 17, 'Счёт', {at}, 'ivan', 'a.pdf', 'application/pdf', 1, 'a')"
        )

    def found(conn: Connection) -> list[list[int]]:
        asked = ((task, "лодж зам"), (document, "счёт 17"), (document, "счёт 18"), (task, "оджия"))
        statements = [(table, titled(table, typed)) for table, typed in asked]
        return [[row.id for row in conn.execute(select(t.c.id).where(c))] for t, c in statements if c is not None]

    database = Database(database_url)
    try:
        await migrate(database)
        await database.write(lambda conn: _command(conn, "downgrade", "0005"))
        await database.write(prepare)
        await database.write(lambda conn: _command(conn, "upgrade", "head"))
        assert await database.read(found) == [[1], [2], [], []]
    finally:
        await database.stop()


_NOW = {"sqlite": "1700000000000000", "postgresql": "now()"}


def _command(conn: Connection, direction: str, revision: str) -> None:
    config = configuration()
    config.attributes["connection"] = conn
    getattr(command, direction)(config, revision)


def _differences(conn: Connection) -> list[object]:
    found: list[object] = compare_metadata(
        MigrationContext.configure(conn, opts={"include_name": search_index.is_known}), metadata
    )
    return found


def _downgrade(conn: Connection) -> None:
    config = configuration()
    config.attributes["connection"] = conn
    command.downgrade(config, "base")
