"""Who wants nothing from us."""

from __future__ import annotations

from sqlalchemy import Connection, select

from crm_core.model.outreach import OptOutRecord
from crm_core.storage.queries.pages import all_of
from crm_core.storage.tables import TABLE_OF, identity

_OPT_OUT = TABLE_OF[OptOutRecord]


def of_contact(conn: Connection, contact_id: int) -> list[OptOutRecord]:
    """The opted-out identities of a client, oldest first."""
    held = select(identity.c.key).where(identity.c.contact_id == contact_id)
    statement = select(_OPT_OUT).where(_OPT_OUT.c.key.in_(held)).order_by(_OPT_OUT.c.at, _OPT_OUT.c.key)
    return all_of(conn, OptOutRecord, statement)
