"""What is asked of a database meanwhile: so that tests may count and explain it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, event

from crm_core.storage.store import Store


class Statement(NamedTuple):
    """A statement with its parameters, as the driver gets it."""

    text: str
    parameters: Any


@contextmanager
def heard(source: Engine | Connection, told: Callable[[Statement], None]) -> Iterator[None]:
    """Tell of each statement that goes this way."""

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        told(Statement(statement, parameters))

    event.listen(source, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(source, "before_cursor_execute", note)


def engine_of(store: Store) -> Engine:
    """What all connections of a store come from."""
    database = store.database
    return database._engine or database._async_engine.sync_engine  # type: ignore[union-attr] # one of both is there


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """The text of all that a store asks and writes."""
    texts: list[str] = []
    with heard(engine_of(store), lambda each: texts.append(each.text)):
        yield texts


async def statements_of(store: Store, query: Callable[[Connection], object]) -> int:
    """How many statements a query takes."""

    def counted(conn: Connection) -> int:
        found: list[Statement] = []
        with heard(conn, found.append):
            query(conn)
        return len(found)

    return await store.read(counted)
