"""Products, and the lines of a deal that name them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from crm_core.errors import NotFound, Outdated
from crm_core.model.records import DealRecord
from crm_core.model.selling import LineItemRecord, ProductRecord
from crm_core.services.acts.deals import seen
from crm_core.services.desk import Desk
from crm_core.services.money import items, products
from crm_core.services.money.items import NewItem
from crm_core.services.money.products import ProductChange
from crm_core.services.recognising import external
from crm_core.services.settling import settle
from crm_core.storage.queries import selling as queries
from crm_core.storage.queries.deals import deal_card
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.selling import ProductFilter
from hub.http.api.selling.trading import ExternalIds, Percent, Quantity, external_of, kept, quantity_shown
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Fields, Given, Id, Money, Named, NoBody, Paged, PageQuery, Query, Short, Taken

_TAG = "products"


class ProductQuery(PageQuery):
    """Which products: `q` a part of the name or article number, `external` another program's id, `system:id`."""

    q: Short = ""
    sku: Named | None = None
    external: Named | None = None
    archived: bool = False


class ProductBody(Taken):
    """What a product is to have; `sku` is its article number, unique. `external` are its ids in other programs."""

    name: Short = ""
    sku: Short | None = None
    unit: Short = ""
    price: Money | None = None
    archived: bool = False
    fields: Fields = Field(default_factory=dict)
    external: ExternalIds = Field(default_factory=dict)


class ProductPatch(ProductBody):
    """The same; `version`, where given, is the one that was seen: 409 where it changed meanwhile."""

    version: Id | None = None


class Product(Given):
    """Something that is sold; `price` of one `unit`."""

    id: int
    name: str
    sku: str | None
    unit: str
    price: Money
    archived: bool
    fields: dict[str, Any]
    external: dict[str, str]
    version: int
    created_at: datetime
    updated_at: datetime


class Products(Paged[Product]):
    """A page of products."""


class ItemBody(Taken):
    """A line: a product (by `product_id`, `sku` or `external`) or a `name`. `price` and `discount` are in the deal's
    minor units; without a price it is the product's; `discount_percent` instead of `discount` is rounded half up."""

    product_id: Id | None = None
    sku: Named | None = None
    external: Named | None = None
    name: Short | None = None
    quantity: Quantity = 1000
    price: Annotated[int, Field(ge=0, strict=True)] | None = None
    discount: Annotated[int, Field(ge=0, strict=True)] = 0
    discount_percent: Percent | None = None
    unit: Short | None = None


class ItemsBody(Taken):
    """All lines of the deal, in order; none takes them all out."""

    items: Annotated[list[ItemBody], Field(max_length=500)]
    version: Id | None = None


class Item(Given):
    """A line of a deal; amounts in the deal's minor units, `total` is quantity times price, rounded half up, less the
    discount."""

    id: int
    position: int
    product_id: int | None
    name: str
    unit: str
    quantity: int | float
    price: int
    discount: int
    total: int


class Items(Given):
    """The lines of a deal and what it comes to."""

    items: list[Item]
    amount: Money
    version: int


def _product(record: ProductRecord, known: dict[str, str]) -> Product:
    apart = {"price", "external"}
    return Product(
        **{name: getattr(record, name) for name in set(Product.model_fields) - apart},
        price=Money(amount=record.price, currency=record.currency),
        external=known,
    )


