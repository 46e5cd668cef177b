"""How far the records of a field were looked through anew after its definition changed."""

from __future__ import annotations

from sqlalchemy import Connection

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right
from crm_core.model.definitions.values import FieldCheckRecord
from crm_core.storage.queries.pages import one_of


def field_check(conn: Connection, access: Access, field_id: int) -> FieldCheckRecord:
    """What is known of a field, by its number; raises NotFound where its records were never looked through, Forbidden
    for whoever sees no sales."""
    access.demand(Right.SEE_SALES)
    found = one_of(conn, FieldCheckRecord, field_id)
    if found is None:
        raise NotFound("the records of field {number} were never looked through", number=field_id)
    return found
