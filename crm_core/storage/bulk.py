"""Set-based reading and writing of records: a fixed text per table and engine, whatever the number of rows.

PostgreSQL takes all rows as one JSON text (its driver looks at every element of an array, which costs more than all
else), or arrays where there are bytes; SQLite takes its driver's `executemany`. One statement for all rows on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import orjson
from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, LargeBinary, Table

from crm_core.storage.tables import TABLE_OF
from crm_core.storage.types import EnumText, JsonText, UtcDateTime, WordedText, from_micros, to_micros
from crm_core.wording import Sentence, kept, restored

Record = TypeVar("Record", bound=tuple[Any, ...])


class _Statements(NamedTuple):
    insert: str
    upsert: str
    update: str
    delete: str
    columns: str


def insert(conn: Connection, records: Sequence[tuple[Any, ...]]) -> None:
    """Insert records of one type."""
    if records:
        table = TABLE_OF[type(records[0])]
        _execute(conn, table, _statements(table, conn.dialect.name).insert, records)


def upsert(conn: Connection, records: Sequence[tuple[Any, ...]]) -> None:
    """Insert records of one type, or overwrite those with the same first column."""
    if records:
        table = TABLE_OF[type(records[0])]
        _execute(conn, table, _statements(table, conn.dialect.name).upsert, records)


def update(conn: Connection, records: Sequence[tuple[Any, ...]]) -> None:
    """Overwrite records of one type, found by their first column."""
    if records:
        table = TABLE_OF[type(records[0])]
        _execute(conn, table, _statements(table, conn.dialect.name).update, records, key_last=True)


def delete(conn: Connection, kind: type, keys: Sequence[Any]) -> None:
    """Delete records of one type by their first column."""
    if keys:
        statement = _statements(TABLE_OF[kind], conn.dialect.name).delete
        parameters = (list(keys),) if conn.dialect.name != "sqlite" else (orjson.dumps(list(keys)).decode(),)
        conn.exec_driver_sql(statement, parameters)


def select_list(kind: type, alias: str, engine: str) -> str:
    """The columns of a record for a SELECT, in order."""
    return _statements(TABLE_OF[kind], engine).columns.replace("~", alias)


def read(conn: Connection, kind: type[Record], sql: str, parameters: tuple[Any, ...] = ()) -> list[Record]:
    """The records that a SELECT of `select_list` columns yields; further columns are left out."""
    decode = _decoder(kind, conn.dialect.name)
    return [decode(row) for row in conn.exec_driver_sql(sql, parameters)]


def keys(conn: Connection, values: Iterable[Any]) -> Any:
    """A set of values as one parameter: an array on PostgreSQL, JSON text on SQLite. See `among`."""
    listed = list(values)
    return listed if conn.dialect.name != "sqlite" else orjson.dumps(listed).decode()


def among(conn: Connection, position: int, kind: str = "bigint") -> str:
    """SQL for `= any of` the parameter made by `keys`; `kind` is PostgreSQL's element type."""
    if conn.dialect.name == "sqlite":
        return "IN (SELECT value FROM json_each(?))"
    return f"= ANY (${position}::{kind}[])"


def placeholder(conn: Connection, position: int) -> str:
    """SQL for the plain parameter number `position` (from 1)."""
    return "?" if conn.dialect.name == "sqlite" else f"${position}"


def _execute(
    conn: Connection, table: Table, statement: str, rows: Sequence[tuple[Any, ...]], *, key_last: bool = False
) -> None:
    """Run a statement on all rows; SQLite's `update` takes the key (first column) behind the other values."""
    engine = conn.dialect.name
    if engine != "sqlite" and not _has_bytes(table):
        names = _names(table)
        worded = _worded(table)
        content = [dict(zip(names, row, strict=True)) for row in rows]
        for name in worded:
            for row in content:
                if isinstance(row[name], Sentence):
                    row[name] = kept(row[name])
        conn.exec_driver_sql(statement, (orjson.dumps(content).decode(),))
        return
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for index, codec in _codecs(table, engine):
        columns[index] = _converted(columns[index], codec)
    if engine != "sqlite":
        conn.exec_driver_sql(statement, tuple(list(column) for column in columns))
        return
    if key_last:
        columns.append(columns.pop(0))
    conn.exec_driver_sql(statement, list(zip(*columns, strict=True)))


@lru_cache(maxsize=64)
def _names(table: Table) -> tuple[str, ...]:
    """The columns' names as plain strings; SQLAlchemy's own kind of string is none to the JSON writer."""
    return tuple(f"{column.name}" for column in table.columns)


@lru_cache(maxsize=64)
def _worded(table: Table) -> tuple[str, ...]:
    """The columns that hold sentences."""
    return tuple(f"{column.name}" for column in table.columns if isinstance(column.type, WordedText))


@lru_cache(maxsize=64)
def _has_bytes(table: Table) -> bool:
    """Whether a column holds bytes, which JSON can't."""
    return any(isinstance(column.type, LargeBinary) for column in table.columns)


