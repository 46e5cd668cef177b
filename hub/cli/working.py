"""What every command needs: the settings, a database that is at the current schema, a loop to run in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from crm_core.errors import CoreError
from crm_core.storage.database import Database
from crm_core.storage.migrate import current, head, migrate
from crm_core.storage.store import Store
from hub.clock import SystemClock
from hub.log import configure_logging, get_logger
from hub.office.configured import configure, put_together, record_of
from hub.settings import Settings, load_settings

if TYPE_CHECKING:
    from crm_core.services.desk import Desk
    from hub.bootstrap import Hub

log = get_logger(__name__)

Result = TypeVar("Result")

COMMAND = "cli"
"""Who the audit log says it was, where a command does not name anybody."""


def settings_for_command() -> Settings:
    """The settings; the log is kept to warnings, for the command's own words are what people read."""
    settings = load_settings()
    configure_logging(settings.log, secrets=settings.secrets(), level=logging.WARNING)
    return settings


def settings_in_force() -> Settings:
    """Those of hub.toml and, where there is a record that can be read as it is, of the record."""

    async def reading() -> Settings:
        database = Database(settings.database_url.reveal(), pool_size=1)
        try:
            if await database.read(current) != head():
                return settings
            clock = SystemClock()
            in_force, _ = await put_together(record_of(settings, database, clock), settings, clock)
            return in_force.settings
        except CoreError as err:
            log.warning("accounts of the record are left out: it can't be read", error=str(err))
            return settings
        finally:
            await database.stop()

    settings = settings_for_command()
    path = settings.database_url.path
    return asyncio.run(reading()) if path is None or path.exists() else settings


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The record at the current schema, for staff and journal; no channel is touched.

    Raises StorageUnavailable.
    """
    database = Database(settings.database_url.reveal(), pool_size=2)
    try:
        await migrate(database)
        clock = SystemClock()
        store = record_of(settings, database, clock)
        await configure(store, settings, clock)
        yield store
    finally:
        await database.stop()


@asynccontextmanager
async def open_hub(settings: Settings) -> AsyncIterator[Hub]:
    """The whole hub put together, its database at the current schema; nothing is started. Raises StorageUnavailable."""
    from hub.bootstrap import build

    hub = build(settings)
    try:
        await migrate(hub.store.database)
        await hub.configured.start()
        await hub.accounts.prepare()
        yield hub
    finally:
        await hub.store.database.stop()


def by_command(desk: Desk) -> Desk:
    """A desk whose changes are the command line's: it may everything, and the audit log says so."""
    desk.work.author = COMMAND
    return desk


def with_hub(act: Callable[[Hub], Coroutine[Any, Any, Result]]) -> Result:
    """Run one act that needs the connectors or the directory."""

    async def acting() -> Result:
        async with open_hub(settings) as hub:
            return await act(hub)

    settings = settings_for_command()
    return asyncio.run(acting())


def with_store(act: Callable[[Store], Coroutine[Any, Any, Result]]) -> Result:
    """Run one act on the record."""

    async def acting() -> Result:
        async with open_store(settings) as store:
            return await act(store)

    settings = settings_for_command()
    return asyncio.run(acting())


def migrated() -> tuple[str, str]:
    """Bring the database to the current schema: the revision reached, and which database it is."""

    async def migrating() -> str:
        database = Database(settings.database_url.reveal(), pool_size=2)
        try:
            return await migrate(database)
        finally:
            await database.stop()

    settings = settings_for_command()
    return asyncio.run(migrating()), str(settings.database_url)
