"""What accounting tells: products, sales (a shipment's lines) and payments, many at once and any number of times.

Every row carries the other program's id, so that a repeat changes nothing, the same id with other content is a
correction, and one marked as cancelled takes back what was told. What can't be taken is said row by row and keeps
nobody else from being taken. A batch costs a fixed number of statements, however many rows it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_core.errors import Conflict, CoreError, InvalidInput
from crm_core.model.exchange import ExternalRefRecord
from crm_core.model.money import MOST, bounded
from crm_core.model.records import DealRecord
from crm_core.model.rights import Right
from crm_core.model.selling import PaymentKind, PaymentRecord, ProductRecord, SaleRecord
from crm_core.services.clients.contacts import UNSET
from crm_core.services.desk import Desk
from crm_core.services.money import payments, products
from crm_core.services.money.products import ProductChange
from crm_core.services.recognising import external
from crm_core.services.recognising.cleaning import clean_name
from crm_core.services.recognising.named import (
    NOBODY,
    Known,
    Named,
    client_of,
    client_or_none,
    deal_id_of,
    look_up,
    product_of,
)
from crm_core.wording import Sentence

MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class SaleRow:
    """A sale. `amount` in minor units of `currency`, negative where goods came back; `quantity` in thousandths."""

    external_id: str
    at: datetime | None = None
    amount: int = 0
    currency: str = "RUB"
    quantity: int = 1000
    name: str = ""
    about: Named = NOBODY
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """Money that came, or was paid back; put to the deal that is named, else to the client's only unpaid one."""

    external_id: str
    at: datetime | None = None
    amount: int = 0
    currency: str = "RUB"
    note: str = ""
    about: Named = NOBODY
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product, known by the other program's id or by its article number; what is unset stays."""

    external_id: str | None
    change: ProductChange


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not taken: its place (from 0), its id, why."""

    row: int
    external_id: str
    error: str


@dataclass(slots=True)
class Taken:
    """What became of the rows."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    cancelled: int = 0
    refused: list[Refused] = field(default_factory=list)


def take_sales(desk: Desk, system: str, rows: Sequence[SaleRow]) -> Taken:
    """Take sales in; `system` names the program that tells of them. Raises InvalidInput for more than MOST_ROWS."""
    desk.demand(Right.EXCHANGE)
    taken = _begun(system, rows)
    known = look_up(desk, system, [each.about for each in rows])
    keys = [key for each in rows if (key := external.key_or_empty("sale", system, each.external_id))]
    sales = {each.ref: each for each in desk.work.related(SaleRecord, "ref", [_ref(key) for key in keys])}
    for index, row in enumerate(rows):
        try:
            ref = _ref(external.key_of("sale", system, row.external_id))
            before = sales.get(ref)
            if row.cancelled:
                if before is not None:
                    desk.work.remove(SaleRecord, before.id)
                    del sales[ref]
                    taken.cancelled += 1
                else:
                    taken.unchanged += 1
                continue
            after = _sale(desk, system, row, known, ref, before)
        except CoreError as err:
            taken.refused.append(Refused(index, row.external_id, str(err)))
            continue
        sales[ref] = after
        _count(desk, taken, before, after)
    return taken


