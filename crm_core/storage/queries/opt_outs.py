"""Who wants nothing from us."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from crm_core.model.access import Access, Right
from crm_core.model.outreach import OptOutRecord
from crm_core.storage.queries.pages import all_of
from crm_core.storage.tables import TABLE_OF, identity

_OPT_OUT = TABLE_OF[OptOutRecord]


def of_contact(conn: Connection, access: Access, contact_id: int) -> list[OptOutRecord]:
    """The opted-out identities of a client, oldest first. Raises Forbidden for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    held = select(identity.c.key).where(identity.c.contact_id == contact_id)
    statement = select(_OPT_OUT).where(_OPT_OUT.c.key.in_(held)).order_by(_OPT_OUT.c.at, _OPT_OUT.c.key)
    return all_of(conn, OptOutRecord, statement)


def among(conn: Connection, contact_ids: Iterable[int]) -> set[int]:
    """Which of these clients have an identity that opted out. One statement."""
    listed = list(contact_ids)
    if not listed:
        return set()
    out = identity.join(_OPT_OUT, _OPT_OUT.c.key == identity.c.key)
    statement = select(identity.c.contact_id).select_from(out).where(identity.c.contact_id.in_(listed))
    return set(conn.scalars(statement))