def _listed(conn: Reading, call: Call[ProductQuery, NoBody]) -> Products:
    query = call.query
    wanted = ProductFilter(query.q, query.sku, queries.subjects_of(conn, "product", query.external), query.archived)
    page = queries.list_products(conn, call.access, wanted, query.where)
    known = external_of(conn, "product", [each.id for each in page.items])
    return Products(items=[_product(each, known.get(each.id, {})) for each in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Product:
    record = queries.one_product(conn, call.access, call.number())
    return _product(record, external_of(conn, "product", [record.id]).get(record.id, {}))


def _added(desk: Desk, call: Call[Any, ProductBody]) -> Product:
    record = products.create(desk, _change(call.body))
    return _shown(desk, record, kept(desk, "product", record.id, call.body))


def _changed(desk: Desk, call: Call[Any, ProductPatch]) -> Product:
    try:
        record = products.change(desk, call.number(), _change(call.body), call.body.version)
    except Outdated as err:
        known = desk.work.external_ids_of("product", [call.number()]).get(call.number(), [])
        current = _product(desk.work.get(ProductRecord, call.number()), external.shown(known))
        raise Outdated(str(err), current) from err
    return _shown(desk, record, kept(desk, "product", record.id, call.body))


def _deleted(desk: Desk, call: Call[Any, NoBody]) -> None:
    products.delete(desk, call.number())


def _shown(desk: Desk, record: ProductRecord, known: dict[str, str]) -> Product:
    settle(desk)
    return _product(desk.work.peek(ProductRecord, record.id) or record, known)


def _change(body: ProductBody) -> ProductChange:
    plain = {"name", "sku", "unit", "archived", "fields"}
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set & plain}
    if body.price is not None:
        given["price"], given["currency"] = body.price.amount, body.price.currency
    return ProductChange(**given)


# ---------------------------------------------------------------- lines


def _items(deal: DealRecord, lines: list[LineItemRecord]) -> Items:
    shown = [
        Item(
            **{name: getattr(each, name) for name in set(Item.model_fields) - {"quantity"}},
            quantity=quantity_shown(each.quantity),
        )
        for each in lines
    ]
    return Items(items=shown, amount=Money(amount=deal.amount, currency=deal.currency), version=deal.version)


def _lines(conn: Reading, call: Call[Query, NoBody]) -> Items:
    deal = deal_card(conn, call.access, call.number()).deal
    return _items(deal, queries.lines_of(conn, call.access, deal))


def _put(desk: Desk, call: Call[Any, ItemsBody]) -> Items:
    given = [NewItem(**each.model_dump()) for each in call.body.items]
    seen(desk, call.number())
    try:
        deal, lines = items.put_items(desk, call.number(), given, call.body.version)
    except Outdated as err:
        now = _items(desk.work.get(DealRecord, call.number()), items.items_of(desk, [call.number()]))
        raise Outdated(str(err), now) from err
    settle(desk)
    found = desk.work.peek(DealRecord, deal.id)
    if found is None:
        raise NotFound("there is no deal {deal}", deal=deal.id)
    return _items(found, lines)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/products",
        _listed,
        tag=_TAG,
        summary="Products, the newest first",
        right=Right.SEE_SALES,
        query=ProductQuery,
        response=Products,
    ),
    act(
        "POST",
        "/products",
        _added,
        tag=_TAG,
        summary="Add a product",
        right=Right.KEEP_SALES,
        body=ProductBody,
        response=Product,
        status=201,
    ),
    read("/products/{id}", _one, tag=_TAG, summary="One product", right=Right.SEE_SALES, response=Product),
    act(
        "PATCH",
        "/products/{id}",
        _changed,
        tag=_TAG,
        summary="Change a product: what is not named stays",
        right=Right.KEEP_SALES,
        body=ProductPatch,
        response=Product,
    ),
    act(
        "DELETE",
        "/products/{id}",
        _deleted,
        tag=_TAG,
        summary="Delete a product; lines and sales of it stay",
        right=Right.DELETE,
        response=None,
    ),
    read(
        "/deals/{id}/items",
        _lines,
        tag="deals",
        summary="The lines of a deal",
        right=Right.SEE_SALES,
        response=Items,
    ),
    act(
        "PUT",
        "/deals/{id}/items",
        _put,
        tag="deals",
        summary="Give a deal its lines; its amount follows their sum",
        right=Right.KEEP_SALES,
        body=ItemsBody,
        response=Items,
    ),
)
