"""Write a migration from what the tables say and the migrations do not yet.

Use: `python -m crm_core.storage.revise "Add …" 0002`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from crm_core.storage.database import Database
from crm_core.storage.migrate import configuration, migrate


async def revise(message: str, number: str) -> None:
    """Compare on an embedded database that has all migrations so far."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{Path(folder) / 'schema.sqlite3'}")
        await migrate(database)

        def compare(conn: Connection) -> None:
            config = configuration()
            config.attributes["connection"] = conn
            command.revision(config, message, autogenerate=True, rev_id=number)

        await database.write(compare)
        await database.stop()


if __name__ == "__main__":
    asyncio.run(revise(sys.argv[1], sys.argv[2]))
