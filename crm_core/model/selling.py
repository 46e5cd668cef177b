"""What is sold, to whom, for how much: companies, products, payments, accounting's sales, what follows from them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

Json = Any


class CompanyRecord(NamedTuple):
    """A company. `search` is its name and numbers in the form in which they are looked for, `name_key` the name in the
    form in which names are compared, `tax_id` its ИНН or the like."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    search: str = ""
    name_key: str = ""
    tax_id: str | None = None
    manager: str | None = None
    city: str | None = None
    version: int = 1
    fields: Json = {}
    tags: Json = []
    deleted_at: datetime | None = None


class LinkRecord(NamedTuple):
    """That two records belong together, unique by both ends and the role: `role` says what the second is to the first
    («ЛПР», «рекламация»). Ends are `(kind, id)` as in `crm_core.model.subject_of`."""

    id: int
    from_kind: str
    from_id: int
    to_kind: str
    to_id: int
    role: str
    created_at: datetime
    author: str


class ProductRecord(NamedTuple):
    """Something that is sold; `price` in minor units of `currency` for one `unit`."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    sku: str | None = None
    search: str = ""
    unit: str = ""
    price: int = 0
    currency: str = "RUB"
    archived: bool = False
    version: int = 1
    fields: Json = {}
    deleted_at: datetime | None = None


class LineItemRecord(NamedTuple):
    """A line of a deal. `quantity` in thousandths of a unit; `price`, `discount`, `total` in the deal's minor units."""

    id: int
    deal_id: int
    position: int
    name: str
    quantity: int
    price: int
    total: int
    product_id: int | None = None
    discount: int = 0
    unit: str = ""


class PaymentKind(StrEnum):
    """Money that came, an instalment that is due, or one that the client promised."""

    RECEIVED = "received"
    PLANNED = "planned"
    PROMISED = "promised"


class PaymentRecord(NamedTuple):
    """A payment against a deal. `amount` in minor units of `currency`; `due_on` the day (`YYYY-MM-DD`, office's zone)
    by which a planned or promised one is due; `settled_at` when it was covered by money that came."""

    id: int
    deal_id: int
    contact_id: int | None
    kind: PaymentKind
    amount: int
    currency: str
    created_at: datetime
    author: str
    at: datetime | None = None
    due_on: str | None = None
    settled_at: datetime | None = None
    broken_at: datetime | None = None
    note: str = ""
    deleted_at: datetime | None = None


class SaleRecord(NamedTuple):
    """A sale as accounting knows it (a shipment's line); unique by `ref`: `system:external id`. `quantity` in
    thousandths of a unit, `amount` in minor units."""

    id: int
    ref: str
    contact_id: int | None
    company_id: int | None
    product_id: int | None
    name: str
    quantity: int
    amount: int
    currency: str
    at: datetime
    recorded_at: datetime
    deal_id: int | None = None


class ClientScoreRecord(NamedTuple):
    """What a client's sales tell of them, worked out daily. `revenue` in minor units of the last year; `abc`, `xyz` one
    letter each, `rfm` three digits."""

    contact_id: int
    status: str
    orders: int
    revenue: int
    computed_at: datetime
    first_sale_at: datetime | None = None
    last_sale_at: datetime | None = None
    abc: str = ""
    xyz: str = ""
    rfm: str = ""
    relation: int | None = None
    attraction: int | None = None


class NeedRecord(NamedTuple):
    """What a client will probably buy next, from what they bought. `quantity` in thousandths, `period_days` between
    orders; `probability` in per cent for the coming period, `hits` of `checks` earlier predictions came true."""

    id: int
    contact_id: int
    product_id: int | None
    name: str
    quantity: int
    period_days: int
    next_on: str
    probability: int
    computed_at: datetime
    hits: int = 0
    checks: int = 0
    explanation: str = ""
