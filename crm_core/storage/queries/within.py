"""Reading and writing inside a service's transaction what is in none of its records."""

from __future__ import annotations

from sqlalchemy import Connection

from crm_core.services.desk import Desk
from crm_core.storage.work import SqlWork


def connection_of(desk: Desk) -> Connection:
    """The connection of the transaction that a service runs in."""
    if not isinstance(desk.work, SqlWork):
        raise TypeError("this is kept in a database: run it through a Store")
    return desk.work.conn