def take_payments(desk: Desk, system: str, author: str, rows: Sequence[PaymentRow]) -> Taken:
    """Take payments in that came; raises InvalidInput for more than MOST_ROWS."""
    desk.demand(Right.EXCHANGE)
    taken = _begun(system, rows)
    known = look_up(desk, system, [each.about for each in rows])
    keys = [key for each in rows if (key := external.key_or_empty(payments.KIND, system, each.external_id))]
    refs = external.found(desk, keys)
    held = desk.work.payments(refs.values())
    owners = {owner.id for each in rows if (owner := client_or_none(system, each.about, known)) is not None}
    unpaid = desk.work.unpaid_deals(owners) if owners else {}
    named = {found for each in rows if (found := deal_id_of(system, each.about, known)) is not None}
    wanted = {
        *named,
        *(deal for listed in unpaid.values() for deal in listed),
        *(each.deal_id for each in held.values()),
    }
    deals = desk.work.deals(sorted(wanted))
    sums: dict[int, int] = {}
    for each in payments.payments_of(desk, sorted(deals)):
        if each.kind is PaymentKind.RECEIVED and each.deleted_at is None:
            sums[each.deal_id] = sums.get(each.deal_id, 0) + each.amount
    known.deals = deals
    for index, row in enumerate(rows):
        try:
            key = external.key_of(payments.KIND, system, row.external_id)
            before = desk.work.peek(PaymentRecord, refs[key]) if key in refs else None
            if before is None and row.cancelled:
                taken.unchanged += 1
                continue
            after = _payment(desk, system, author, row, known, before, unpaid)
            _bounded(sums, before, after)
        except CoreError as err:
            taken.refused.append(Refused(index, row.external_id, str(err)))
            continue
        if before is None:
            refs[key] = after.id
            desk.work.put(ExternalRefRecord(key, payments.KIND, after.id, desk.now))
        if row.cancelled and before is not None and before.deleted_at is None:
            desk.work.put(after)
            taken.cancelled += 1
        else:
            _count(desk, taken, before, after)
    return taken


def take_products(desk: Desk, system: str, rows: Sequence[ProductRow]) -> Taken:
    """Take products in; raises InvalidInput for more than MOST_ROWS."""
    desk.demand(Right.EXCHANGE)
    taken = _begun(system, rows)
    skus = [sku for each in rows if isinstance(sku := each.change.sku, str) and sku.strip()]
    about = [Named(product=each.external_id) for each in rows] + [Named(sku=sku.strip()) for sku in skus]
    known = look_up(desk, system, about)
    refs = dict(known.refs)
    numbered = desk.work.external_ids_of("product", [each.id for each in known.by_sku.values()])
    own = {subject for subject, held in numbered.items() if any(each.key.split(":", 2)[1] == system for each in held)}
    for index, row in enumerate(rows):
        sku = row.change.sku.strip() if isinstance(row.change.sku, str) else None
        label = row.external_id or sku or ""
        try:
            key = external.key_of("product", system, row.external_id) if row.external_id else None
            before = known.products.get(refs.get(key, 0)) if key is not None else None
            if before is None and sku:
                before = known.by_sku.get(sku)
                if before is not None and key is not None and before.id in own:
                    raise Conflict(
                        "sku: «{sku}» is the product {now}, which has another id in «{system}»",
                        sku=sku,
                        now=before.id,
                        system=system,
                    )
            if before is None and not label:
                raise InvalidInput("a product is known by «external_id» or «sku»: give one")
            if before is not None and before.deleted_at is not None:
                raise Conflict("the product {now} was deleted", now=before.id)
            base = before or ProductRecord(desk.work.next_id(), "", desk.now, desk.now)
            after = products.changed(desk, base, row.change)
            other = known.by_sku.get(after.sku) if after.sku is not None else None
            if other is not None and other.id != after.id:
                raise Conflict(
                    "sku: «{sku}» is the product {other}, «{other_name}»",
                    sku=after.sku,
                    other=other.id,
                    other_name=other.name,
                )
        except CoreError as err:
            taken.refused.append(Refused(index, label, str(err)))
            continue
        if before is not None and after != before:
            after = after._replace(updated_at=desk.now)
        if before is not None and before.sku is not None:
            known.by_sku.pop(before.sku, None)
        if after.sku is not None:
            known.by_sku[after.sku] = after
        known.products[after.id] = after
        if key is not None and refs.get(key) != after.id:
            refs[key] = after.id
            own.add(after.id)
            desk.work.put(ExternalRefRecord(key, "product", after.id, desk.now))
        _count(desk, taken, before, after)
    return taken


# ---------------------------------------------------------------- a row


