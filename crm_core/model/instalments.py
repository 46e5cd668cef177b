"""What a deal's payments come to: which instalments and promises are covered by money that came, and what is due when.

All of it is worked out of the payments themselves, again and again with the same outcome, so that a correction, a late
fact or a refund needs no undoing.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from crm_core.errors import InvalidInput
from crm_core.model.selling import PaymentKind, PaymentRecord

MOST_INSTALMENTS = 600


@dataclass(frozen=True, slots=True)
class Standing:
    """How a deal stands with its payments, amounts in minor units.

    `payments` are all that count, with `settled_at` as it is to be. `covered` says how much of each planned or promised
    one is covered. `pay_by` is the end of the day by which the next open one is due, in the past where it is overdue;
    `next_mark` the next moment at which one becomes overdue that was not yet said to be.
    """

    paid: int
    payments: tuple[PaymentRecord, ...]
    covered: Mapping[int, int]
    pay_by: datetime | None
    next_mark: datetime | None


def split(amount: int, count: int) -> list[int]:
    """An amount in `count` parts whose sum is the amount and of which none differs from another by more than one minor
    unit, the larger first. Raises InvalidInput where a part would be nothing."""
    if not 1 <= count <= MOST_INSTALMENTS:
        raise InvalidInput("count: between 1 and {most} instalments", most=MOST_INSTALMENTS)
    if amount < count:
        raise InvalidInput("count: {amount} minor units can't be paid in {count} parts", amount=amount, count=count)
    least, rest = divmod(amount, count)
    return [least + (1 if number < rest else 0) for number in range(count)]


def monthly(first: date, count: int) -> list[date]:
    """The same day of `count` months, from the first on; the last day of a month that is too short for it."""
    days: list[date] = []
    for number in range(count):
        year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
        if year > date.max.year:
            raise InvalidInput("first_on: the last instalment would be due after the year 9999")
        days.append(date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1])))
    return days


def end_of(day: str, zone: str) -> datetime:
    """The end of a day (`YYYY-MM-DD`) in a zone: the midnight that follows it, in UTC."""
    following = date.fromisoformat(day) + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def standing(payments: Sequence[PaymentRecord], amount: int, zone: str, *, watched: bool = True) -> Standing:
    """How a deal of this amount stands. Deleted payments don't count; nothing is due where it is not `watched`."""
    alive = [each for each in payments if each.deleted_at is None]
    received = sorted((each for each in alive if each.kind is PaymentKind.RECEIVED), key=_came)
    paid = sum(each.amount for each in received)
    covered: dict[int, int] = {}
    settled: dict[int, datetime | None] = {}
    _plan(sorted((each for each in alive if each.kind is PaymentKind.PLANNED), key=_due), received, covered, settled)
    promises = sorted((each for each in alive if each.kind is PaymentKind.PROMISED), key=_due)
    replaced = {each.id for each in promises if _replaced(each, promises)}
    whole = reached(received, amount) if amount > 0 else None
    _promised([each for each in promises if each.id not in replaced], received, covered, settled)
    for each in promises:
        covered.setdefault(each.id, 0)
        # Whatever was promised of a deal that is paid was kept.
        settled[each.id] = settled.get(each.id) or (whole if each.id not in replaced else None)
    counted = tuple(
        each if each.kind is PaymentKind.RECEIVED else each._replace(settled_at=settled[each.id]) for each in alive
    )
    pending = [
        each
        for each in counted
        if each.kind is not PaymentKind.RECEIVED and each.settled_at is None and each.id not in replaced
    ]
    due = [end_of(each.due_on, zone) for each in pending if each.due_on is not None] if watched else []
    unsaid = [each for each in pending if each.broken_at is None and each.due_on is not None]
    marks = [end_of(each.due_on, zone) for each in unsaid if each.due_on is not None] if watched else []
    return Standing(paid, counted, covered, min(due, default=None), min(marks, default=None))


def reached(received: Sequence[PaymentRecord], amount: int) -> datetime | None:
    """When the money that came, in its order, reached an amount for good; None where it has not."""
    total = sum(each.amount for each in received)
    since: datetime | None = None
    if total < amount:
        return None
    for each in reversed(received):
        since = each.at or each.created_at
        total -= each.amount
        if total < amount:
            break
    return since


def _plan(
    planned: Sequence[PaymentRecord],
    received: Sequence[PaymentRecord],
    covered: dict[int, int],
    settled: dict[int, datetime | None],
) -> None:
    """Money covers instalments in the order of their days, the earliest first, the last of it perhaps in part."""
    paid = sum(each.amount for each in received)
    before = 0
    for each in planned:
        covered[each.id] = min(max(paid - before, 0), each.amount)
        before += each.amount
        settled[each.id] = reached(received, before)


def _promised(
    promises: Sequence[PaymentRecord],
    received: Sequence[PaymentRecord],
    covered: dict[int, int],
    settled: dict[int, datetime | None],
) -> None:
    """Money that became known after a promise keeps it, each bit of it one promise."""
    left = {each.id: each.amount for each in received if each.amount > 0}
    back = -sum(each.amount for each in received if each.amount < 0)
    for each in reversed(received):  # what was paid back is taken from what came last
        if back <= 0:
            break
        taken = min(back, left.get(each.id, 0))
        back -= taken
        if taken:
            left[each.id] -= taken
    for promise in promises:
        wanted, last = promise.amount, None
        for money in received:
            if wanted == 0:
                break
            if money.created_at < promise.created_at or not left.get(money.id):
                continue
            taken = min(wanted, left[money.id])
            left[money.id] -= taken
            wanted -= taken
            last = money.at or money.created_at
        covered[promise.id] = promise.amount - wanted
        settled[promise.id] = last if wanted == 0 else None


def _replaced(promise: PaymentRecord, promises: Sequence[PaymentRecord]) -> bool:
    """Whether a broken promise was followed by a new one, which then is what the client owes."""
    broken = promise.broken_at
    return broken is not None and any(each.created_at >= broken for each in promises if each.id != promise.id)


def _came(payment: PaymentRecord) -> tuple[datetime, int]:
    return payment.at or payment.created_at, payment.id


def _due(payment: PaymentRecord) -> tuple[str, int]:
    return payment.due_on or "", payment.id
