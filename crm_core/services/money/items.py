"""The lines of a deal: what is sold in it, how much of it, for how much; the deal's amount follows their sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm_core.errors import Conflict, InvalidInput, Outdated
from crm_core.model.history import Change
from crm_core.model.money import MOST, bounded, gross, one_currency, part_of
from crm_core.model.records import DealRecord
from crm_core.model.rights import Right
from crm_core.model.selling import LineItemRecord, PaymentRecord, ProductRecord
from crm_core.services.desk import Desk
from crm_core.services.recognising import external
from crm_core.services.recognising.cleaning import clean_name
from crm_core.wording import Sentence

_MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class NewItem:
    """A line as it is given. The product is named by its id, article number or another program's id (`system:id`), or
    not at all, when the line has a name. `quantity` in thousandths of a unit; `price` in the deal's minor units, the
    product's where None; `discount` of the line in minor units, or `discount_percent` in hundredths of a per cent."""

    quantity: int
    product_id: int | None = None
    sku: str | None = None
    external: str | None = None
    name: str | None = None
    price: int | None = None
    discount: int = 0
    discount_percent: int | None = None
    unit: str | None = None


def put_items(
    desk: Desk, deal_id: int, given: Sequence[NewItem], version: int | None = None
) -> tuple[DealRecord, list[LineItemRecord]]:
    """Give a deal these lines, in this order, instead of those it had.

    Lines of the same product keep their identity, so that the history tells what changed. Raises NotFound, Conflict,
    InvalidInput. Where the last line goes, the amount stays and is people's to keep again.
    """
    desk.demand(Right.KEEP_SALES)
    deal = desk.work.deals([deal_id]).get(deal_id) or desk.work.get(DealRecord, deal_id)
    if deal.deleted_at is not None:
        raise Conflict("the deal was deleted")
    if version is not None and version != deal.version:
        raise Outdated(
            "the deal was changed meanwhile: it is at version {now}, not {version}",
            deal,
            now=deal.version,
            version=version,
        )
    if len(given) > _MOST_LINES:
        raise InvalidInput("items: at most {most} lines a deal", most=_MOST_LINES)
    products = _products(desk, given)
    known = sorted(items_of(desk, [deal_id]), key=lambda each: (each.position, each.id))
    made: list[LineItemRecord] = []
    for position, (new, product) in enumerate(zip(given, products, strict=True)):
        line = _line(deal, position, new, product)
        same = next((each for each in known if (each.product_id, each.name) == (line.product_id, line.name)), None)
        if same is not None:
            known.remove(same)
        line = line._replace(id=same.id if same is not None else desk.work.next_id())
        if line != same:
            desk.work.put(line)
        made.append(line)
    for each in known:
        desk.work.remove(LineItemRecord, each.id)
    total(made)
    return deal, made


def items_of(desk: Desk, deal_ids: Sequence[int]) -> list[LineItemRecord]:
    """The lines of deals."""
    return desk.work.related(LineItemRecord, "deal_id", deal_ids)


def copy_items(desk: Desk, source_id: int, target_id: int) -> None:
    """Give a deal that was copied the lines of the one that it was copied from."""
    for each in items_of(desk, [source_id]):
        desk.work.put(each._replace(id=desk.work.next_id(), deal_id=target_id))


def total(lines: Sequence[LineItemRecord]) -> int:
    """The sum of lines; raises InvalidInput where it is too much."""
    return bounded(sum(each.total for each in lines), Sentence("items: their sum"))


def settle_items(desk: Desk, changes: Sequence[Change]) -> None:
    """A step: the amount of a deal that has lines is their sum, and its currency stays that of its lines and payments.

    Asks nothing where no line, no amount and no currency of a known deal changed.
    """
    touched: dict[int, None] = {}
    for before, after in changes:
        match after or before:
            case LineItemRecord(deal_id=deal_id):
                touched[deal_id] = None
            case DealRecord(id=deal_id) if before is not None and after is not None:
                if before.currency != after.currency:
                    _same_currency(desk, before, after)
                if before.amount != after.amount:
                    touched[deal_id] = None
    if not touched:
        return
    lines: dict[int, list[LineItemRecord]] = {}
    for each in items_of(desk, list(touched)):
        lines.setdefault(each.deal_id, []).append(each)
    deals = desk.work.deals(lines)
    for deal_id, deal in deals.items():
        amount = total(lines[deal_id])
        if deal.amount != amount:
            desk.work.put(deal._replace(amount=amount, updated_at=desk.now))


def _same_currency(desk: Desk, before: DealRecord, after: DealRecord) -> None:
    lines = items_of(desk, [after.id])
    money = [each for each in desk.work.related(PaymentRecord, "deal_id", [after.id]) if each.deleted_at is None]
    if lines or money:
        raise InvalidInput(
            "currency: the lines and payments of the deal are in {currency}: take them out first, or "
            "keep the deal in that currency",
            currency=before.currency,
        )


def _products(desk: Desk, given: Sequence[NewItem]) -> list[ProductRecord | None]:
    by_id = {
        each.id: each
        for each in desk.work.related(ProductRecord, "id", [new.product_id for new in given if new.product_id])
    }
    by_sku = desk.work.products_by_sku([new.sku for new in given if new.sku])
    keys = {new.external: external.parse("product", new.external) for new in given if new.external}
    known = external.found(desk, keys.values()) if keys else {}
    by_external = {each.id: each for each in desk.work.related(ProductRecord, "id", known.values())}
    found: list[ProductRecord | None] = []
    for position, new in enumerate(given):
        product: ProductRecord | None = None
        if new.product_id is not None:
            product = by_id.get(new.product_id)
        elif new.sku:
            product = by_sku.get(new.sku)
        elif new.external:
            product = by_external.get(known.get(keys[new.external], 0))
        elif new.name:
            found.append(None)
            continue
        if product is None or product.deleted_at is not None:
            what = new.product_id or new.sku or new.external
            where = f"items[{position}]"
            if not what:
                raise InvalidInput("{where}: give it a name", where=where)
            raise InvalidInput("{where}: there is no product «{product}»", where=where, product=what)
        found.append(product)
    return found


def _line(deal: DealRecord, position: int, new: NewItem, product: ProductRecord | None) -> LineItemRecord:
    where = f"items[{position}]"
    price = new.price
    if price is None:
        if product is None:
            raise InvalidInput("{where}: a line without a product has a price", where=where)
        one_currency(
            product.currency,
            deal.currency,
            Sentence("{where}: the price of «{product}»", where=where, product=product.name),
        )
        price = product.price
    if price < 0 or bounded(price, Sentence("{where}: price", where=where)) < 0:
        raise InvalidInput("{where}: the price can't be negative", where=where)
    if not 0 < new.quantity <= MOST:
        raise InvalidInput("{where}: the quantity is at least a thousandth of a unit", where=where)
    whole = bounded(gross(new.quantity, price), Sentence("{where}: its total", where=where))
    discount = new.discount
    if new.discount_percent is not None:
        discount = part_of(whole, new.discount_percent)
    if not 0 <= discount <= whole:
        raise InvalidInput(
            "{where}: the discount is between nothing and the whole price of the line, {whole}",
            where=where,
            whole=whole,
        )
    name = clean_name(new.name) if new.name else ""
    return LineItemRecord(
        id=0,
        deal_id=deal.id,
        position=position,
        name=name or (product.name if product is not None else ""),
        quantity=new.quantity,
        price=price,
        total=whole - discount,
        product_id=product.id if product is not None else None,
        discount=discount,
        unit=new.unit if new.unit is not None else (product.unit if product is not None else ""),
    )
