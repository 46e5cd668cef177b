"""Documents that were made."""

from __future__ import annotations

from sqlalchemy import Connection, select

from crm_core.errors import NotFound
from crm_core.model.access import Sight
from crm_core.model.exchange import DocumentRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, number_cursor, one_of, page_of
from crm_core.storage.sight import of_seen_card
from crm_core.storage.tables import TABLE_OF

_DOCUMENT = TABLE_OF[DocumentRecord]


def one_document(conn: Connection, document_id: int) -> DocumentRecord:
    """One of them; raises NotFound."""
    found = one_of(conn, DocumentRecord, document_id)
    if found is None:
        raise NotFound("there is no document {document}", document=document_id)
    return found


def list_documents(
    conn: Connection,
    where: Slice,
    *,
    deal_id: int | None = None,
    contact_id: int | None = None,
    sight: Sight | None = None,
) -> Page[DocumentRecord]:
    """The documents of a deal, or of a client, the newest first, without those of cards that are not in `sight`."""
    statement = select(_DOCUMENT).order_by(_DOCUMENT.c.id.desc()).limit(where.limit + 1)
    if deal_id is not None:
        statement = statement.where(_DOCUMENT.c.deal_id == deal_id)
    if contact_id is not None:
        statement = statement.where(_DOCUMENT.c.contact_id == contact_id)
    if sight is not None and (seen := of_seen_card(_DOCUMENT.c.deal_id, sight)) is not None:
        statement = statement.where(seen)
    after = number_cursor(where.after)
    if after is not None:
        statement = statement.where(_DOCUMENT.c.id < after)
    return page_of(all_of(conn, DocumentRecord, statement), where.limit, lambda record: str(record.id))
