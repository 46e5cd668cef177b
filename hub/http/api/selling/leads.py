"""Leads: listed, made by hand, corrected, taken, converted, rejected."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from crm_core.messages import Utm
from crm_core.model.records import LeadRecord, LeadStatus
from crm_core.services.acts import conversion, lead_cards, rejections
from crm_core.services.acts.conversion import Conversion, Legal
from crm_core.services.acts.deals import DealChange
from crm_core.services.acts.lead_cards import LeadChange
from crm_core.services.cards import leads
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.desk import Desk
from crm_core.storage.queries import leads as queries
from crm_core.storage.queries.leads import LeadFilter
from crm_core.storage.queries.pages import Reading
from hub.http.api.selling.deals import StageName
from hub.http.api.selling.trading import ExternalIds, external_of, held_external, keep_external
from hub.http.filtering import FilterQuery
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import (
    Fields,
    Given,
    Id,
    Login,
    Moment,
    Money,
    Named,
    NoBody,
    Paged,
    Query,
    QueryId,
    Short,
    Tags,
    Taken,
)
from hub.http.versions import as_it_is, or_as_it_is

_TAG = "leads"
_KIND = "lead"


class LeadQuery(FilterQuery):
    """Which leads."""

    status: LeadStatus | None = None
    manager: Login | None = None
    contact_id: QueryId | None = None


class UtmBody(Taken):
    """Marks of a campaign."""

    source: Short = ""
    medium: Short = ""
    campaign: Short = ""
    content: Short = ""
    term: Short = ""


class LeadBody(Taken):
    """What a lead is to have. `external` are its ids in other programs, by program."""

    title: Short = ""
    source: Short | None = None
    manager: Login | None = None
    grade: Short | None = None
    tags: Tags = Field(default_factory=list)
    fields: Fields = Field(default_factory=dict)
    external: ExternalIds = Field(default_factory=dict)


class LeadPatch(LeadBody):
    """What is not named stays; `version`, where given, is the one that was seen: 409 where it changed meanwhile."""

    version: Id | None = None


class NewLeadBody(LeadBody):
    """A lead of a contact; without a manager it is shared out."""

    contact_id: Id
    utm: UtmBody = UtmBody()


class CompanyOf(Taken):
    """The company of a client that is one: its id, or its name and tax id; made where nobody knows it."""

    id: Id | None = None
    name: Short = ""
    tax_id: Short = ""


class ClientBody(Taken):
    """What becomes known of the client by the way."""

    name: Named | None = None
    city: Short | None = None
    fields: Fields = Field(default_factory=dict)


class ConvertBody(Taken):
    """The pipeline of the deal, the first one where none is named; and what the deal, the client and the company are to
    have beside what the lead brings."""

    pipeline: Named | None = None
    stage: StageName | None = None
    title: Named | None = None
    amount: Money | None = None
    manager: Login | None = None
    due_at: Moment | None = None
    tags: Tags = Field(default_factory=list)
    fields: Fields = Field(default_factory=dict)
    contact: ClientBody | None = None
    company: CompanyOf | None = None


class RejectBody(Taken):
    """Why the lead is none."""

    reason: Named


class UtmMarks(Given):
    """Marks of a campaign, as they stood in the link."""

    source: str
    medium: str
    campaign: str
    content: str
    term: str


class Lead(Given):
    """An enquiry."""

    id: int
    contact_id: int
    title: str
    status: LeadStatus
    source: str | None
    utm: UtmMarks
    channel: str
    account: str
    manager: str | None
    group: str | None
    grade: str | None
    reason: str | None
    fields: dict[str, Any]
    tags: list[str]
    created_at: datetime
    taken_at: datetime | None
    closed_at: datetime | None
    version: int
    external: dict[str, str]


class ConvertedLead(Lead):
    """A lead and the deal it became."""

    deal_id: int = Field(description="The deal it became")
    company_id: int | None = Field(description="The company of the deal")


class Leads(Paged[Lead]):
    """A page of leads."""


def lead_json(record: LeadRecord, known: dict[str, str]) -> Lead:
    """A lead on the wire; by what ids other programs know it."""
    return Lead(**_columns(record, known))


def _columns(record: LeadRecord, known: dict[str, str]) -> dict[str, Any]:
    same = set(Lead.model_fields) - {"utm", "group", "external"}
    utm = UtmMarks(
        source=record.utm_source,
        medium=record.utm_medium,
        campaign=record.utm_campaign,
        content=record.utm_content,
        term=record.utm_term,
    )
    return {**{name: getattr(record, name) for name in same}, "utm": utm, "group": record.group_name, "external": known}


def _listed(conn: Reading, call: Call[LeadQuery, NoBody]) -> Leads:
    wanted = LeadFilter(call.query.status, call.query.manager, call.query.contact_id)
    page = queries.list_leads(
        conn, call.access, wanted, call.query.where, call.query.more(conn, call.hub.store, "lead", call.access.sight)
    )
    known = external_of(conn, _KIND, [each.id for each in page.items])
    return Leads(items=[lead_json(each, known.get(each.id, {})) for each in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Lead:
    record = queries.one_lead(conn, call.access, call.number())
    return lead_json(record, external_of(conn, _KIND, [record.id]).get(record.id, {}))


def _made(desk: Desk, call: Call[Any, NewLeadBody]) -> Lead:
    utm = Utm(**call.body.utm.model_dump())
    made = lead_cards.create(desk, call.user.login, call.body.contact_id, _change(call.body), utm)
    keep_external(desk, _KIND, made.id, call.body)
    return _now(desk, made)


def _now(desk: Desk, done: LeadRecord) -> Lead:
    return lead_json(as_it_is(desk, done), held_external(desk, _KIND, done.id))


def _corrected(desk: Desk, call: Call[Any, LeadPatch]) -> Lead:
    def change() -> Lead:
        changed = lead_cards.change(desk, call.number(), call.user.login, _change(call.body), call.body.version)
        keep_external(desk, _KIND, changed.id, call.body)
        return _now(desk, changed)

    return or_as_it_is(change, LeadRecord, lambda record: _now(desk, record))


def _taken(desk: Desk, call: Call[Any, NoBody]) -> Lead:
    return _now(desk, leads.take(desk, call.number(), call.user.login))


def _converted(desk: Desk, call: Call[Any, ConvertBody]) -> ConvertedLead:
    found = conversion.convert(desk, call.number(), call.user.login, _conversion(call.body))
    deal = found.card.deal
    known = held_external(desk, _KIND, found.lead.id)
    return ConvertedLead(**_columns(found.lead, known), deal_id=deal.id, company_id=deal.company_id)


def _rejected(desk: Desk, call: Call[Any, RejectBody]) -> Lead:
    return _now(desk, leads.reject(desk, call.number(), call.user.login, call.body.reason))


def _confirmed(desk: Desk, call: Call[Any, NoBody]) -> Lead:
    rejections.confirm(desk, call.number(), call.user.login)
    lead, _contact = desk.work.owned(LeadRecord, call.number())
    return _now(desk, lead)


def _restored(desk: Desk, call: Call[Any, NoBody]) -> Lead:
    return _now(desk, rejections.restore(desk, call.number(), call.user.login))


def _conversion(body: ConvertBody) -> Conversion:
    deal: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set & _OF_DEAL}
    if body.amount is not None:
        deal["amount"], deal["currency"] = body.amount.amount, body.amount.currency
    contact = None
    if body.contact is not None:
        contact = ContactChange(**{name: getattr(body.contact, name) for name in body.contact.model_fields_set})
    company = Legal(body.company.id, body.company.name, body.company.tax_id) if body.company is not None else None
    named = {name: value for name, value in deal.items() if name not in {"title", "manager"} or value is not None}
    return Conversion(body.pipeline, body.stage, DealChange(**named), contact, company)


_OF_DEAL = frozenset({"title", "manager", "due_at", "tags", "fields"})


def _change(body: LeadBody) -> LeadChange:
    given = body.model_fields_set & set(LeadBody.model_fields) - {"external"}
    return LeadChange(**{name: getattr(body, name) for name in given})


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/leads",
        _listed,
        tag=_TAG,
        summary="Leads, the newest first",
        right=Right.SEE_SALES,
        query=LeadQuery,
        response=Leads,
    ),
    act(
        "POST",
        "/leads",
        _made,
        tag=_TAG,
        summary="Open a lead for a contact; 409 where it has an open one",
        right=Right.KEEP_SALES,
        body=NewLeadBody,
        response=Lead,
        status=201,
        decides_calls=True,
    ),
    read("/leads/{id}", _one, tag=_TAG, summary="One lead", right=Right.SEE_SALES, response=Lead),
    act(
        "PATCH",
        "/leads/{id}",
        _corrected,
        tag=_TAG,
        summary="Correct a lead or give it to somebody",
        right=Right.KEEP_SALES,
        body=LeadPatch,
        response=Lead,
        decides_calls=True,
    ),
    act(
        "POST",
        "/leads/{id}/take",
        _taken,
        tag=_TAG,
        summary="Take a lead; the client becomes yours where they had no manager",
        right=Right.KEEP_SALES,
        response=Lead,
        decides_calls=True,
    ),
    act(
        "POST",
        "/leads/{id}/convert",
        _converted,
        tag=_TAG,
        summary="Make a lead a deal",
        right=Right.KEEP_SALES,
        body=ConvertBody,
        response=ConvertedLead,
        decides_calls=True,
    ),
    act(
        "POST",
        "/leads/{id}/reject",
        _rejected,
        tag=_TAG,
        summary="Say that a lead is none, and why",
        right=Right.KEEP_SALES,
        body=RejectBody,
        response=Lead,
        decides_calls=True,
    ),
    act(
        "POST",
        "/leads/{id}/rejection/confirm",
        _confirmed,
        tag=_TAG,
        summary="Say that a rejection is right: what was to be checked is done (whoever oversees the lead's manager)",
        right=Right.SEE_ALARMS,
        response=Lead,
    ),
    act(
        "POST",
        "/leads/{id}/rejection/undo",
        _restored,
        tag=_TAG,
        summary="Say that a rejection is wrong: the lead goes on; 409 where the client has an open one by now",
        right=Right.SEE_ALARMS,
        response=Lead,
        decides_calls=True,
    ),
)
