"""Payments against deals: received, planned in instalments, promised."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from crm_core.model.instalments import MOST_INSTALMENTS, Standing, standing
from crm_core.model.records import DealRecord
from crm_core.model.selling import PaymentKind, PaymentRecord
from crm_core.services.acts.deals import seen
from crm_core.services.desk import Desk
from crm_core.services.money import payments as services
from crm_core.services.money.payments import Instalment, NewPayment, PaymentChange, overdue, standing_of
from crm_core.services.settling import settle
from crm_core.storage.queries import selling as queries
from crm_core.storage.queries.deals import deal_card
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.selling import PaymentFilter
from crm_core.wording import Sentence
from hub.http.api.selling.trading import Day, ExternalIds, external_of, kept
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Moment, Money, Named, NoBody, Paged, PageQuery, Query, QueryId, Short, Taken

_TAG = "payments"
_KIND = services.KIND


class PaymentQuery(PageQuery):
    """Which payments: `open` leaves out those received and those covered; `due_until` a day; `deleted` shows also those
    taken back; `external` finds the one that another program knows by an id, `system:id`."""

    deal_id: QueryId | None = None
    contact_id: QueryId | None = None
    kind: PaymentKind | None = None
    due_until: Day | None = None
    open: bool = False
    deleted: bool = False
    external: Named | None = None


class PaymentBody(Taken):
    """A payment. Money that came has `at`, the moment when it did (now unless given), and is negative where it was paid
    back; what is planned or promised has `due_on`. `external` are its ids in other programs: one that is known already
    is changed instead, so that a repeat changes nothing."""

    kind: PaymentKind = PaymentKind.RECEIVED
    amount: Money
    at: Moment | None = None
    due_on: Day | None = None
    note: Short = ""
    external: ExternalIds = Field(default_factory=dict)


class PaymentPatch(Taken):
    """What is to be corrected of a payment."""

    amount: Money | None = None
    at: Moment | None = None
    due_on: Day | None = None
    note: Short | None = None
    external: ExternalIds = Field(default_factory=dict)


class InstalmentBody(Taken):
    """One of a plan, in the deal's minor units."""

    due_on: Day
    amount: Annotated[int, Field(gt=0, strict=True)]


class PlanBody(Taken):
    """How a deal is to be paid: `count` equal parts, one a month from `first_on`, or all `instalments`, which together
    are the deal's amount. No instalments take the plan back."""

    count: Annotated[int, Field(ge=1, le=MOST_INSTALMENTS, strict=True)] | None = None
    first_on: Day | None = None
    instalments: Annotated[list[InstalmentBody], Field(max_length=MOST_INSTALMENTS)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.count is None) == (self.instalments is None):
            raise ValueError(Sentence("give either «count» and «first_on», or «instalments»"))
        if self.count is not None and self.first_on is None:
            raise ValueError(Sentence("first_on: the day of the first instalment"))
        return self


class Payment(Given):
    """A payment. `covered` is how much of a planned or promised one is covered by money that came, `settled_at` when
    it was covered whole, `broken_at` when it was found to be overdue."""

    id: int
    deal_id: int
    contact_id: int | None
    kind: PaymentKind
    amount: Money
    at: datetime | None
    due_on: str | None
    covered: Money
    settled_at: datetime | None
    broken_at: datetime | None
    note: str
    author: str
    created_at: datetime
    deleted_at: datetime | None
    external: dict[str, str]


class Payments(Paged[Payment]):
    """A page of payments."""


class DealPayments(Given):
    """The payments of a deal, and how it stands: `planned` is the sum of its instalments, `pay_by` the end of the day
    by which the next open one is due."""

    items: list[Payment]
    amount: Money
    paid: Money
    balance: Money
    planned: Money
    pay_by: datetime | None
    overdue: bool
    version: int


def _payment(record: PaymentRecord, covered: int, known: dict[str, str]) -> Payment:
    apart = {"amount", "covered", "external"}
    return Payment(
        **{name: getattr(record, name) for name in set(Payment.model_fields) - apart},
        amount=Money(amount=record.amount, currency=record.currency),
        covered=Money(amount=covered, currency=record.currency),
        external=known,
    )


def _of_deal(deal: DealRecord, found: Standing, now: datetime, known: dict[int, dict[str, str]]) -> DealPayments:
    def money(amount: int) -> Money:
        return Money(amount=amount, currency=deal.currency)

    ordered = sorted(found.payments, key=lambda each: (each.due_on or _day(each), each.id))
    return DealPayments(
        items=[_payment(each, found.covered.get(each.id, 0), known.get(each.id, {})) for each in ordered],
        amount=money(deal.amount),
        paid=money(found.paid),
        balance=money(deal.amount - found.paid),
        planned=money(sum(each.amount for each in ordered if each.kind is PaymentKind.PLANNED)),
        pay_by=deal.pay_by,
        overdue=overdue(deal, now),
        version=deal.version,
    )


def _day(record: PaymentRecord) -> str:
    return (record.at or record.created_at).date().isoformat()


def _shown_deal(desk: Desk, deal_id: int) -> DealPayments:
    settle(desk)
    deal = services.deal_of(desk, deal_id)
    found = standing_of(desk, deal)
    refs = desk.work.external_ids_of(_KIND, [each.id for each in found.payments])
    known = {key: {each.key.split(":", 2)[1]: each.key.split(":", 2)[2] for each in held} for key, held in refs.items()}
    return _of_deal(deal, found, desk.now, known)


