"""Ids made by the program from blocks of one counter, so that rows can refer to each other before they are written."""

from __future__ import annotations

from bisect import insort

from sqlalchemy import Connection

_BLOCK = 1000


class IdSource:
    """Ids unique in the whole database, rising in the order in which this program asks for them.

    One source serves all transactions of a database: those of PostgreSQL take turns on the event loop, those of SQLite
    in its one writing thread. PostgreSQL hands out blocks by a sequence, outside of transactions. On SQLite a block
    belongs to the transaction that took it and is forgotten with it.
    """

    def __init__(self) -> None:
        self._next = 0
        self._end = 0
        self._blocks: list[int] = []
        self._refills = 0
        self._uncertain = 0

    @property
    def refills(self) -> int:
        """How many blocks were taken so far: what `committed` is told at the end of the transaction."""
        return self._refills

    def next(self, conn: Connection) -> int:
        """A fresh id."""
        while self._next == self._end:
            if self._blocks:
                self._end = self._blocks.pop(0)
                self._next = self._end - _BLOCK
            else:
                end = self._take(conn)  # while PostgreSQL answers, another transaction may ask for a block, too
                insort(self._blocks, end)
        value = self._next
        self._next += 1
        return value

    def begun(self) -> None:
        """A transaction begins. A block that an earlier one took, and of which no commit is known, is gone with it."""
        if self._uncertain:
            self._next = self._end = self._uncertain = 0

    def committed(self, refills: int) -> None:
        """A transaction is committed that ended when `refills` blocks were taken."""
        if self._uncertain <= refills:
            self._uncertain = 0

    def _take(self, conn: Connection) -> int:
        """A block, told by its end."""
        if conn.dialect.name != "sqlite":
            return int(conn.exec_driver_sql("SELECT nextval('hub_id')").scalar_one())
        self._refills += 1
        self._uncertain = self._refills
        sql = "UPDATE id_block SET next = next + ? WHERE name = 'id' RETURNING next"
        return int(conn.exec_driver_sql(sql, (_BLOCK,)).scalar_one())
