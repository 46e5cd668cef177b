"""Clients a bounded number at a time, by their ids: whoever writes for all of them lets others in between."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

# What is worked out of so many clients is written in one transaction.
CLIENTS = 1_000


@dataclass(frozen=True, slots=True)
class Slice:
    """The clients behind the id `above`, up to `upto` and with it."""

    above: int
    upto: int

    def of(self, column: str) -> str:
        """SQL for a client's being among them."""
        return f"{column} > {self.above} AND {column} <= {self.upto}"


def next_slice(conn: Connection, above: int, clients: int) -> Slice | None:
    """The next clients behind an id; None where there are none. One look into the index."""
    sql = f"SELECT MAX(c.id) FROM (SELECT id FROM contact WHERE id > {above} ORDER BY id LIMIT {clients}) AS c"
    upto = conn.exec_driver_sql(sql).scalar()
    return Slice(above, upto) if upto is not None else None
