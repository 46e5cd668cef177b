"""Whom and what the rows of another program are about, found for all rows of a batch at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from crm_core.errors import InvalidIdentity, InvalidInput
from crm_core.model.identity import parse_identity
from crm_core.model.records import ContactRecord, DealRecord
from crm_core.model.selling import CompanyRecord, ProductRecord
from crm_core.services.desk import Desk
from crm_core.services.recognising import external

_MOST_HOPS = 20


@dataclass(frozen=True, slots=True)
class Named:
    """Whom or what a row is about, by whatever the other program knows: the first of these that is given is looked for.

    A client is named by `contact_id`, `company_id`, `client` (the other program's id), `tax_id` or `identity`
    (`tel:+7…`); a deal by `deal_id` or `deal`; a product by `product_id`, `sku` or `product`.
    """

    contact_id: int | None = None
    company_id: int | None = None
    client: str | None = None
    tax_id: str | None = None
    identity: str | None = None
    deal_id: int | None = None
    deal: str | None = None
    product_id: int | None = None
    sku: str | None = None
    product: str | None = None


@dataclass(slots=True)
class Known:
    """What the rows of a batch name, found in one go."""

    refs: Mapping[str, int]
    contacts: Mapping[int, ContactRecord]
    holders: Mapping[str, ContactRecord]
    companies: Mapping[int, CompanyRecord]
    by_tax_id: Mapping[str, CompanyRecord]
    products: dict[int, ProductRecord]
    by_sku: dict[str, ProductRecord]
    deals: Mapping[int, DealRecord]
    firsts: Mapping[int, int] = field(default_factory=dict)


def look_up(desk: Desk, system: str, named: Sequence[Named]) -> Known:
    """Find all that the rows name; contacts are locked, so that none is merged away meanwhile."""
    refs = external.found(desk, _keys(system, named))

    def referred(kind: str) -> list[int]:
        return [subject for key, subject in refs.items() if key.startswith(f"{kind}:")]

    identities = list(dict.fromkeys(_identity(each.identity) for each in named if each.identity))
    contact_ids = [*(each.contact_id for each in named if each.contact_id is not None), *referred("contact")]
    holders = desk.work.contacts_by_identity([each for each in identities if each], contact_ids)
    contacts = _survivors(desk, contact_ids)
    company_ids = [*(each.company_id for each in named if each.company_id is not None), *referred("company")]
    companies = {each.id: each for each in desk.work.related(CompanyRecord, "id", company_ids)}
    tax_ids = [each.tax_id.strip() for each in named if each.tax_id and each.tax_id.strip()]
    by_tax_id = desk.work.companies_by_tax_id(tax_ids)
    product_ids = [*(each.product_id for each in named if each.product_id is not None), *referred("product")]
    found = {each.id: each for each in desk.work.related(ProductRecord, "id", product_ids)}
    by_sku = desk.work.products_by_sku([each.sku.strip() for each in named if each.sku and each.sku.strip()])
    deal_ids = [*(each.deal_id for each in named if each.deal_id is not None), *referred("deal")]
    deals = {each: deal for each, deal in desk.work.deals(deal_ids).items() if deal.deleted_at is None}
    firms = {*companies, *(each.id for each in by_tax_id.values())}
    firsts = desk.work.first_contacts(firms) if firms else {}
    return Known(refs, contacts, holders, companies, by_tax_id, found, dict(by_sku), deals, firsts)


def _keys(system: str, named: Iterable[Named]) -> list[str]:
    keys: dict[str, None] = {}
    for each in named:
        wanted = (
            *(("contact", each.client), ("company", each.client)),
            *(("product", each.product), ("deal", each.deal)),
        )
        for kind, given in wanted:
            key = external.key_or_empty(kind, system, given) if given else ""
            if key:
                keys[key] = None
    return list(keys)


def _survivors(desk: Desk, ids: Iterable[int]) -> dict[int, ContactRecord]:
    """Contacts, and those that took them over."""
    found = desk.work.contacts(ids)
    for _ in range(_MOST_HOPS):
        further = {
            each.merged_into
            for each in found.values()
            if each.merged_into is not None and each.merged_into not in found
        }
        if not further:
            break
        found.update(desk.work.contacts(further))
    return found


def _identity(given: str) -> str:
    """The identity as the record knows it, empty where it is none: then nobody holds it."""
    try:
        return str(parse_identity(given))
    except InvalidIdentity:
        return ""


def client_of(system: str, about: Named, known: Known) -> tuple[int | None, int | None]:
    """Whose sale it is: the contact and the company; raises InvalidInput where nobody is known."""
    contact = client_or_none(system, about, known)
    company = company_of(system, about, known)
    if contact is None and company is None:
        given = about.contact_id or about.company_id or about.client or about.tax_id or about.identity
        if not given:
            raise InvalidInput("client: name one")
        raise InvalidInput("client: nobody is known as «{given}»", given=given)
    if contact is not None:
        return contact.id, company.id if company is not None else contact.company_id
    # The first contact of a company stands for it where a person is asked for.
    return (known.firsts.get(company.id), company.id) if company is not None else (None, None)


def client_or_none(system: str, about: Named, known: Known) -> ContactRecord | None:
    found: ContactRecord | None = None
    if about.contact_id is not None:
        found = known.contacts.get(about.contact_id)
    elif about.client:
        found = known.contacts.get(known.refs.get(external.key_or_empty("contact", system, about.client), 0))
    if found is None and about.identity and about.contact_id is None:
        found = known.holders.get(_identity(about.identity))
    hops = 0
    while found is not None and found.merged_into is not None and hops < _MOST_HOPS:
        found, hops = known.contacts.get(found.merged_into), hops + 1
    return found if found is not None and found.deleted_at is None else None


def company_of(system: str, about: Named, known: Known) -> CompanyRecord | None:
    found: CompanyRecord | None = None
    if about.company_id is not None:
        found = known.companies.get(about.company_id)
    elif about.client:
        found = known.companies.get(known.refs.get(external.key_or_empty("company", system, about.client), 0))
    if found is None and about.tax_id:
        found = known.by_tax_id.get(about.tax_id.strip())
    return found if found is not None and found.deleted_at is None else None


def product_of(system: str, about: Named, known: Known) -> ProductRecord | None:
    given = about.product_id or about.sku or about.product
    if not given:
        return None
    if about.product_id is not None:
        found = known.products.get(about.product_id)
    else:
        found = known.by_sku.get(about.sku.strip()) if about.sku else None
        if found is None and about.product:
            found = known.products.get(known.refs.get(external.key_or_empty("product", system, about.product), 0))
    if found is None or found.deleted_at is not None:
        raise InvalidInput("product: there is no product «{product}»", product=given)
    return found


def deal_id_of(system: str, about: Named, known: Known) -> int | None:
    if about.deal_id is not None:
        return about.deal_id
    return known.refs.get(external.key_or_empty("deal", system, about.deal)) if about.deal else None


NOBODY = Named()
"""What names nobody and nothing."""
