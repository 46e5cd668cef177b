"""What accounting tells: sales, payments and products, many at once and any number of times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError, WithJsonSchema

from crm_core.services.clients.contacts import UNSET
from crm_core.services.desk import Desk
from crm_core.services.money import sales_data as services
from crm_core.services.money.products import ProductChange
from crm_core.services.money.sales_data import MOST_ROWS, PaymentRow, ProductRow, Refused, SaleRow
from crm_core.services.recognising.named import Named as NamedBy
from crm_core.storage.queries import selling as queries
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.selling import SaleFilter
from hub.http.api.selling.trading import Currency, Quantity, quantity_shown
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Fields, Given, Id, Moment, Money, Named, NoBody, Paged, PageQuery, QueryId, Short, Taken
from hub.tongues import aloud

_TAG = "exchange"
_LARGEST = 10**15
_SYSTEM = "accounting"

Row = TypeVar("Row", bound=Taken)
Made = TypeVar("Made")
Amount = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST, strict=True)]


class SaleBody(Taken):
    """A sale, known by `external_id`: sent again it changes nothing, with other content it is a correction, with
    `cancelled` it is taken back. `amount` in minor units of `currency`, negative where goods came back. The client is
    named by `contact_id`, `company_id`, `client` (an id of the sending program), `tax_id` or `identity`, the product by
    `product_id`, `sku` or `product`, the deal by `deal_id` or `deal`."""

    external_id: Named
    at: Moment | None = None
    amount: Amount = 0
    currency: Currency = "RUB"
    quantity: Quantity = 1000
    name: Short = ""
    contact_id: Id | None = None
    company_id: Id | None = None
    client: Named | None = None
    tax_id: Named | None = None
    identity: Named | None = None
    product_id: Id | None = None
    sku: Named | None = None
    product: Named | None = None
    deal_id: Id | None = None
    deal: Named | None = None
    cancelled: bool = False


class PaymentRowBody(Taken):
    """Money that came, negative where it was paid back, known by `external_id` as sales are. It is put to the deal that
    is named, else to the only unpaid one of the client."""

    external_id: Named
    at: Moment | None = None
    amount: Amount = 0
    currency: Currency = "RUB"
    note: Short = ""
    contact_id: Id | None = None
    company_id: Id | None = None
    client: Named | None = None
    tax_id: Named | None = None
    identity: Named | None = None
    deal_id: Id | None = None
    deal: Named | None = None
    cancelled: bool = False


class ProductRowBody(Taken):
    """A product, known by `external_id`, else by `sku`; what is not named stays."""

    external_id: Named | None = None
    sku: Short | None = None
    name: Short | None = None
    unit: Short | None = None
    price: Annotated[int, Field(ge=0, le=_LARGEST, strict=True)] | None = None
    currency: Currency | None = None
    archived: bool | None = None
    fields: Fields | None = None


def _described(row: type[Taken]) -> Any:
    """How a row is described, although it is looked at one by one: what is wrong with one keeps no other out."""
    schema = row.model_json_schema()
    return WithJsonSchema({"type": "array", "maxItems": MOST_ROWS, "items": schema})


class SalesBody(Taken):
    """Sales of one program (`system`), 1000 at most."""

    system: Named = _SYSTEM
    rows: Annotated[list[Any], Field(max_length=MOST_ROWS), _described(SaleBody)]


class PaymentsBody(Taken):
    """Payments of one program (`system`), 1000 at most."""

    system: Named = _SYSTEM
    rows: Annotated[list[Any], Field(max_length=MOST_ROWS), _described(PaymentRowBody)]


class ProductsBody(Taken):
    """Products of one program (`system`), 1000 at most."""

    system: Named = _SYSTEM
    rows: Annotated[list[Any], Field(max_length=MOST_ROWS), _described(ProductRowBody)]


class RefusedRow(Given):
    """A row that was not taken: its place (from 0), its id, why."""

    row: int
    external_id: str
    error: str


class Intake(Given):
    """What became of the rows; all but those in `refused` were taken."""

    created: int
    changed: int
    unchanged: int
    cancelled: int
    refused: list[RefusedRow]


class SaleQuery(PageQuery):
    """Which sales; `external` finds the one that another program knows by an id, `system:id`."""

    contact_id: QueryId | None = None
    company_id: QueryId | None = None
    product_id: QueryId | None = None
    since: Moment | None = None
    external: Named | None = None


class Sale(Given):
    """A sale as accounting knows it; `external` is `system:id`."""

    id: int
    external: str
    contact_id: int | None
    company_id: int | None
    product_id: int | None
    deal_id: int | None
    name: str
    quantity: int | float
    amount: Money
    at: datetime
    recorded_at: datetime


class Sales(Paged[Sale]):
    """A page of sales."""


def _about(row: SaleBody | PaymentRowBody) -> NamedBy:
    given = row.model_dump(include=set(NamedBy.__dataclass_fields__))
    return NamedBy(**given)


def _sale(row: SaleBody) -> SaleRow:
    about = _about(row)
    return SaleRow(
        row.external_id, row.at, row.amount, row.currency, row.quantity, row.name, about, cancelled=row.cancelled
    )


def _payment(row: PaymentRowBody) -> PaymentRow:
    about = _about(row)
    return PaymentRow(row.external_id, row.at, row.amount, row.currency, row.note, about, cancelled=row.cancelled)


def _product(row: ProductRowBody) -> ProductRow:
    given = {name: value for name in row.model_fields_set if (value := getattr(row, name)) is not None}
    given.pop("external_id", None)
    return ProductRow(row.external_id, ProductChange(**{"name": UNSET, **given}))


def _taken(
    rows: Sequence[Any], form: type[Row], made: Callable[[Row], Made], take: Callable[[list[Made]], services.Taken]
) -> Intake:
    """Take the rows that make sense; the others are told by their place."""
    places: list[int] = []
    good: list[Made] = []
    refused: list[Refused] = []
    for place, given in enumerate(rows):
        try:
            good.append(made(form.model_validate(given)))
            places.append(place)
        except ValidationError as err:
            first = err.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(each) for each in first["loc"])
            name = str(given.get("external_id", ""))[:200] if isinstance(given, dict) else ""
            refused.append(Refused(place, name, f"{where}: {first['msg']}" if where else first["msg"]))
    found = take(good)
    refused.extend(Refused(places[each.row], each.external_id, each.error) for each in found.refused)
    shown = [
        RefusedRow(row=each.row, external_id=each.external_id, error=aloud(each.error))
        for each in sorted(refused, key=lambda each: each.row)
    ]
    return Intake(
        created=found.created,
        changed=found.changed,
        unchanged=found.unchanged,
        cancelled=found.cancelled,
        refused=shown,
    )


def _sales(desk: Desk, call: Call[Any, SalesBody]) -> Intake:
    body = call.body
    return _taken(body.rows, SaleBody, _sale, lambda rows: services.take_sales(desk, body.system, rows))


def _payments(desk: Desk, call: Call[Any, PaymentsBody]) -> Intake:
    body, login = call.body, call.user.login
    return _taken(
        body.rows, PaymentRowBody, _payment, lambda rows: services.take_payments(desk, body.system, login, rows)
    )


def _products(desk: Desk, call: Call[Any, ProductsBody]) -> Intake:
    body = call.body
    return _taken(body.rows, ProductRowBody, _product, lambda rows: services.take_products(desk, body.system, rows))


def _listed(conn: Reading, call: Call[SaleQuery, NoBody]) -> Sales:
    query = call.query
    wanted = SaleFilter(query.contact_id, query.company_id, query.product_id, query.since, query.external)
    page = queries.list_sales(conn, call.access, wanted, query.where)
    items = [
        Sale(
            **{name: getattr(each, name) for name in set(Sale.model_fields) - {"external", "quantity", "amount"}},
            external=each.ref,
            quantity=quantity_shown(each.quantity),
            amount=Money(amount=each.amount, currency=each.currency),
        )
        for each in page.items
    ]
    return Sales(items=items, next=page.next)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/sales",
        _listed,
        tag=_TAG,
        summary="Sales as accounting told them, the last recorded first",
        right=Right.SEE_SALES,
        query=SaleQuery,
        response=Sales,
    ),
    act(
        "POST",
        "/sales",
        _sales,
        tag=_TAG,
        summary="Take sales in: many at once, any number of times, each row for itself",
        right=Right.EXCHANGE,
        body=SalesBody,
        response=Intake,
    ),
    act(
        "POST",
        "/payments/bulk",
        _payments,
        tag=_TAG,
        summary="Take payments in: many at once, any number of times, each row for itself",
        right=Right.EXCHANGE,
        body=PaymentsBody,
        response=Intake,
    ),
    act(
        "POST",
        "/products/bulk",
        _products,
        tag=_TAG,
        summary="Take products in: many at once, any number of times, each row for itself",
        right=Right.EXCHANGE,
        body=ProductsBody,
        response=Intake,
    ),
)