def _converted(values: Sequence[Any], codec: Callable[[Any], Any]) -> list[Any]:
    """A column in the engine's form; neighbours that are one object (the time of a batch) are converted once."""
    found: list[Any] = []
    last = converted = None
    for value in values:
        if value is not last:
            last, converted = value, codec(value) if value is not None else None
        found.append(converted)
    return found


@lru_cache(maxsize=64)
def _codecs(table: Table, engine: str) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """The columns whose values the driver does not take as they are, by position."""
    found = ((index, _to_engine(column, engine)) for index, column in enumerate(table.columns))
    return tuple((index, codec) for index, codec in found if codec is not None)


def _to_engine(column: Column[Any], engine: str) -> Callable[[Any], Any] | None:
    match column.type:
        case JsonText():
            return _to_json
        case UtcDateTime() if engine == "sqlite":
            return to_micros
        case EnumText() if engine == "sqlite":
            return str  # the driver is slow with subclasses of str
        case WordedText():
            return kept
        case _:
            return None


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


@lru_cache(maxsize=64)
def _decoder(kind: type[Record], engine: str) -> Callable[[Any], Record]:
    table = TABLE_OF[kind]
    codecs: list[tuple[int, Callable[[Any], Any]]] = []
    for index, column in enumerate(table.columns):
        match column.type:
            case UtcDateTime() if engine == "sqlite":
                codecs.append((index, from_micros))
            case JsonText():
                codecs.append((index, orjson.loads))
            case EnumText(enum=enum):
                codecs.append((index, enum))
            case WordedText():
                codecs.append((index, restored))
            case Boolean() if engine == "sqlite":
                codecs.append((index, bool))
            case _:
                pass
    width = len(table.columns)

    def decode(row: Any) -> Record:
        values = list(row[:width])
        for index, codec in codecs:
            if values[index] is not None:
                values[index] = codec(values[index])
        return kind(*values)

    return decode


@lru_cache(maxsize=64)
def _statements(table: Table, engine: str) -> _Statements:
    names = [f'"{column.name}"' for column in table.columns]
    listed = ", ".join(names)
    key = names[0]
    # JSON leaves PostgreSQL as text, so that both engines are read by one decoder.
    as_text = engine != "sqlite"
    columns = ", ".join(
        f"~.{name}::text" if as_text and isinstance(column.type, JsonText) else f"~.{name}"
        for name, column in zip(names, table.columns, strict=True)
    )
    replaced = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    conflict = f" ON CONFLICT ({key}) DO UPDATE SET {replaced}"
    if engine == "sqlite":
        marks = ", ".join("?" for _ in names)
        assigned = ", ".join(f"{name} = ?" for name in names[1:])
        insert_rows = f'INSERT INTO "{table.name}" ({listed}) VALUES ({marks})'
        return _Statements(
            insert_rows,
            insert_rows + conflict,
            f'UPDATE "{table.name}" SET {assigned} WHERE {key} = ?',
            f'DELETE FROM "{table.name}" WHERE {key} IN (SELECT value FROM json_each(?))',
            columns,
        )
    values = ", ".join(
        f"v.{name}::jsonb" if isinstance(column.type, JsonText) else f"v.{name}"
        for name, column in zip(names, table.columns, strict=True)
    )
    assigned = ", ".join(f"{name} = {value}" for name, value in zip(names[1:], values.split(", ")[1:], strict=True))
    source = _source(table, listed)
    key_type = _array_type(next(iter(table.columns)))
    insert_rows = f'INSERT INTO "{table.name}" ({listed}) SELECT {values} FROM {source}'
    return _Statements(
        insert_rows,
        insert_rows + conflict,
        f'UPDATE "{table.name}" AS t SET {assigned} FROM {source} WHERE t.{key} = v.{key}',
        f'DELETE FROM "{table.name}" WHERE {key} = ANY ($1::{key_type}[])',
        columns,
    )


def _source(table: Table, listed: str) -> str:
    """The rows of a statement on PostgreSQL, as the table `v`."""
    if _has_bytes(table):
        arrays = (f"${position}::{_array_type(column)}[]" for position, column in enumerate(table.columns, start=1))
        return f"unnest({', '.join(arrays)}) AS v ({listed})"
    columns = (
        f'"{column.name}" {"jsonb" if isinstance(column.type, JsonText) else _array_type(column)}'
        for column in table.columns
    )
    return f"json_to_recordset($1::text::json) AS v ({', '.join(columns)})"


def _array_type(column: Column[Any]) -> str:
    """PostgreSQL's name of a column's type, JSON travelling as text."""
    match column.type:
        case BigInteger():  # before Integer, which it is a kind of
            return "bigint"
        case Integer():
            return "integer"
        case Boolean():
            return "boolean"
        case Float():
            return "double precision"
        case LargeBinary():
            return "bytea"
        case UtcDateTime():
            return "timestamptz"
        case _:
            return "text"
