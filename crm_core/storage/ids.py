"""Ids made by the program from blocks of one counter, so that rows can refer to each other before they are written."""

from __future__ import annotations

from sqlalchemy import Connection

_BLOCK = 1000


class IdSource:
    """Ids unique in the whole database. One source serves one connection at a time.

    PostgreSQL hands out blocks by a sequence, outside of transactions. On SQLite a block belongs to the transaction
    that took it and is forgotten with it.
    """

    def __init__(self) -> None:
        self._next = 0
        self._end = 0
        self._taken_here = False

    def next(self, conn: Connection) -> int:
        """A fresh id."""
        if self._next == self._end:
            self._refill(conn)
        value = self._next
        self._next += 1
        return value

    def committed(self) -> None:
        """The transaction in which ids were taken is committed."""
        self._taken_here = False

    def rolled_back(self) -> None:
        """It is rolled back, and with it perhaps the block."""
        if self._taken_here:
            self._next = self._end = 0
            self._taken_here = False

    def _refill(self, conn: Connection) -> None:
        if conn.dialect.name == "sqlite":
            sql = "UPDATE id_block SET next = next + ? WHERE name = 'id' RETURNING next"
            end = int(conn.exec_driver_sql(sql, (_BLOCK,)).scalar_one())
            self._taken_here = True
        else:
            end = int(conn.exec_driver_sql("SELECT nextval('hub_id')").scalar_one())
        self._next, self._end = end - _BLOCK, end
