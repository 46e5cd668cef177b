"""What follows from payments: what is covered, what a deal was paid, what is due when, and who is told of it."""

from __future__ import annotations

from collections.abc import Sequence

from crm_core.model.history import Change
from crm_core.model.instalments import Standing, end_of, standing
from crm_core.model.money import bounded, shown
from crm_core.model.records import DeadlineKind, DeadlineRecord, DealRecord
from crm_core.model.selling import PaymentKind, PaymentRecord
from crm_core.services.desk import Desk
from crm_core.services.money.payments import payments_of, watched
from crm_core.services.watching.ladders import key
from crm_core.services.wording import Phrase
from crm_core.wording import Sentence

_AT_ONCE = 200


def settle_payments(desk: Desk, changes: Sequence[Change]) -> None:
    """A step: what a deal was paid and until when it is to be paid follow from its payments, its amount and its stage;
    instalments and promises are covered by what came; what is due next becomes a deadline.

    Asks nothing where no payment changed, and no deal with money in it.
    """
    concerned: dict[int, None] = {}
    for before, after in changes:
        match after or before:
            case PaymentRecord():
                concerned.update({each.deal_id: None for each in (before, after) if each is not None})
            case DealRecord(id=deal_id) if before is not None and after is not None and _matters(before, after):
                concerned[deal_id] = None
    if not concerned:
        return
    deals = desk.work.deals(concerned)
    _tell(desk, changes)
    payments: dict[int, list[PaymentRecord]] = {each: [] for each in deals}
    for each in payments_of(desk, list(deals)):
        payments[each.deal_id].append(each)
    for deal_id, deal in deals.items():
        _settle(desk, deal, payments[deal_id])


def payment_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """The end of a day on which money was due: whatever did not come is overdue, every promise among it broken.

    Where the office has moved to another zone meanwhile, the day may end at another moment: then it is waited for.
    """
    deal = desk.work.deals([deadline.subject_id]).get(deadline.subject_id)
    desk.work.remove(DeadlineRecord, deadline.key)
    if deal is None:
        return
    found = _standing(desk, deal, payments_of(desk, [deal.id]))
    if found.next_mark is None:
        return
    if found.next_mark > desk.now:
        desk.work.put(deadline._replace(due_at=found.next_mark))
        return
    for each in found.payments:
        if each.kind is PaymentKind.RECEIVED or each.settled_at is not None or each.broken_at is not None:
            continue
        if each.due_on is not None and end_of(each.due_on, desk.office.time_zone) <= desk.now:
            desk.work.put(each._replace(broken_at=desk.now))


def replan(desk: Desk, behind: int = 0) -> int | None:
    """Work out anew until when deals are to be paid, after the office moved to another zone: the next deals in the
    order of their ids. The last of them, None where there are no more."""
    ids = desk.work.open_payments_behind(behind, _AT_ONCE)
    deals = desk.work.deals(ids)
    payments: dict[int, list[PaymentRecord]] = {each: [] for each in deals}
    for each in payments_of(desk, list(deals)):
        payments[each.deal_id].append(each)
    for deal_id, deal in deals.items():
        _settle(desk, deal, payments[deal_id])
    return ids[-1] if len(ids) == _AT_ONCE else None


def _matters(before: DealRecord, after: DealRecord) -> bool:
    """Whether a change of a deal changes what its payments come to; a deal without money in it has none to look for."""
    same = (before.amount, before.closed_at, before.deleted_at, before.stage_id, before.contact_id) == (
        *(after.amount, after.closed_at, after.deleted_at, after.stage_id, after.contact_id),
    )
    if same:
        return False
    # What is lost or deleted is no longer waited for: only its payments tell whether there is something to wait for.
    back = before.closed_at is not None or before.deleted_at is not None
    return back or bool(after.paid) or after.pay_by is not None


def _settle(desk: Desk, deal: DealRecord, payments: Sequence[PaymentRecord]) -> None:
    found = _standing(desk, deal, payments)
    known = {each.id: each for each in payments}
    for each in found.payments:
        owned = each._replace(contact_id=deal.contact_id)  # whose deal it is, whose money it is
        if owned != known[owned.id]:
            desk.work.put(owned)
    bounded(found.paid, Sentence("payments: their sum"))
    late = found.pay_by if found.pay_by is not None and found.pay_by <= desk.now else None
    after = deal._replace(paid=found.paid, pay_by=found.pay_by, overdue_since=late)
    if after != deal:
        desk.work.put(after._replace(updated_at=desk.now))
        if _whole(after) and not _whole(deal):
            _told(desk, after, "deal.paid", Phrase.PAID_IN_FULL, after.paid, {"id": after.id})
    deadline = key(DeadlineKind.PAYMENT, deal.id)
    if found.next_mark is not None:
        desk.work.put(DeadlineRecord(deadline, DeadlineKind.PAYMENT, deal.id, found.next_mark))
    else:
        desk.work.remove(DeadlineRecord, deadline)


def _standing(desk: Desk, deal: DealRecord, payments: Sequence[PaymentRecord]) -> Standing:
    return standing(payments, deal.amount, desk.office.time_zone, watched=watched(desk, deal))


def _whole(deal: DealRecord) -> bool:
    return deal.amount > 0 and deal.paid >= deal.amount


def _tell(desk: Desk, changes: Sequence[Change]) -> None:
    """Say of each payment that came, and of each that did not, so that rules and other programs hear of it."""
    for before, after in changes:
        if not isinstance(after, PaymentRecord) or after.deleted_at is not None:
            continue
        if before is None and after.kind is PaymentKind.RECEIVED:
            event, phrase = "payment.received", Phrase.PAYMENT_RECEIVED if after.amount > 0 else Phrase.PAYMENT_RETURNED
        elif after.broken_at is not None and (before is None or before.broken_at is None):
            broken = after.kind is PaymentKind.PROMISED
            event = "payment.broken" if broken else "payment.overdue"
            phrase = Phrase.PAYMENT_BROKEN if broken else Phrase.PAYMENT_OVERDUE
        else:
            continue
        deal = desk.work.deals([after.deal_id]).get(after.deal_id)
        if deal is None:
            continue
        data = {"id": after.id, "amount": after.amount, "currency": after.currency, "due_on": after.due_on}
        _told(desk, deal, event, phrase, abs(after.amount), {**data, "deal_id": deal.id, "kind": after.kind.value})


def _told(desk: Desk, deal: DealRecord, event: str, phrase: Phrase, amount: int, data: dict[str, object]) -> None:
    if deal.contact_id is not None:
        text = desk.say(phrase, amount=shown(amount, deal.currency), deal=deal.title)
        desk.note(deal.contact_id, text, deal_id=deal.id, author=desk.work.author or "hub", reason=event)
    desk.emit(event, deal.id, {**data, "contact_id": deal.contact_id})