def _sale(desk: Desk, system: str, row: SaleRow, known: Known, ref: str, before: SaleRecord | None) -> SaleRecord:
    if row.at is None:
        raise InvalidInput("at: when it was sold")
    bounded(row.amount, Sentence("amount"))
    if abs(row.quantity) > MOST:
        raise InvalidInput("quantity: that is more than can be counted with")
    contact, company_id = client_of(system, row.about, known)
    deal_id = deal_id_of(system, row.about, known)
    if (row.about.deal_id or row.about.deal) and (deal_id is None or deal_id not in known.deals):
        raise InvalidInput("deal: there is no deal «{deal}»", deal=row.about.deal_id or row.about.deal)
    product = product_of(system, row.about, known)
    name = clean_name(row.name) or (product.name if product is not None else "")
    return SaleRecord(
        id=before.id if before is not None else desk.work.next_id(),
        ref=ref,
        contact_id=contact,
        company_id=company_id,
        product_id=product.id if product is not None else None,
        name=name,
        quantity=row.quantity,
        amount=row.amount,
        currency=row.currency,
        at=row.at,
        recorded_at=before.recorded_at if before is not None else desk.now,
        deal_id=deal_id,
    )


def _payment(
    desk: Desk,
    system: str,
    author: str,
    row: PaymentRow,
    known: Known,
    before: PaymentRecord | None,
    unpaid: Mapping[int, Sequence[int]],
) -> PaymentRecord:
    if before is not None:
        deal = known.deals[before.deal_id]
        named = deal_id_of(system, row.about, known)
        if named is not None and named != before.deal_id:
            raise Conflict(
                "deal: this payment stands at the deal {deal}: cancel it, then tell of another", deal=before.deal_id
            )
        if row.cancelled:
            return before if before.deleted_at is not None else before._replace(deleted_at=desk.now)
        change = payments.PaymentChange(row.amount, row.currency, row.at or UNSET, UNSET, row.note)
        return payments.corrected(desk, deal, before, change)._replace(deleted_at=None)
    deal = _deal(system, row.about, known, unpaid)
    new = payments.NewPayment(PaymentKind.RECEIVED, row.amount, row.currency, row.at, None, row.note)
    return payments.made(desk, deal, author, new)


def _deal(system: str, about: Named, known: Known, unpaid: Mapping[int, Sequence[int]]) -> DealRecord:
    deal_id = deal_id_of(system, about, known)
    if about.deal_id or about.deal:
        deal = known.deals.get(deal_id) if deal_id is not None else None
        if deal is None or deal.deleted_at is not None:
            raise InvalidInput("deal: there is no deal «{deal}»", deal=about.deal_id or about.deal)
        return deal
    contact = client_or_none(system, about, known)
    if contact is None:
        raise InvalidInput("name the deal, or a client who is known")
    open_ones = unpaid.get(contact.id, ())
    if len(open_ones) != 1:
        raise InvalidInput(
            "deal: the client {contact} has {count} unpaid deals: name the one",
            contact=contact.id,
            count=len(open_ones),
        )
    return known.deals[open_ones[0]]


def _bounded(sums: dict[int, int], before: PaymentRecord | None, after: PaymentRecord) -> None:
    """Raise InvalidInput where a deal's payments would be more than can be counted with."""
    old = before.amount if before is not None and before.deleted_at is None else 0
    new = after.amount if after.deleted_at is None else 0
    whole = bounded(sums.get(after.deal_id, 0) - old + new, Sentence("amount: with the other payments of the deal"))
    sums[after.deal_id] = whole


# ---------------------------------------------------------------- all rows


def _begun(system: str, rows: Sequence[object]) -> Taken:
    external.key_of("sale", system, "-")
    if len(rows) > MOST_ROWS:
        raise InvalidInput("rows: at most {most} at once", most=MOST_ROWS)
    return Taken()


def _ref(key: str) -> str:
    return key.partition(":")[2]


def _count(desk: Desk, taken: Taken, before: tuple[Any, ...] | None, after: tuple[Any, ...]) -> None:
    if before == after:
        taken.unchanged += 1
        return
    desk.work.put(after)
    if before is None:
        taken.created += 1
    else:
        taken.changed += 1
