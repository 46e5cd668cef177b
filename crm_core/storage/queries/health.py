"""Whether the database answers, and whether it takes what is written."""

from __future__ import annotations

from sqlalchemy import Connection


def answers(conn: Connection) -> bool:
    """Read the smallest thing there is; raises where the schema is not there."""
    return conn.exec_driver_sql("SELECT position FROM feed_position WHERE id = 1").first() is not None


def takes_writes(conn: Connection) -> None:
    """Write a value over itself; raises where nothing can be written."""
    conn.exec_driver_sql("UPDATE revision SET value = value WHERE name = 'staff'")
