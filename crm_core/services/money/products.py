"""What the office sells: products, added, changed and put away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm_core.errors import Conflict, Duplicate, InvalidInput, Outdated
from crm_core.model.money import bounded
from crm_core.model.rights import Right
from crm_core.model.selling import ProductRecord
from crm_core.services import auditing
from crm_core.services.clients.contacts import UNSET, Unset
from crm_core.services.custom.fields import given as typed_fields
from crm_core.services.desk import Desk
from crm_core.services.recognising.cleaning import clean_name
from crm_core.services.recognising.recognition import searchable
from crm_core.wording import Sentence


@dataclass(frozen=True, slots=True)
class ProductChange:
    """What a product is to have; `price` in minor units of `currency`. Unset fields stay, or take their usual value."""

    name: str | Unset = UNSET
    sku: str | Unset | None = UNSET
    unit: str | Unset = UNSET
    price: int | Unset = UNSET
    currency: str | Unset = UNSET
    archived: bool | Unset = UNSET
    fields: Mapping[str, Any] | Unset = UNSET


def create(desk: Desk, given: ProductChange) -> ProductRecord:
    """Add a product; raises InvalidInput, Duplicate where another one has the article number."""
    desk.demand(Right.KEEP_SALES)
    product = changed(desk, ProductRecord(desk.work.next_id(), "", desk.now, desk.now), given)
    _free_sku(desk, product)
    desk.work.put(product)
    return product


def change(desk: Desk, product_id: int, given: ProductChange, version: int | None = None) -> ProductRecord:
    """Change a product; raises NotFound, InvalidInput, Duplicate, Conflict where it is no longer the `version` that
    was seen. Lines of deals keep the name and the price that they had."""
    desk.demand(Right.KEEP_SALES)
    before = desk.work.locked(ProductRecord, product_id)
    if before.deleted_at is not None:
        raise Conflict("the product was deleted")
    if version is not None and version != before.version:
        raise Outdated(
            "the product was changed meanwhile: it is at version {now}, not {version}",
            before,
            now=before.version,
            version=version,
        )
    product = changed(desk, before, given)
    if product != before:
        _free_sku(desk, product)
        product = product._replace(updated_at=desk.now)
        desk.work.put(product)
    return product


def delete(desk: Desk, product_id: int) -> None:
    """Take a product out of the list for good; lines and sales of it stay. Raises NotFound."""
    before = desk.work.locked(ProductRecord, product_id)
    desk.demand(Right.DELETE, before)
    if before.deleted_at is None:
        auditing.note(desk, "deleted.product", product_id)
        desk.work.put(before._replace(deleted_at=desk.now, updated_at=desk.now))


def changed(desk: Desk, product: ProductRecord, given: ProductChange) -> ProductRecord:
    """A product with changes, not put; its article number is not compared with others'. Raises InvalidInput."""
    plain: dict[str, Any] = {
        name: value
        for name in ("unit", "price", "currency", "archived")
        if not isinstance(value := getattr(given, name), Unset)
    }
    if not isinstance(given.name, Unset):
        plain["name"] = clean_name(given.name)
    if not isinstance(given.sku, Unset):
        plain["sku"] = (given.sku or "").strip() or None
    if not isinstance(given.fields, Unset):
        plain["fields"] = typed_fields(desk, "product", product.fields, given.fields)
    after = product._replace(**plain)
    if not after.name:
        raise InvalidInput("name: a product has one")
    if bounded(after.price, Sentence("price")) < 0:
        raise InvalidInput("price: it can't be negative")
    return after._replace(search=searchable(after.name, after.sku or ""))


def _free_sku(desk: Desk, product: ProductRecord) -> None:
    if product.sku is None:
        return
    other = desk.work.products_by_sku([product.sku]).get(product.sku)
    if other is not None and other.id != product.id:
        raise Duplicate(
            "sku: «{sku}» is the product {other}, «{other_name}»",
            sku=product.sku,
            other=other.id,
            other_name=other.name,
        )
