"""A lead becomes a deal, in one act: what is known of the client is completed, the company found or made, the deal
opened where it belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_core.model.fields import fields_of
from crm_core.model.records import ContactRecord, DealRecord, LeadRecord, LeadStatus
from crm_core.model.rights import Right
from crm_core.model.selling import CompanyRecord
from crm_core.services.acts.deals import DealChange, Placed, corrected, created, placed, start
from crm_core.services.cards.leads import open_one
from crm_core.services.cards.stages import put_on
from crm_core.services.clients import companies, contacts
from crm_core.services.clients.companies import CompanyChange
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.clients.tagging import joined_tags
from crm_core.services.custom import fields
from crm_core.services.desk import Desk
from crm_core.services.recognising.cleaning import clean_name
from crm_core.services.watching.ladders import lead_touched
from crm_core.services.wording import Phrase

_UTM = ("source", "medium", "campaign", "content", "term")


@dataclass(frozen=True, slots=True)
class Legal:
    """The company of a client that is one: known by its id, or by its name and tax id, and made where nobody is."""

    id: int | None = None
    name: str = ""
    tax_id: str = ""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a lead becomes. `deal` is what the deal is to have beside what the lead brings; `contact` what is to be
    changed of the client."""

    pipeline: str | None = None
    stage: str | None = None
    deal: DealChange = field(default_factory=DealChange)
    contact: ContactChange | None = None
    company: Legal | None = None


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted lead and what it became."""

    lead: LeadRecord
    contact: ContactRecord
    company: CompanyRecord | None
    card: Placed


def convert(desk: Desk, lead_id: int, login: str, wanted: Conversion) -> Converted:
    """The lead becomes a deal of the pipeline (the first one where none is named), with its fields, tags and source.

    Raises NotFound, Conflict where it is closed already, InvalidInput, also where the stage asks for fields.
    """
    desk.demand(Right.KEEP_SALES)
    lead, contact = open_one(desk, lead_id)
    if wanted.contact is not None:
        contact, _ = contacts.change(desk, contact.id, wanted.contact)
    company = _company(desk, contact, wanted.company) if wanted.company is not None else None
    pipeline, stage = start(desk, wanted.pipeline, wanted.stage)
    kind = pipeline.record.type
    of_contact = _of_contact_alone(desk, lead, kind)
    contact = _completed(desk, contact, _brought(desk, lead, "contact", of_contact), company)
    manager = lead.manager or login
    deal = DealRecord(
        id=desk.work.next_id(),
        contact_id=contact.id,
        pipeline_id=pipeline.id,
        stage_id=stage.id,
        title=lead.title or contact.name,
        created_at=desk.now,
        updated_at=desk.now,
        stage_since=desk.now,
        manager=manager,
        source=lead.source,
        fields=_brought(desk, lead, kind, (key for key in lead.fields if key not in of_contact)),
        tags=joined_tags(desk, kind, (), lead.tags),
        type=kind,
        company_id=company.id if company is not None else contact.company_id,
        lead_id=lead.id,
        grade=lead.grade,
        utm={name: value for name in _UTM if (value := getattr(lead, f"utm_{name}"))},
    )
    deal = corrected(desk, deal, _with_tags(deal, wanted.deal))
    deal = put_on(desk, deal, pipeline, stage, by_person=True)
    created(desk, deal, pipeline, stage)
    converted = lead._replace(
        status=LeadStatus.CONVERTED, manager=manager, taken_at=lead.taken_at or desk.now, closed_at=desk.now
    )
    desk.work.put(converted)
    lead_touched(desk, lead.id)
    text = desk.say(Phrase.LEAD_CONVERTED, name=desk.name_of(login))
    desk.note(contact.id, text, author=login, by_person=True, lead_id=lead.id, deal_id=deal.id)
    about = {"id": lead.id, "deal_id": deal.id, "contact_id": contact.id, "company_id": deal.company_id}
    desk.emit("lead.converted", lead.id, about)
    card = placed(desk, deal)
    return Converted(
        desk.work.peek(LeadRecord, lead.id) or converted,
        desk.work.peek(ContactRecord, contact.id) or contact,
        company,
        card,
    )


def _with_tags(deal: DealRecord, given: DealChange) -> DealChange:
    """The tags that are given come to those of the lead."""
    if not isinstance(given.tags, Sequence):
        return given
    return DealChange(**{**_as_dict(given), "tags": [*deal.tags, *given.tags]})


def _as_dict(given: DealChange) -> dict[str, Any]:
    return {name: getattr(given, name) for name in DealChange.__slots__}


def _brought(desk: Desk, lead: LeadRecord, kind: str, keys: Iterable[str]) -> dict[str, Any]:
    """Fields of the lead as those of another kind: what leads declare is read by its type, what came under another name
    (from a form) is recognised by what that kind calls it."""
    own = fields_of(desk.catalogue, "lead").by_key
    wanted = {key: lead.fields[key] for key in keys}
    declared = {key: value for key, value in wanted.items() if key in own}
    told = fields.told(desk, kind, {key: value for key, value in wanted.items() if key not in own})
    fields.told_of(desk, lead.contact_id, told.unread)
    return {**told.values, **fields.carried(desk, kind, declared, "lead")}


def _of_contact_alone(desk: Desk, lead: LeadRecord, kind: str) -> list[str]:
    """The lead's fields that a client has, and a card of this kind has not."""
    client, card = fields_of(desk.catalogue, "contact"), fields_of(desk.catalogue, kind)
    return [key for key in lead.fields if client.named(key) is not None and card.named(key) is None]


def _completed(
    desk: Desk, contact: ContactRecord, brought: Mapping[str, Any], company: CompanyRecord | None
) -> ContactRecord:
    """The client with what the lead knows of them and they had not, and with their company."""
    fresh = {key: value for key, value in brought.items() if key not in contact.fields}
    changed = contact._replace(fields={**contact.fields, **fresh}) if fresh else contact
    if company is not None and contact.company_id is None:
        changed = changed._replace(company_id=company.id, company=contact.company or company.name)
    if changed != contact:
        changed = changed._replace(updated_at=desk.now)
        desk.work.put(changed)
    return changed


def _company(desk: Desk, contact: ContactRecord, wanted: Legal) -> CompanyRecord:
    """The company that is meant, made where nobody knows it; raises InvalidInput, NotFound."""
    if wanted.id is not None:
        return companies.living(desk, wanted.id)
    name = clean_name(wanted.name) or clean_name(contact.company or "")
    known = companies.match(desk, name, wanted.tax_id or None)
    if known is None:
        about = CompanyChange(name=name, tax_id=wanted.tax_id or None, manager=contact.manager, city=contact.city)
        return companies.create(desk, about)
    if wanted.tax_id and known.tax_id is None:
        return companies.change(desk, known.id, CompanyChange(tax_id=wanted.tax_id))
    return known
