"""Products, lines and payments as they are listed; and what other programs' ids stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from crm_core.errors import InvalidInput, NotFound
from crm_core.model.access import Access, Right
from crm_core.model.exchange import ExternalRefRecord
from crm_core.model.records import DealRecord
from crm_core.model.selling import LineItemRecord, PaymentKind, PaymentRecord, ProductRecord, SaleRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, both, grouped, number_cursor, one_of, page_of
from crm_core.storage.searching import like
from crm_core.storage.sight import of_seen_card
from crm_core.storage.tables import (
    company,
    contact,
    deal,
    external_ref,
    lead,
    line_item,
    payment,
    product,
    sale,
    task,
)


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Which products are wanted; `q` is a part of the name or article number."""

    q: str = ""
    sku: str | None = None
    ids: frozenset[int] | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """Which payments are wanted; `open_only`: those still to come, `deleted` shows also what was taken back."""

    deal_id: int | None = None
    contact_id: int | None = None
    kind: PaymentKind | None = None
    due_until: str | None = None
    open_only: bool = False
    deleted: bool = False
    ids: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class SaleFilter:
    """Which sales are wanted: whose, since when."""

    contact_id: int | None = None
    company_id: int | None = None
    product_id: int | None = None
    since: datetime | None = None
    ref: str | None = None


def list_products(conn: Connection, access: Access, wanted: ProductFilter, where: Slice) -> Page[ProductRecord]:
    """Products, the newest first. One statement. Raises Forbidden for whoever sees no sales."""
    access.demand(Right.SEE_SALES)
    after = number_cursor(where.after)
    words = wanted.q.casefold().split()
    conditions = both(
        (
            product.c.deleted_at.is_(None),
            product.c.id < after if after is not None else None,
            product.c.sku == wanted.sku if wanted.sku is not None else None,
            product.c.id.in_(wanted.ids) if wanted.ids is not None else None,
            product.c.archived.is_(False) if not wanted.archived else None,
            *(product.c.search.like(like(word), escape="\\") for word in words),
        )
    )
    statement = select(product).where(*conditions).order_by(product.c.id.desc()).limit(where.limit + 1)
    return page_of(all_of(conn, ProductRecord, statement), where.limit, lambda record: str(record.id))


def one_product(conn: Connection, access: Access, product_id: int) -> ProductRecord:
    """One product, also one put away; raises NotFound, Forbidden."""
    access.demand(Right.SEE_SALES)
    found = one_of(conn, ProductRecord, product_id)
    if found is None or found.deleted_at is not None:
        raise NotFound("there is no product {product}", product=product_id)
    return found


def lines_of(conn: Connection, access: Access, of: DealRecord) -> list[LineItemRecord]:
    """The lines of a deal that somebody sees, in order. One statement. Raises NotFound, Forbidden."""
    _demand_card(access, of)
    statement = select(line_item).where(line_item.c.deal_id == of.id).order_by(line_item.c.position, line_item.c.id)
    return all_of(conn, LineItemRecord, statement)


def payments_of(conn: Connection, access: Access, of: DealRecord, *, deleted: bool = False) -> list[PaymentRecord]:
    """The payments of a deal that somebody sees, by their days. One statement. Raises NotFound, Forbidden."""
    _demand_card(access, of)
    alive = payment.c.deleted_at.is_(None) if not deleted else None
    statement = select(payment).where(*both((payment.c.deal_id == of.id, alive)))
    found = all_of(conn, PaymentRecord, statement)
    return sorted(found, key=lambda each: (each.due_on or (each.at or each.created_at).date().isoformat(), each.id))


def deals_with_payments(conn: Connection, deal_ids: Iterable[int]) -> list[tuple[DealRecord, list[PaymentRecord]]]:
    """Deals with all their payments that were not deleted. Two statements."""
    listed = list(deal_ids)
    if not listed:
        return []
    alive = payment.c.deal_id.in_(listed), payment.c.deleted_at.is_(None)
    of = grouped(all_of(conn, PaymentRecord, select(payment).where(*alive)), "deal_id")
    deals = all_of(conn, DealRecord, select(deal).where(deal.c.id.in_(listed)))
    return [(each, of.get(each.id, [])) for each in deals]


