"""The two engines behind one face: a unit of work is a plain function over a connection.

PostgreSQL runs it through SQLAlchemy's greenlet bridge on asyncpg. SQLite runs it whole in one thread hop: one writer
thread (a database file has one writer anyway), a few readers. Either way the event loop is never blocked.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from crm_core.errors import ConcurrentChange, StorageUnavailable
from crm_core.storage.compiled import COMPILED
from crm_core.storage.errors import translated

Result = TypeVar("Result")

__all__ = ["Connection", "Database", "take_your_time"]  # a connection is handed to queries, wherever they are asked

_READERS = 4
_BUSY_MS = 30_000
_TRIES = 8
_RETRY_S = 0.01
# A node that freezes in the middle of a transaction must not keep its locks from the others for longer than its leases.
# Where it freezes between the two halves of a statement, PostgreSQL does not count it as idle: from version 17 on, the
# length of the whole transaction bounds that.
_IDLE_S = 8.0
_TRANSACTION_S = 30.0
_PATIENT_S = 600
_STATEMENTS = 500
"""So many statements a connection remembers, which need not be read by the server again."""
_BOUND = (
    "SELECT set_config('transaction_timeout', '{ms:.0f}', {local})"
    " WHERE current_setting('server_version_num')::integer >= 170000"
)


class Database:
    """A database by its URL; constructing does no I/O.

    Of PostgreSQL it keeps `pool_size` connections at most, and opens `overflow` more while much is asked at once;
    PostgreSQL takes a transaction back whose owner has asked nothing for `idle_s`.
    """

    def __init__(self, url: str, *, pool_size: int = 10, overflow: int = 5, idle_s: float = _IDLE_S) -> None:
        self.url: URL = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._async_engine: AsyncEngine | None = None
        self._reading: AsyncEngine | None = None
        self._engine: Engine | None = None
        self._writer: ThreadPoolExecutor | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._connections: list[Connection] = []
        if self.sqlite:
            self._engine = _sqlite_engine(self.url)
            self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
            self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
        else:
            self._async_engine = create_async_engine(
                self.url,
                pool_size=pool_size,
                max_overflow=overflow,
                pool_timeout=10,
                pool_pre_ping=False,
                # The connection that was used last knows most of the statements that are asked now.
                pool_use_lifo=True,
                json_deserializer=orjson.loads,
                execution_options={"compiled_cache": COMPILED},
                connect_args={
                    "timeout": 5,
                    "command_timeout": 60,
                    "prepared_statement_cache_size": _STATEMENTS,
                    "server_settings": {
                        "jit": "off",
                        # Values of clients differ much: a plan that looks at none of them, which PostgreSQL would keep
                        # from the sixth time on, may take a thousand times as long.
                        "plan_cache_mode": "force_custom_plan",
                        "application_name": "hub",
                        "idle_in_transaction_session_timeout": str(round(idle_s * 1000)),
                    },
                },
            )

            event.listen(self._async_engine.sync_engine, "connect", _bound)
            # Each statement looks at a snapshot of its own either way: a transaction around them would only cost a
            # query two more ways to the database and back.
            self._reading = self._async_engine.execution_options(isolation_level="AUTOCOMMIT")

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in one transaction and commit it; once more after a concurrent change.

        Raises StorageUnavailable where the database is away, and whatever `work` raises (then nothing is written).
        """
        for attempt in range(_TRIES):
            try:
                return await self._write_once(work)
            except ConcurrentChange:
                if attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(_RETRY_S * random.uniform(0.5, 1.5) * 2**attempt)  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    async def read(self, query: Callable[[Connection], Result], *, at_length: bool = False) -> Result:
        """Run a query on a snapshot of its own; once more where that was taken back. Raises StorageUnavailable.

        `at_length`: within a transaction, for a query that takes its time or has settings of its own.
        """
        for attempt in range(_TRIES):
            try:
                return await self._read_once(query, self._async_engine if at_length else self._reading)
            except ConcurrentChange as err:
                if attempt == _TRIES - 1:
                    raise StorageUnavailable(f"the database takes every query back: {err}") from err
        raise AssertionError("unreachable")

    async def stop(self) -> None:
        """Close every connection. Idempotent."""
        if self._async_engine is not None:
            await self._async_engine.dispose()
        for pool in (self._writer, self._readers):
            if pool is not None:
                pool.shutdown(wait=True)
        for conn in self._connections:
            conn.close()
        self._connections.clear()
        if self._engine is not None:
            self._engine.dispose()

    async def _read_once(self, query: Callable[[Connection], Result], engine: AsyncEngine | None) -> Result:
        if engine is None:
            return await self._in_thread(self._readers, query, "BEGIN")
        with translated():
            async with engine.connect() as conn:
                return await conn.run_sync(query)

    async def _write_once(self, work: Callable[[Connection], Result]) -> Result:
        if self._async_engine is None:
            return await self._in_thread(self._writer, work, "BEGIN IMMEDIATE")
        with translated():
            async with self._async_engine.begin() as conn:
                return await conn.run_sync(work)

    async def _in_thread(
        self, pool: ThreadPoolExecutor | None, work: Callable[[Connection], Result], begin: str
    ) -> Result:
        if pool is None:
            raise StorageUnavailable
        loop = asyncio.get_running_loop()
        try:
            # What the caller's context holds, such as the language they read, holds within the thread, too.
            future = loop.run_in_executor(pool, copy_context().run, self._run_sqlite, work, begin)
        except RuntimeError as err:
            raise StorageUnavailable("the database is closed") from err
        # A cancelled caller must not cut a transaction in two: the thread finishes it either way.
        return await asyncio.shield(future)

    def _run_sqlite(self, work: Callable[[Connection], Result], begin: str) -> Result:
        with translated():
            conn = self._thread_connection()
            conn.exec_driver_sql(begin)
            try:
                result = work(conn)
            except BaseException:
                conn.rollback()
                raise
            conn.commit()
            return result

    def _thread_connection(self) -> Connection:
        conn: Connection | None = getattr(self._local, "connection", None)
        if conn is None:
            if self._engine is None:
                raise StorageUnavailable
            conn = self._engine.connect()
            self._local.connection = conn
            self._connections.append(conn)
        return conn


def take_your_time(conn: Connection) -> None:
    """Lift the bound on the length of this transaction; on a crowded machine its pauses may be long too."""
    if conn.dialect.name != "sqlite":
        conn.exec_driver_sql(_BOUND.format(ms=0, local="true"))
        conn.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {_PATIENT_S * 1000}")


def _bound(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(_BOUND.format(ms=_TRANSACTION_S * 1000, local="false"))
    cursor.close()
    connection.commit()


def _sqlite_engine(url: URL) -> Engine:
    path = url.database or ""
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url.set(drivername="sqlite"),
        poolclass=NullPool,
        execution_options={"compiled_cache": COMPILED},
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.create_function("hub_folded", 1, _folded, deterministic=True)
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.close()

    return engine


def _folded(text: Any) -> Any:
    """SQLite's own functions know the letters of English alone."""
    return text.casefold() if isinstance(text, str) else text
