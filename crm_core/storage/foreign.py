"""Somebody else's table in somebody else's database: only read, by columns, between two moments, in bounded pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    MetaData,
    Table,
    and_,
    create_engine,
    inspect,
    literal,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from crm_core.errors import StorageUnavailable
from crm_core.storage.errors import translated

Result = TypeVar("Result")

_CONNECT_S = 5
_ANSWER_S = 30
_PIECE = timedelta(hours=1)
_SMALLEST = timedelta(seconds=1)
_MOST_ROWS = 20_000
_DRIVERS = {
    "postgresql": "postgresql+asyncpg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "sqlite": "sqlite",
}
_WRITTEN = "%Y-%m-%d %H:%M:%S"


class ForeignTable:
    """See `crm_core.ports.ForeignRows`. `table` may name its schema: `asterisk.cdr`. Constructing does no I/O.

    Each question has a connection of its own: it is asked now and then, and the database is not ours to occupy.
    """

    def __init__(self, url: str, table: str) -> None:
        self._name = table
        self._table: Table | None = None
        self._engine: Engine | None = None
        self._async_engine: AsyncEngine | None = None
        try:
            found = make_url(url)
            self._engine, self._async_engine = _engines(found)
        except (ArgumentError, KeyError, ImportError) as err:
            raise ValueError("this is no address of a PostgreSQL, MySQL or SQLite database") from err
        self._where = found.render_as_string(hide_password=True)

    @property
    def name(self) -> str:
        """Which table of which database, without its password."""
        return f"{self._name} of {self._where}"

    async def columns(self) -> frozenset[str]:
        """The names of the columns."""
        table = await self._reflected()
        return frozenset(str(column.name) for column in table.columns)

    async def between(
        self, columns: Sequence[str], by: str, since: datetime, until: datetime
    ) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """The rows whose column `by` lies in [since, until), in its order; a piece of them at a time."""
        table = await self._reflected()
        moment = since
        while moment < until:
            end = min(moment + _PIECE, until)
            async for rows in self._piece(table, columns, table.c[by], moment, end):
                yield rows
            moment = end

    async def _piece(
        self, table: Table, columns: Sequence[str], by: Column[Any], since: datetime, until: datetime
    ) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        statement = (
            select(*(table.c[name] for name in columns))
            .where(and_(by >= _moment(by, since), by < _moment(by, until)))
            .order_by(by)
            .limit(_MOST_ROWS + 1)
        )
        rows = await self._run(lambda conn: [dict(row) for row in conn.execute(statement).mappings()])
        if len(rows) <= _MOST_ROWS:
            if rows:
                yield rows
            return
        half = (until - since) / 2
        if half < _SMALLEST:
            raise StorageUnavailable(f"{self.name}: more than {_MOST_ROWS} rows in a second")
        for begin, end in ((since, since + half), (since + half, until)):
            async for part in self._piece(table, columns, by, begin, end):
                yield part

    async def _reflected(self) -> Table:
        if self._table is None:
            self._table = await self._run(self._reflect)
        return self._table

    def _reflect(self, conn: Connection) -> Table:
        schema, _, name = self._name.rpartition(".")
        try:
            found = inspect(conn).get_columns(name, schema=schema or None)
        except NoSuchTableError:
            raise StorageUnavailable(f"there is no table {self.name}") from None
        columns = [Column(each["name"], each["type"]) for each in found]
        return Table(name, MetaData(), *columns, schema=schema or None)

    async def _run(self, query: Callable[[Connection], Result]) -> Result:
        """Raises StorageUnavailable, naming the table and never the password."""
        try:
            async with asyncio.timeout(_CONNECT_S + _ANSWER_S):
                with translated():
                    if self._async_engine is not None:
                        async with self._async_engine.connect() as conn:
                            return await conn.run_sync(query)
                    return await asyncio.to_thread(self._run_here, query)
        except SQLAlchemyError as err:
            raise StorageUnavailable(f"{self.name}: {getattr(err, 'orig', None) or err}") from err
        except TimeoutError:
            raise StorageUnavailable(f"{self.name}: no answer in time") from None

    def _run_here(self, query: Callable[[Connection], Result]) -> Result:
        if self._engine is None:
            raise StorageUnavailable
        with self._engine.connect() as conn:
            return query(conn)


def _engines(url: URL) -> tuple[Engine | None, AsyncEngine | None]:
    backend = url.get_backend_name()
    url = url.set(drivername=_DRIVERS[backend])
    if backend == "postgresql":
        read_only = {"application_name": "hub", "default_transaction_read_only": "on"}
        waits: dict[str, Any] = {"timeout": _CONNECT_S, "command_timeout": _ANSWER_S, "server_settings": read_only}
        return None, create_async_engine(url, poolclass=NullPool, connect_args=waits)
    if backend == "sqlite":
        path = (url.database or "").replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        url = url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})
        return create_engine(url, poolclass=NullPool, connect_args={"timeout": _CONNECT_S}), None
    waits = {
        "connect_timeout": _CONNECT_S,
        "read_timeout": _ANSWER_S,
        "write_timeout": _CONNECT_S,
        "init_command": "SET SESSION TRANSACTION READ ONLY",
        "charset": "utf8mb4",
    }
    return create_engine(url, poolclass=NullPool, connect_args=waits), None


def _moment(column: Column[Any], at: datetime) -> Any:
    """A moment as the column holds it; one that is text, as Asterisk writes it."""
    if not isinstance(column.type, DateTime):
        return literal(at.astimezone(UTC).strftime(_WRITTEN))
    return at if column.type.timezone else at.astimezone(UTC).replace(tzinfo=None)
