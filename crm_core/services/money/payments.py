"""Money against deals: received, planned in instalments, promised; and what follows when it comes or does not come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.model.instalments import MOST_INSTALMENTS, Standing, end_of, monthly, split, standing
from crm_core.model.money import bounded, one_currency
from crm_core.model.records import DealRecord, StageKind
from crm_core.model.rights import Right
from crm_core.model.selling import PaymentKind, PaymentRecord
from crm_core.services import auditing
from crm_core.services.clients.contacts import UNSET, Unset
from crm_core.services.desk import Desk
from crm_core.services.recognising import external
from crm_core.wording import Sentence

KIND = "payment"
_MOST_PAYMENTS = 5000  # of one deal


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment as it is given. `amount` in minor units of `currency`, negative where money was paid back; `at` when
    money came (now unless given), `due_on` the day by which it is to come (`YYYY-MM-DD`, office's zone)."""

    kind: PaymentKind
    amount: int
    currency: str
    at: datetime | None = None
    due_on: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class PaymentChange:
    """A correction of a payment. Unset fields stay."""

    amount: int | Unset = UNSET
    currency: str | Unset = UNSET
    at: datetime | Unset = UNSET
    due_on: str | Unset = UNSET
    note: str | Unset = UNSET


@dataclass(frozen=True, slots=True)
class Instalment:
    """One of a plan: the day by which it is due, and how much."""

    due_on: str
    amount: int


def record(
    desk: Desk, deal_id: int, login: str, new: NewPayment, ids: dict[str, str | None] | None = None
) -> PaymentRecord:
    """Note a payment against a deal. `ids` are those by which other programs know it: one that is known already changes
    that payment instead, so that a repeat changes nothing. Raises NotFound, Conflict, InvalidInput."""
    desk.demand(Right.KEEP_SALES)
    deal = deal_of(desk, deal_id)
    keys = [external.key_of(KIND, system, value) for system, value in (ids or {}).items() if value is not None]
    known = set(external.found(desk, keys).values())
    if known:
        before = desk.work.payments(known)[min(known)]
        if before.deal_id != deal_id or before.kind is not new.kind:
            raise Conflict("external: this is the payment {now} of the deal {deal}", now=before.id, deal=before.deal_id)
        return correct(
            desk, before.id, PaymentChange(new.amount, new.currency, new.at or UNSET, new.due_on or UNSET, new.note)
        )
    if len(payments_of(desk, [deal_id])) >= _MOST_PAYMENTS:
        raise Conflict("a deal has at most {most} payments", most=_MOST_PAYMENTS)
    payment = made(desk, deal, login, new)
    desk.work.put(payment)
    if ids:
        external.keep(desk, KIND, payment.id, ids)
    return payment


def correct(desk: Desk, payment_id: int, change: PaymentChange) -> PaymentRecord:
    """Correct a payment; what follows from it is worked out anew. Raises NotFound, Conflict, InvalidInput."""
    desk.demand(Right.KEEP_SALES)
    before, deal = one(desk, payment_id)
    if before.deleted_at is not None:
        raise Conflict("the payment was deleted")
    after = corrected(desk, deal, before, change)
    if after != before:
        desk.work.put(after)
    return after


def delete(desk: Desk, payment_id: int) -> None:
    """Take a payment back that was none; it stays to be seen. Raises NotFound."""
    before, deal = one(desk, payment_id)
    desk.demand(Right.DELETE, deal)
    if before.deleted_at is None:
        auditing.note(desk, "deleted.payment", payment_id, contact_id=before.contact_id)
        desk.work.put(before._replace(deleted_at=desk.now))


def plan(desk: Desk, deal_id: int, login: str, instalments: Sequence[Instalment]) -> list[PaymentRecord]:
    """Plan how a deal is paid, instead of the plan that it had; instalments that stay as they were keep their identity.

    Raises InvalidInput where their sum is not the deal's amount, NotFound, Conflict.
    """
    desk.demand(Right.KEEP_SALES)
    deal = deal_of(desk, deal_id)
    if len(instalments) > MOST_INSTALMENTS:
        raise InvalidInput("instalments: at most {most}", most=MOST_INSTALMENTS)
    whole = sum(each.amount for each in instalments)
    if instalments and whole != deal.amount:
        raise InvalidInput(
            "instalments: together they are {whole}, the deal's amount is {amount}", whole=whole, amount=deal.amount
        )
    known = [
        each for each in payments_of(desk, [deal_id]) if each.kind is PaymentKind.PLANNED and each.deleted_at is None
    ]
    found: list[PaymentRecord] = []
    for each in instalments:
        same = next((old for old in known if (old.due_on, old.amount) == (each.due_on, each.amount)), None)
        if same is not None:
            known.remove(same)
            found.append(same)
            continue
        new = NewPayment(PaymentKind.PLANNED, each.amount, deal.currency, due_on=each.due_on)
        found.append(made(desk, deal, login, new))
        desk.work.put(found[-1])
    for old in known:
        desk.work.put(old._replace(deleted_at=desk.now))
    return found


