"""Lines of products, and products that lines of sales name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.importing import Became
from crm_core.model.selling import ProductRecord
from crm_core.services.importing.batch import Batch, Given
from crm_core.services.importing.cells import sum_of
from crm_core.services.importing.words import Fault
from crm_core.services.recognising.cleaning import clean_name
from crm_core.services.recognising.recognition import searchable

PRODUCT = "product"


@dataclass(slots=True)
class Products:
    """Products by what names them; of several of one name none is meant."""

    batch: Batch
    by_id: dict[int, ProductRecord] = field(default_factory=dict)
    by_sku: dict[str, int] = field(default_factory=dict)
    by_name: dict[str, set[int]] = field(default_factory=dict)

    def read(self, skus: Iterable[str], names: Iterable[str], ids: Iterable[int] = ()) -> None:
        """Find the products of these article numbers, names, own ids; a statement each."""
        work = self.batch.desk.work
        found: list[ProductRecord] = []
        if wanted := [each for each in set(skus) if each]:
            found += work.related(ProductRecord, "sku", wanted)
        if named := [each for each in set(names) if each]:
            found += work.related(ProductRecord, "name", named)
        if numbers := list(set(ids)):
            found += work.related(ProductRecord, "id", numbers)
        for product in found:
            self.know(product)

    def know(self, product: ProductRecord) -> None:
        """Find it from now on."""
        self.by_id[product.id] = product
        if product.deleted_at is None:
            self.by_name.setdefault(product.name, set()).add(product.id)
            if product.sku:
                self.by_sku[product.sku] = product.id

    def id_of(self, sku: str, name: str) -> int | None:
        """The one product of this article number, else of this name."""
        if sku and sku in self.by_sku:
            return self.by_sku[sku]
        found = self.by_name.get(name, set()) if name else set()
        return next(iter(found)) if len(found) == 1 else None


def take(batch: Batch, lines: list[Given]) -> None:
    """Take lines of products in."""
    keys = {each.line.number: batch.key_of(each) for each in lines}
    batch.look_up(keys.values())
    products = Products(batch)
    own = [number for each in lines if (number := batch.hub_id(each)) is not None]
    known = [batch.refs[key] for key in keys.values() if key is not None and key in batch.refs]
    products.read(
        [each.text("sku") for each in lines], [clean_name(each.text("name")) for each in lines], [*own, *known]
    )
    for given in lines:
        _take_one(batch, products, given, keys[given.line.number])


def _take_one(batch: Batch, products: Products, given: Given, key: str | None) -> None:
    name, sku = clean_name(given.text("name")), given.text("sku")[:200]
    number = (batch.refs.get(key) if key is not None else None) or batch.hub_id(given)
    if number is None:
        number = products.by_sku.get(sku) if sku else products.id_of("", name)
    before = batch.verified(given, products.by_id.get(number) if number is not None else None)
    if before is not None and before.deleted_at is not None:
        batch.refuse(given, Fault.ERASED)
        return
    if before is None and not (name or sku):
        batch.refuse(given, Fault.NO_NAME)
        return
    seen = batch.seen([f"{PRODUCT}:{sku or name}", *([key] if key else [])])
    desk = batch.desk
    product = before or ProductRecord(desk.work.next_id(), name or sku, desk.now, desk.now, sku=sku or None)
    after = _filled(batch, products, given, product, name, sku)
    if after is None:
        return
    batch.remember(key, PRODUCT, after.id)
    if before is None or after != before:
        after = after._replace(updated_at=desk.now, search=searchable(after.name, after.sku or ""))
        desk.work.put(after)
        products.know(after)
    if before is None:
        batch.became(given, Became.UPDATED if seen else Became.CREATED, after.id)
    else:
        batch.became(given, Became.UPDATED if after != before else Became.UNCHANGED, after.id)


def _filled(
    batch: Batch, products: Products, given: Given, product: ProductRecord, name: str, sku: str
) -> ProductRecord | None:
    changes: dict[str, Any] = {"name": name, "unit": clean_name(given.text("unit"))}
    if products.by_sku.get(sku, product.id) == product.id:
        changes["sku"] = sku
    after: ProductRecord = batch.merged(product, changes)
    if given.text("price") and batch.wins(product.price or None):
        try:
            price, currency = sum_of(given.text("price"), given.text("currency") or product.currency)
        except InvalidInput as err:
            batch.refuse(given, Fault.VALUE, heading=given.headings.get("price", "price"), error=err)
            return None
        if price < 0:
            batch.refuse(given, Fault.VALUE, heading=given.headings.get("price", "price"), error=written.brief(price))
            return None
        after = after._replace(price=price, currency=currency)
    archived = batch.read(given, "archived", written.flag)
    if archived is not None and batch.wins(product.archived or None):
        after = after._replace(archived=archived)
    fields = batch.fields(given, after.fields)
    return after._replace(fields=fields) if fields != after.fields else after
