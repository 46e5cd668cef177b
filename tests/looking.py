"""Somebody who looks at the record: reads ask for the rights of whoever reads."""

from __future__ import annotations

from sqlalchemy import Connection

from crm_core.model.access import Access
from crm_core.model.user import Role, User
from crm_core.storage.store import Store


def somebody(store: Store, conn: Connection, role: Role = Role.ADMIN) -> Access:
    """What somebody of a role may do and see, of whom nothing else is known."""
    return store.access(conn, User(0, role.value, role.value.title(), role))