def _shown(desk: Desk, payment_id: int, known: dict[str, str]) -> Payment:
    settle(desk)
    record = desk.work.get(PaymentRecord, payment_id)
    covered = standing_of(desk, desk.work.get(DealRecord, record.deal_id)).covered
    return _payment(record, covered.get(record.id, 0), known)


def _deals_payments(conn: Reading, call: Call[Query, NoBody]) -> DealPayments:
    deal = deal_card(conn, call.access, call.number()).deal
    listed = queries.payments_of(conn, call.access, deal)
    zone = call.hub.store.office.time_zone
    found = standing(listed, deal.amount, zone, watched=deal.pay_by is not None)
    known = external_of(conn, _KIND, [each.id for each in listed])
    return _of_deal(deal, found, call.hub.clock.now(), known)


def _listed(conn: Reading, call: Call[PaymentQuery, NoBody]) -> Payments:
    query = call.query
    wanted = PaymentFilter(
        query.deal_id,
        query.contact_id,
        query.kind,
        query.due_until,
        query.open,
        query.deleted,
        queries.subjects_of(conn, _KIND, query.external),
    )
    page = queries.list_payments(conn, call.access, wanted, query.where)
    covered = _covered(conn, call, page.items)
    known = external_of(conn, _KIND, [each.id for each in page.items])
    return Payments(
        items=[_payment(each, covered.get(each.id, 0), known.get(each.id, {})) for each in page.items], next=page.next
    )


def _one(conn: Reading, call: Call[Query, NoBody]) -> Payment:
    record = queries.one_payment(conn, call.access, call.number())
    covered = _covered(conn, call, [record])
    return _payment(record, covered.get(record.id, 0), external_of(conn, _KIND, [record.id]).get(record.id, {}))


def _covered(conn: Reading, call: Call[Any, Any], records: Any) -> dict[int, int]:
    """How much of payments is covered; what is settled is covered whole, and only for others their deals are read."""
    found = {each.id: each.amount for each in records if each.settled_at is not None}
    pending = {each.deal_id for each in records if each.settled_at is None and each.kind is not PaymentKind.RECEIVED}
    for deal, listed in queries.deals_with_payments(conn, pending):
        found.update(standing(listed, deal.amount, call.hub.store.office.time_zone).covered)
    return found


def _recorded(desk: Desk, call: Call[Any, PaymentBody]) -> Payment:
    body = call.body
    new = NewPayment(body.kind, body.amount.amount, body.amount.currency, body.at, body.due_on, body.note)
    seen(desk, call.number())
    record = services.record(desk, call.number(), call.user.login, new, dict(body.external))
    return _shown(desk, record.id, kept(desk, _KIND, record.id, body))


def _planned(desk: Desk, call: Call[Any, PlanBody]) -> DealPayments:
    body, deal_id = call.body, call.number()
    seen(desk, deal_id)
    if body.count is not None and body.first_on is not None:
        services.monthly_plan(desk, deal_id, call.user.login, body.count, date.fromisoformat(body.first_on))
    else:
        listed = [Instalment(each.due_on, each.amount) for each in body.instalments or ()]
        services.plan(desk, deal_id, call.user.login, listed)
    return _shown_deal(desk, deal_id)


def _corrected(desk: Desk, call: Call[Any, PaymentPatch]) -> Payment:
    body = call.body
    given: dict[str, Any] = {
        name: value for name in ("at", "due_on", "note") if (value := getattr(body, name)) is not None
    }
    if body.amount is not None:
        given["amount"], given["currency"] = body.amount.amount, body.amount.currency
    seen(desk, services.one(desk, call.number())[1].id)
    record = services.correct(desk, call.number(), PaymentChange(**given))
    return _shown(desk, record.id, kept(desk, _KIND, record.id, body))


def _deleted(desk: Desk, call: Call[Any, NoBody]) -> None:
    seen(desk, services.one(desk, call.number())[1].id)
    services.delete(desk, call.number())


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/deals/{id}/payments",
        _deals_payments,
        tag=_TAG,
        summary="The payments of a deal, and how it stands with them",
        right=Right.SEE_SALES,
        response=DealPayments,
    ),
    act(
        "POST",
        "/deals/{id}/payments",
        _recorded,
        tag=_TAG,
        summary="Note a payment against a deal: received, planned or promised",
        right=Right.KEEP_SALES,
        body=PaymentBody,
        response=Payment,
        status=201,
    ),
    act(
        "PUT",
        "/deals/{id}/instalments",
        _planned,
        tag=_TAG,
        summary="Plan the instalments of a deal, instead of the plan that it had",
        right=Right.KEEP_SALES,
        body=PlanBody,
        response=DealPayments,
    ),
    read(
        "/payments",
        _listed,
        tag=_TAG,
        summary="Payments, the newest first",
        right=Right.SEE_SALES,
        query=PaymentQuery,
        response=Payments,
    ),
    read("/payments/{id}", _one, tag=_TAG, summary="One payment", right=Right.SEE_SALES, response=Payment),
    act(
        "PATCH",
        "/payments/{id}",
        _corrected,
        tag=_TAG,
        summary="Correct a payment: what is not named stays",
        right=Right.KEEP_SALES,
        body=PaymentPatch,
        response=Payment,
    ),
    act(
        "DELETE",
        "/payments/{id}",
        _deleted,
        tag=_TAG,
        summary="Take a payment back that was none",
        right=Right.DELETE,
        response=None,
    ),
)
