"""Bringing a database to the current schema; several processes may try at once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from crm_core.storage.database import Database, take_your_time

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 727001  # any number of our own, the same in every process


async def migrate(database: Database) -> str:
    """Migrate to the newest schema; the revision reached. Raises StorageUnavailable."""
    return await database.write(_upgrade)


@cache
def head() -> str | None:
    """The newest revision the program knows; the scripts are read once."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def current(conn: Connection) -> str | None:
    """The revision the database is at; None where it is empty."""
    return MigrationContext.configure(conn).get_current_revision()


def _upgrade(conn: Connection) -> str:
    take_your_time(conn)
    if conn.dialect.name != "sqlite":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    if (newest := head()) is not None and current(conn) != newest:
        config = configuration()
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
    return newest or ""


def configuration() -> Config:
    """Alembic's configuration."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config
