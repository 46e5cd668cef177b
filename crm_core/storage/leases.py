"""Leases: which node owns a link or a polling loop. They end by the database's clock; the epoch fences old owners."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

# On SQLite all nodes are on one machine and share its clock.
_NOW_SQLITE = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
_NOW_POSTGRESQL = "clock_timestamp()"


def acquire(conn: Connection, name: str, owner: str, duration: timedelta) -> int | None:
    """Take or keep the lease; its epoch, or None where somebody else holds it."""
    if conn.dialect.name == "sqlite":
        micros = int(duration / timedelta(microseconds=1))
        sql = (
            f"INSERT INTO lease (name, owner, epoch, expires_at) VALUES (?, ?, 1, {_NOW_SQLITE} + ?)"
            " ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at,"
            " epoch = lease.epoch + CASE WHEN lease.owner = excluded.owner THEN 0 ELSE 1 END"
            f" WHERE lease.owner = excluded.owner OR lease.expires_at < {_NOW_SQLITE} RETURNING epoch"
        )
        found = conn.exec_driver_sql(sql, (name, owner, micros)).scalar()
    else:
        sql = (
            f"INSERT INTO lease (name, owner, epoch, expires_at) VALUES ($1, $2, 1, {_NOW_POSTGRESQL} + $3::interval)"
            " ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at,"
            " epoch = lease.epoch + CASE WHEN lease.owner = excluded.owner THEN 0 ELSE 1 END"
            f" WHERE lease.owner = excluded.owner OR lease.expires_at < {_NOW_POSTGRESQL} RETURNING epoch"
        )
        found = conn.exec_driver_sql(sql, (name, owner, duration)).scalar()
    return int(found) if found is not None else None


def release(conn: Connection, name: str, owner: str) -> None:
    """Give the lease up, so that another node need not wait for its end."""
    if conn.dialect.name == "sqlite":
        sql = f"UPDATE lease SET expires_at = {_NOW_SQLITE} - 1 WHERE name = ? AND owner = ?"
    else:
        sql = f"UPDATE lease SET expires_at = {_NOW_POSTGRESQL} WHERE name = $1 AND owner = $2"
    conn.exec_driver_sql(sql, (name, owner))


def owners(conn: Connection) -> dict[str, str]:
    """Who holds each lease that has not run out, by its name."""
    now = _NOW_SQLITE if conn.dialect.name == "sqlite" else _NOW_POSTGRESQL
    return {row[0]: row[1] for row in conn.exec_driver_sql(f"SELECT name, owner FROM lease WHERE expires_at > {now}")}