def list_payments(conn: Connection, access: Access, wanted: PaymentFilter, where: Slice) -> Page[PaymentRecord]:
    """Payments of deals that somebody sees, the newest first. One statement. Raises Forbidden for whoever sees no
    sales."""
    access.demand(Right.SEE_SALES)
    after = number_cursor(where.after)
    open_ones = (
        (payment.c.settled_at.is_(None), payment.c.kind != PaymentKind.RECEIVED, payment.c.deleted_at.is_(None))
        if wanted.open_only
        else ()
    )
    conditions = both(
        (
            payment.c.id < after if after is not None else None,
            payment.c.deal_id == wanted.deal_id if wanted.deal_id is not None else None,
            payment.c.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
            payment.c.kind == wanted.kind if wanted.kind is not None else None,
            payment.c.due_on <= wanted.due_until if wanted.due_until is not None else None,
            payment.c.id.in_(wanted.ids) if wanted.ids is not None else None,
            payment.c.deleted_at.is_(None) if not wanted.deleted else None,
            of_seen_card(payment.c.deal_id, access.sight),
            *open_ones,
        )
    )
    statement = select(payment).where(*conditions).order_by(payment.c.id.desc()).limit(where.limit + 1)
    return page_of(all_of(conn, PaymentRecord, statement), where.limit, lambda record: str(record.id))


def one_payment(conn: Connection, access: Access, payment_id: int) -> PaymentRecord:
    """One payment, also one taken back; raises NotFound, also where its deal is deleted or not seen by whoever asks;
    Forbidden."""
    access.demand(Right.SEE_SALES)
    found = one_of(conn, PaymentRecord, payment_id)
    of = one_of(conn, DealRecord, found.deal_id) if found is not None else None
    if found is None or of is None or of.deleted_at is not None or not access.sight.sees(of):
        raise NotFound("there is no payment {payment}", payment=payment_id)
    return found


def list_sales(conn: Connection, access: Access, wanted: SaleFilter, where: Slice) -> Page[SaleRecord]:
    """Sales, the last recorded first. One statement. Raises Forbidden for whoever sees no sales."""
    access.demand(Right.SEE_SALES)
    after = number_cursor(where.after)
    conditions = both(
        (
            sale.c.id < after if after is not None else None,
            sale.c.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
            sale.c.company_id == wanted.company_id if wanted.company_id is not None else None,
            sale.c.product_id == wanted.product_id if wanted.product_id is not None else None,
            sale.c.at >= wanted.since if wanted.since is not None else None,
            sale.c.ref == wanted.ref if wanted.ref is not None else None,
        )
    )
    statement = select(sale).where(*conditions).order_by(sale.c.id.desc()).limit(where.limit + 1)
    return page_of(all_of(conn, SaleRecord, statement), where.limit, lambda record: str(record.id))


def _demand_card(access: Access, of: DealRecord) -> None:
    access.demand(Right.SEE_SALES)
    if not access.sight.sees(of):
        raise NotFound("there is no deal {deal}", deal=of.id)


# ---------------------------------------------------------------- ids of other programs


def external_of(conn: Connection, kind: str, ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """By what ids other programs know records of a kind: `{record: {system: id}}`. One statement."""
    listed = list(ids)
    if not listed:
        return {}
    statement = select(external_ref).where(external_ref.c.kind == kind, external_ref.c.subject_id.in_(listed))
    found: dict[int, dict[str, str]] = {}
    for subject, refs in grouped(all_of(conn, ExternalRefRecord, statement), "subject_id").items():
        parts = (each.key.split(":", 2) for each in refs)
        found[subject] = {system: ident for _, system, ident in sorted(parts)}
    return found


def subjects_of(conn: Connection, kind: str, external: str | None) -> frozenset[int] | None:
    """The records that an id written `system:id` stands for; None where none was asked for. Raises InvalidInput."""
    if external is None:
        return None
    if ":" not in external:
        raise InvalidInput("external: write it as «system:id», e.g. «1c:000123»")
    key = f"{kind}:{external}"
    rows = conn.execute(select(external_ref.c.subject_id).where(external_ref.c.key == key))
    return frozenset(row[0] for row in rows)


def known_by(kind: str, external: str) -> ColumnElement[bool]:
    """That a record is the one which another program knows by an id, `system:id`; raises InvalidInput."""
    if ":" not in external:
        raise InvalidInput("external: write it as «system:id», e.g. «1c:000123»")
    table = _TABLES.get(kind, deal)  # records of custom types are deals' neighbours
    known = "deal" if table is deal else kind
    subject = select(external_ref.c.subject_id).where(external_ref.c.key == f"{known}:{external}")
    if table is contact:  # of one that was merged into another, that other
        both = contact.c.id, contact.c.merged_into
        subject = select(func.coalesce(both[1], both[0])).where(both[0].in_(subject))
    return table.c.id.in_(subject)


_TABLES = {"contact": contact, "company": company, "lead": lead, "task": task, "product": product, "payment": payment}
