"""Documents that were made."""

from __future__ import annotations

from sqlalchemy import Connection, select

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right
from crm_core.model.exchange import DocumentRecord
from crm_core.model.records import DealRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, number_cursor, one_of, page_of
from crm_core.storage.sight import of_seen_card
from crm_core.storage.tables import TABLE_OF

_DOCUMENT = TABLE_OF[DocumentRecord]


def one_document(conn: Connection, access: Access, document_id: int) -> DocumentRecord:
    """One of them; raises NotFound, also where it is of a card that whoever asks does not see; Forbidden."""
    access.demand(Right.SEE_SALES)
    found = one_of(conn, DocumentRecord, document_id)
    of = one_of(conn, DealRecord, found.deal_id) if found is not None and found.deal_id is not None else None
    if found is None or (of is not None and not access.sight.sees(of)):
        raise NotFound("there is no document {document}", document=document_id)
    return found


def list_documents(
    conn: Connection,
    access: Access,
    where: Slice,
    *,
    deal_id: int | None = None,
    contact_id: int | None = None,
) -> Page[DocumentRecord]:
    """The documents of a deal, or of a client, the newest first, without those of cards that somebody does not
    see. Raises Forbidden for whoever sees no sales."""
    access.demand(Right.SEE_SALES)
    statement = select(_DOCUMENT).order_by(_DOCUMENT.c.id.desc()).limit(where.limit + 1)
    if deal_id is not None:
        statement = statement.where(_DOCUMENT.c.deal_id == deal_id)
    if contact_id is not None:
        statement = statement.where(_DOCUMENT.c.contact_id == contact_id)
    seen = of_seen_card(_DOCUMENT.c.deal_id, access.sight)
    if seen is not None:
        statement = statement.where(seen)
    after = number_cursor(where.after)
    if after is not None:
        statement = statement.where(_DOCUMENT.c.id < after)
    return page_of(all_of(conn, DocumentRecord, statement), where.limit, lambda record: str(record.id))
