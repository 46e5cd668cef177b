"""The people of the office, read again only when somebody changed them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from crm_core.model.user import Absence, Staff, Tastes, User
from crm_core.storage.tables import app_user


class StaffCache:
    """The staff as of the last revision seen; safe to share between threads (replaced whole)."""

    def __init__(self) -> None:
        self._known: tuple[int, Staff] = (-1, Staff({}))

    def current(self, conn: Connection, revision: int) -> Staff:
        """The staff as this transaction sees it."""
        known, staff = self._known
        if known == revision:
            return staff
        staff = load_staff(conn)
        self._known = (revision, staff)
        return staff


def load_staff(conn: Connection) -> Staff:
    """Everybody, also the disabled."""
    return Staff.of(tuple(user_of(row) for row in conn.execute(select(app_user))))


def touch_staff(conn: Connection) -> None:
    """Say that the staff changed; part of the transaction that changes it."""
    conn.exec_driver_sql("UPDATE revision SET value = value + 1 WHERE name = 'staff'")


def user_of(row: Any) -> User:
    """A person from their row."""
    absence = Absence(row.absent_since, row.absent_until) if row.absent_since is not None else None
    return User(
        id=row.id,
        login=row.login,
        name=row.name,
        role=row.role,
        extension=row.extension,
        telegram_id=row.telegram_id,
        email=row.email,
        group=row.group_name,
        deputy=row.deputy,
        controller=row.controller,
        absence=absence,
        do_not_disturb=row.do_not_disturb,
        active=row.active,
        hours=row.hours,
        tastes=Tastes.of(row.tastes),
    )
