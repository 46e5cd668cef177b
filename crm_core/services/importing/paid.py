"""Lines of payments as accounting tells them: for which deal or whose, when, how much; each once by its number."""

from __future__ import annotations

from crm_core.errors import InvalidIdentity, InvalidInput
from crm_core.model.identity import parse_identity
from crm_core.model.importing import Became, Policy
from crm_core.services.importing.batch import Batch, Given
from crm_core.services.importing.cells import moment, sum_of
from crm_core.services.importing.headings import HUB
from crm_core.services.importing.words import Fault
from crm_core.services.money import payments, sales_data
from crm_core.services.money.sales_data import MOST_ROWS, PaymentRow
from crm_core.services.recognising import external
from crm_core.services.recognising.named import Named

_LONGEST_ID = 150


def take(batch: Batch, lines: list[Given]) -> None:
    """Take lines of payments in. A fixed number of statements for MOST_ROWS of them."""
    read = [(given, row) for given in lines if (row := _row(batch, given)) is not None]
    for start in range(0, len(read), MOST_ROWS):
        _take(batch, read[start : start + MOST_ROWS])


def _take(batch: Batch, read: list[tuple[Given, PaymentRow]]) -> None:
    desk, system = batch.desk, batch.how.system
    keys = [external.key_of(payments.KIND, system, row.external_id) for _, row in read]
    known = external.found(desk, keys)
    before = dict(desk.work.payments(known.values()))
    if batch.how.policy is Policy.SKIP:
        for (given, _), key in zip(read, keys, strict=True):
            if key in known:
                batch.became(given, Became.UNCHANGED, known[key])
        left = [(pair, key) for pair, key in zip(read, keys, strict=True) if key not in known]
        read, keys = [pair for pair, _ in left], [key for _, key in left]
    taken = sales_data.take_payments(desk, system, batch.how.author, [row for _, row in read])
    refused = {each.row: each.error for each in taken.refused}
    now = external.found(desk, keys)
    held = desk.work.payments(now.values())
    made: dict[int, PaymentRow] = {}
    for index, ((given, row), key) in enumerate(zip(read, keys, strict=True)):
        if index in refused:
            batch.refuse(given, Fault.REFUSED, error=refused[index])
            continue
        number = now[key]
        if key not in known and number not in made:
            made[number] = row
            batch.became(given, Became.UPDATED if batch.seen([key]) else Became.CREATED, number)
        else:
            same = made[number] == row if number in made else held[number] == before.get(number)
            batch.became(given, Became.UNCHANGED if same else Became.UPDATED, number)


def _row(batch: Batch, given: Given) -> PaymentRow | None:
    """What a line says; None where it was refused."""
    try:
        amount, currency = sum_of(given.text("amount"), given.text("currency") or "RUB")
    except InvalidInput as err:
        batch.refuse(given, Fault.VALUE, heading=given.headings.get("amount", "amount"), error=err)
        return None
    at = None
    if given.text("at"):
        try:
            at = moment(given.text("at"), batch.zone)
        except InvalidInput as err:
            batch.refuse(given, Fault.VALUE, heading=given.headings.get("at", "at"), error=err)
            return None
    number = given.text("external_id")[:_LONGEST_ID] or f"line:{given.digest}"
    note = "\n".join(given.all("note"))[:1000]
    return PaymentRow(number, at, amount, currency, note, _about(batch, given))


def _about(batch: Batch, given: Given) -> Named:
    """For which deal, or whose: in a file of ours by our numbers, in others by theirs."""
    deal, client, identity = given.text("deal_id"), given.text("contact_id"), _identity(batch, given)
    if batch.how.system == HUB:
        return Named(contact_id=_number(client), identity=identity, deal_id=_number(deal))
    return Named(client=client or None, identity=identity, deal=deal or None)


def _identity(batch: Batch, given: Given) -> str | None:
    written = [*(f"tel:{each}" for each in given.all("phone")), *(f"mailto:{each}" for each in given.all("email"))]
    for each in written:
        try:
            return str(parse_identity(each, batch.desk.office.region))
        except InvalidIdentity as err:
            batch.note(given, Fault.NO_IDENTITY, value=each.partition(":")[2][:80], error=err)
    return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
