"""Bringing a database to the current schema; several processes may try at once.

Alembic is heavy and loaded only where there is something to migrate: most starts find the schema as it should be.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from crm_core.storage.database import Database, take_your_time

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 727001  # any number of our own, the same in every process
_VERSION = "alembic_version"


async def migrate(database: Database) -> str:
    """Migrate to the newest schema; the revision reached. Raises StorageUnavailable."""
    return await database.write(_upgrade)


@cache
def head() -> str | None:
    """The newest revision the program knows, by the names of the scripts: they begin with what they lead to."""
    scripts = (_SCRIPTS / "versions").glob("[0-9]*_*.py")
    return max((path.name.partition("_")[0] for path in scripts), default=None)


def current(conn: Connection) -> str | None:
    """The revision the database is at; None where it is empty."""
    if not inspect(conn).has_table(_VERSION):
        return None
    found: str | None = conn.exec_driver_sql(f"SELECT version_num FROM {_VERSION}").scalar_one_or_none()
    return found


def _upgrade(conn: Connection) -> str:
    take_your_time(conn)
    if conn.dialect.name != "sqlite":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    if (newest := head()) is not None and current(conn) != newest:
        from alembic import command  # here, for see above

        config = configuration()
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
    return newest or ""


def configuration() -> Config:
    """Alembic's configuration."""
    from alembic.config import Config  # here, for see above

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config
