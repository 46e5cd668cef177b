"""Lines of sales as accounting tells them: whose, of what, when, for how much; each once by its number."""

from __future__ import annotations

from crm_core.errors import InvalidInput
from crm_core.model.importing import Became, Policy
from crm_core.model.selling import SaleRecord
from crm_core.services.importing.batch import Batch, Given
from crm_core.services.importing.cells import moment, sum_of, thousandths
from crm_core.services.importing.clients import Clients
from crm_core.services.importing.companies import Companies, tax_of
from crm_core.services.importing.goods import Products
from crm_core.services.importing.words import Fault
from crm_core.services.recognising.cleaning import clean_name

DEAL = "deal"


def take(batch: Batch, lines: list[Given]) -> None:
    """Take lines of sales in. A fixed number of statements."""
    clients = Clients(batch)
    batch.look_up(clients.name_keys(lines))
    batch.look_up(batch.key_of(each, kind=DEAL, target="deal_id") for each in lines)
    clients.read(lines)
    companies, products = Companies(batch), Products(batch)
    companies.read(
        [each.text("company") or each.text("name") for each in lines],
        [tax_of(each) for each in lines],
    )
    products.read([each.text("sku") for each in lines], [clean_name(each.text("product")) for each in lines])
    refs = [_ref(batch, each) for each in lines]
    known = {each.ref: each for each in batch.desk.work.related(SaleRecord, "ref", refs)}
    own = {number for each in lines if (number := batch.hub_id(each)) is not None}
    ours = {each.id: each for each in batch.desk.work.related(SaleRecord, "id", own)} if own else {}
    for given, ref in zip(lines, refs, strict=True):
        mine = batch.verified(given, ours.get(batch.hub_id(given) or 0), "at")
        if mine is not None:
            batch.became(given, Became.UNCHANGED, mine.id)  # it came from here: accounting tells of changes
            continue
        after = _take_one(batch, clients, companies, products, given, ref, known.get(ref))
        if after is not None:
            known[ref] = after
    clients.settle()


def _ref(batch: Batch, given: Given) -> str:
    """The sale's own number; several goods of one document are told apart by the good."""
    number = given.text("external_id")[:150]
    if not number:
        return f"{batch.how.system}:line:{given.digest}"
    good = given.text("sku") or given.text("product")
    return f"{batch.how.system}:{number}:{good[:80]}" if good else f"{batch.how.system}:{number}"


def _take_one(
    batch: Batch,
    clients: Clients,
    companies: Companies,
    products: Products,
    given: Given,
    ref: str,
    before: SaleRecord | None,
) -> SaleRecord | None:
    try:
        at = moment(given.text("at"), batch.zone)
    except InvalidInput as err:
        batch.refuse(given, Fault.VALUE, heading=given.headings.get("at", "at"), error=err)
        return None
    try:
        amount, currency = sum_of(given.text("amount"), given.text("currency") or "RUB")
        quantity = thousandths(given.text("quantity") or "1")
    except InvalidInput as err:
        batch.refuse(given, Fault.VALUE, heading=given.headings.get("amount", "amount"), error=err)
        return None
    tax = tax_of(given)
    company = companies.by_tax.get(tax) or companies.id_of(clean_name(given.text("company") or given.text("name")))
    contact = None
    if company is None or clients.identities[given.line.number] or given.text("contact_id"):
        contact = clients.of_line(given)
    if contact is None and company is None:
        batch.refuse(given, Fault.NO_CLIENT)
        return None
    seen = batch.seen([ref])
    name = clean_name(given.text("product")) or given.text("sku")[:200]
    deal_key = batch.key_of(given, kind=DEAL, target="deal_id")
    fresh = SaleRecord(
        id=before.id if before is not None else batch.desk.work.next_id(),
        ref=ref,
        contact_id=contact.id if contact is not None else None,
        company_id=company if company is not None else (contact.company_id if contact is not None else None),
        product_id=products.id_of(given.text("sku"), clean_name(given.text("product"))),
        name=name,
        quantity=quantity,
        amount=amount,
        currency=currency,
        at=at,
        recorded_at=before.recorded_at if before is not None else batch.desk.now,
        deal_id=batch.refs.get(deal_key) if deal_key is not None else (before.deal_id if before is not None else None),
    )
    if before is None:
        batch.desk.work.put(fresh)
        batch.became(given, Became.UPDATED if seen else Became.CREATED, fresh.id)
        return fresh
    # accounting corrects its own documents: what it says later holds
    if fresh == before or batch.how.policy is Policy.SKIP:
        batch.became(given, Became.UNCHANGED, before.id)
        return before
    batch.desk.work.put(fresh)
    batch.became(given, Became.UPDATED, fresh.id)
    return fresh
