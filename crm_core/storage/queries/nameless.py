"""Clients of whom nothing but an id is known."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, literal_column, select

from crm_core.model.identity import Identity, IdentityKind, stored_identity
from crm_core.storage.tables import contact, identity


def nameless(conn: Connection, kind: IdentityKind, limit: int) -> Sequence[Identity]:
    """Identities of a kind whose clients have no name, the newest client first. One statement."""
    statement = (
        select(identity.c.key)
        .join(contact, contact.c.id == identity.c.contact_id)
        .where(
            # Written out, so that both engines see that the index of the nameless serves.
            contact.c.name == literal_column("''"),
            contact.c.merged_into.is_(None),
            identity.c.key.like(f"{kind.value}:%"),
        )
        .order_by(contact.c.id.desc(), identity.c.key)
        .limit(limit)
    )
    return [stored_identity(key) for key in conn.execute(statement).scalars()]