def monthly_plan(desk: Desk, deal_id: int, login: str, count: int, first_on: date) -> list[PaymentRecord]:
    """Plan that a deal is paid in equal parts, one a month from a day on; raises what `plan` raises."""
    desk.demand(Right.KEEP_SALES)
    deal = deal_of(desk, deal_id)
    parts = zip(monthly(first_on, count), split(deal.amount, count), strict=True)
    return plan(desk, deal_id, login, [Instalment(day.isoformat(), amount) for day, amount in parts])


def move_payments(desk: Desk, source_id: int, target_id: int) -> None:
    """Carry the plan, the promises and the money of a deal over to the one that was copied from it to be paid there.
    Both are to be in one currency (raises InvalidInput)."""
    source, target = deal_of(desk, source_id), deal_of(desk, target_id)
    for each in payments_of(desk, [source_id]):
        if each.deleted_at is None:
            one_currency(source.currency, target.currency, Sentence("payments"))
            desk.work.put(each._replace(deal_id=target_id, contact_id=target.contact_id))


def standing_of(desk: Desk, deal: DealRecord) -> Standing:
    """How a deal stands with its payments."""
    return standing(payments_of(desk, [deal.id]), deal.amount, desk.office.time_zone, watched=watched(desk, deal))


def overdue(deal: DealRecord, now: datetime) -> bool:
    """Whether money that is due was not paid by the end of its day."""
    return deal.pay_by is not None and deal.pay_by <= now


def watched(desk: Desk, deal: DealRecord) -> bool:
    """Whether money of a deal is waited for: not where it is lost or deleted."""
    place = desk.catalogue.place(deal.stage_id) if deal.closed_at is not None else None
    return deal.deleted_at is None and (place is None or place[1].record.kind is not StageKind.LOST)


# ---------------------------------------------------------------- parts, also of bulk intake


def payments_of(desk: Desk, deal_ids: Sequence[int]) -> list[PaymentRecord]:
    """The payments of deals, also those deleted."""
    return desk.work.related(PaymentRecord, "deal_id", deal_ids)


def deal_of(desk: Desk, deal_id: int) -> DealRecord:
    """The deal, locked; raises NotFound, Conflict where it was deleted."""
    deal = desk.work.deals([deal_id]).get(deal_id)
    if deal is None:
        raise NotFound("there is no deal {deal}", deal=deal_id)
    if deal.deleted_at is not None:
        raise Conflict("the deal was deleted")
    return deal


def one(desk: Desk, payment_id: int) -> tuple[PaymentRecord, DealRecord]:
    """A payment and its deal, the deal locked before; raises NotFound."""
    deal_id = desk.work.get(PaymentRecord, payment_id).deal_id
    deal = desk.work.deals([deal_id])[deal_id]
    payments_of(desk, [deal_id])
    return desk.work.get(PaymentRecord, payment_id), deal


def made(desk: Desk, deal: DealRecord, author: str, new: NewPayment) -> PaymentRecord:
    """A new payment, not put; raises InvalidInput."""
    came = new.kind is PaymentKind.RECEIVED
    payment = PaymentRecord(
        id=desk.work.next_id(),
        deal_id=deal.id,
        contact_id=deal.contact_id,
        kind=new.kind,
        amount=new.amount,
        currency=new.currency,
        created_at=desk.now,
        author=author,
        at=(new.at or desk.now) if came else None,
        due_on=new.due_on,
        note=new.note,
    )
    return _checked(desk, deal, payment)


def corrected(desk: Desk, deal: DealRecord, before: PaymentRecord, change: PaymentChange) -> PaymentRecord:
    """A payment with corrections, not put; raises InvalidInput."""
    given = {
        name: value
        for name in ("amount", "currency", "at", "due_on", "note")
        if not isinstance(value := getattr(change, name), Unset)
    }
    after = _checked(desk, deal, before._replace(**given))
    if after.due_on != before.due_on:
        after = after._replace(broken_at=None)  # another day has another end
    return after


def _checked(desk: Desk, deal: DealRecord, payment: PaymentRecord) -> PaymentRecord:
    one_currency(payment.currency, deal.currency, Sentence("amount"))
    bounded(payment.amount, Sentence("amount"))
    if payment.kind is PaymentKind.RECEIVED:
        if payment.amount == 0:
            raise InvalidInput("amount: no payment is of nothing")
        # Accounting often tells the day's last second.
        today = desk.now.astimezone(ZoneInfo(desk.office.time_zone)).date()
        if payment.at is not None and payment.at >= end_of(today.isoformat(), desk.office.time_zone):
            raise InvalidInput(
                "at: {at} is yet to come: money that is to come is a planned payment", at=payment.at.isoformat()
            )
        if payment.due_on is not None:
            raise InvalidInput("due_on: money that came has «at», the moment when it did")
    else:
        if payment.amount <= 0:
            raise InvalidInput("amount: what is to come is more than nothing")
        if payment.due_on is None:
            raise InvalidInput("due_on: the day by which it is to come, e.g. 2026-12-31")
        if payment.at is not None:
            raise InvalidInput("at: what is to come has «due_on», the day by which it is due")
    return payment
