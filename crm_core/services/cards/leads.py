"""Leads: opened by facts, shared among those who are there, taken, converted or rejected by people."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import ChannelKey, Utm
from crm_core.model.definitions import FieldBody, Section
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import (
    ContactRecord,
    DealRecord,
    LeadRecord,
    LeadStatus,
)
from crm_core.model.rights import Right
from crm_core.model.user import User
from crm_core.ports import Load
from crm_core.services.cards.pipelines import beginning
from crm_core.services.cards.stages import put_on
from crm_core.services.custom.fields import told, told_of
from crm_core.services.desk import Desk
from crm_core.services.recognising.marks import Stamp, earlier, later, mark, when
from crm_core.services.watching import callbacks
from crm_core.services.watching.ladders import lead_touched, watch_lead
from crm_core.services.watching.telling import tell_of_deal, tell_of_lead
from crm_core.services.wording import Phrase
from crm_core.wording import Said

_NO_UTM = Utm()
# Where the office lists why leads are rejected: a field of leads, its options.
_REASONS = "lead.reason"


def enquire(
    desk: Desk,
    contact: ContactRecord,
    origin: ChannelKey,
    policy: AccountPolicy,
    *,
    by: Stamp,
    title: str,
    utm: Utm = _NO_UTM,
    fields: dict[str, Any] | None = None,
    assign: bool = True,
    opens: bool = True,
) -> LeadRecord | DealRecord | None:
    """An enquiry arrived: join the contact's open lead or open one; the deal where the account opens deals instead.

    `by` is the fact's stamp: the earliest fact decides the source, the earliest with marks of a campaign decides
    those, and the latest value of a field stands, in whatever order facts arrive. `assign=False` leaves the choice of
    a manager for later (a call that still rings is taken by whoever answers). Without `opens` a lead is only joined.
    """
    if fields:
        brought = told(desk, "lead" if policy.leads else "deal", fields)
        told_of(desk, contact.id, brought.unread)
        fields = brought.values
    if not policy.leads:
        return _open_deal(desk, contact, origin, policy, title, utm, fields or {}) if opens else None
    lead = desk.work.open_leads([contact.id]).get(contact.id)
    at = when(by)
    if lead is None and not opens:
        return None
    if lead is None:
        lead = LeadRecord(
            id=desk.work.next_id(),
            contact_id=contact.id,
            title=title,
            status=LeadStatus.NEW,
            created_at=desk.now,
            first_fact_at=at,
            channel=origin.channel,
            account=origin.account,
            source=policy.source or origin.account,
            group_name=policy.group,
            utm_source=utm.source,
            utm_medium=utm.medium,
            utm_campaign=utm.campaign,
            utm_content=utm.content,
            utm_term=utm.term,
            fields=fields or {},
            marks=_marks(by, title, utm, fields or {}),
        )
        desk.work.put(lead)
        desk.emit("lead.created", lead.id, {"id": lead.id, "contact_id": contact.id, "source": lead.source})
        if contact.last_contact_at is None or contact.last_contact_at < at:
            watch_lead(desk, lead)
    else:
        joined = _joined(lead, origin, policy, by=by, title=title, utm=utm, fields=fields or {})
        if joined != lead:
            lead = joined
            desk.work.put(lead)
    return assign_lead(desk, lead, contact) if assign and lead.manager is None else lead


def about(enquiry: LeadRecord | DealRecord | None) -> dict[str, Any]:
    """What an entry is of: its `lead_id` or `deal_id`."""
    if enquiry is None:
        return {}
    return {"lead_id" if isinstance(enquiry, LeadRecord) else "deal_id": enquiry.id}


def assign_lead(desk: Desk, lead: LeadRecord, contact: ContactRecord) -> LeadRecord:
    """Give a lead to the client's own manager, else to whom the policy chooses; unchanged where nobody is there."""
    staff = desk.work.staff
    user = staff.get(contact.manager)
    if user is None:
        user = desk.policies.assigner.assign(lead.group_name, staff, desk.loads, desk.now)
    return give_lead(desk, lead, contact, user) if user is not None else lead


def give_lead(desk: Desk, lead: LeadRecord, contact: ContactRecord, user: User) -> LeadRecord:
    """The lead becomes somebody's, who is told."""
    _count(desk, user, leads=1)
    assigned = lead._replace(manager=user.login)
    desk.work.put(assigned)
    tell_of_lead(desk, assigned, contact)
    return assigned


def answered_by(desk: Desk, contact: ContactRecord, login: str, lead: LeadRecord | None, by: Stamp) -> ContactRecord:
    """The first conversation makes a personal manager where there is none, and the lead theirs.

    A conversation that becomes known late may have been the first; a manager named by a person stays.
    """
    if contact.manager is not None and not earlier(by, contact.marks.get("manager"), contact.manager):
        return contact
    changed = contact._replace(manager=login, updated_at=desk.now, marks={**contact.marks, "manager": mark(by, login)})
    desk.work.put(changed)
    if lead is not None and lead.status is LeadStatus.NEW and lead.manager != login:
        desk.work.put(lead._replace(manager=login))
    return changed


def take(desk: Desk, lead_id: int, login: str) -> LeadRecord:
    """Somebody takes the lead; it becomes theirs, and the client too where they had no manager."""
    desk.demand(Right.KEEP_SALES)
    lead, contact = open_one(desk, lead_id)
    if lead.status is LeadStatus.TAKEN and lead.manager != login:
        raise Conflict(desk.say(Phrase.LEAD_TAKEN_ALREADY, name=desk.name_of(lead.manager)))
    if lead.status is LeadStatus.TAKEN:
        return lead
    taken = lead._replace(status=LeadStatus.TAKEN, manager=login, taken_at=desk.now)
    desk.work.put(taken)
    lead_touched(desk, lead.id)
    if contact.manager is None:
        desk.work.put(contact._replace(manager=login, updated_at=desk.now))
    name = desk.name_of(login)
    desk.note(contact.id, desk.say(Phrase.LEAD_TAKEN, name=name), author=login, by_person=True, lead_id=lead.id)
    callbacks.lead_taken(desk, contact, login)
    return taken


def reject(desk: Desk, lead_id: int, login: str, reason: str) -> LeadRecord:
    """Somebody says that the lead is none, with a reason; one of the list where the office declared the field «reason»
    of leads as a list. Raises InvalidInput, NotFound, Conflict."""
    desk.demand(Right.KEEP_SALES)
    lead, contact = open_one(desk, lead_id)
    said, reason = reason, _listed(desk, " ".join(reason.split()))
    rejected = lead._replace(status=LeadStatus.REJECTED, reason=reason, closed_at=desk.now)
    desk.work.put(rejected)
    lead_touched(desk, lead.id)
    why = said if isinstance(said, Said) else reason
    text = desk.say(Phrase.LEAD_REJECTED, name=desk.name_of(login), reason=why)
    desk.note(contact.id, text, author=login, by_person=True, lead_id=lead.id)
    return rejected


def _listed(desk: Desk, reason: str) -> str:
    if not reason:
        raise InvalidInput("a lead is rejected with a reason: give «reason»")
    body = desk.catalogue.body(Section.FIELD, _REASONS, FieldBody)
    if body is None or not body.options:
        return reason
    known = next((each for each in body.options if each.casefold() == reason.casefold()), None)
    if known is None:
        names = ", ".join(f"«{each}»" for each in body.options)
        raise InvalidInput("reason: «{reason}» is not in the list, only {names}", reason=reason, names=names)
    return known


def open_one(desk: Desk, lead_id: int) -> tuple[LeadRecord, ContactRecord]:
    """An open lead and its client, locked; raises NotFound, Conflict where it is closed."""
    lead, contact = desk.work.owned(LeadRecord, lead_id)
    if contact is None or lead.status not in {LeadStatus.NEW, LeadStatus.TAKEN}:
        raise Conflict(desk.say(Phrase.LEAD_CLOSED_ALREADY))
    return lead, contact


def _marks(by: Stamp, title: str, utm: Utm, fields: dict[str, Any]) -> dict[str, Any]:
    marks: dict[str, Any] = {"first": mark(by, title)}
    if utm != _NO_UTM:
        marks["utm"] = mark(by, None)
    if fields:
        marks["fields"] = {name: mark(by, value) for name, value in fields.items()}
    return marks


def _joined(
    lead: LeadRecord,
    origin: ChannelKey,
    policy: AccountPolicy,
    *,
    by: Stamp,
    title: str,
    utm: Utm,
    fields: dict[str, Any],
) -> LeadRecord:
    """An open lead with one more fact."""
    marks = dict(lead.marks)
    first = marks.get("first")
    if first is not None and by < first[:-1]:
        lead = lead._replace(
            first_fact_at=when(by),
            title=title if lead.title == first[-1] else lead.title,
            channel=origin.channel,
            account=origin.account,
            source=policy.source or origin.account,
            group_name=policy.group,
        )
        marks["first"] = mark(by, title)
    if utm != _NO_UTM and _claims_utm(lead, marks, by):
        lead = lead._replace(
            utm_source=utm.source,
            utm_medium=utm.medium,
            utm_campaign=utm.campaign,
            utm_content=utm.content,
            utm_term=utm.term,
        )
        marks["utm"] = mark(by, None)
    if fields:
        known = dict(marks.get("fields", {}))
        fresh = {
            name: value
            for name, value in fields.items()
            if name not in lead.fields or later(by, known.get(name), lead.fields[name])
        }
        lead = lead._replace(fields={**lead.fields, **fresh})
        marks["fields"] = known | {name: mark(by, value) for name, value in fresh.items()}
    return lead._replace(marks=marks)


def _claims_utm(lead: LeadRecord, marks: dict[str, Any], by: Stamp) -> bool:
    if "utm" in marks:
        return earlier(by, marks["utm"], None)
    return not any((lead.utm_source, lead.utm_medium, lead.utm_campaign, lead.utm_content, lead.utm_term))


def joined_leads(lead: LeadRecord, other: LeadRecord) -> LeadRecord:
    """The open lead that goes on after two contacts became one: as if all facts of both had joined it."""
    origin = ChannelKey(other.channel, other.account)
    mine, theirs = lead.marks.get("first"), other.marks.get("first")
    if theirs is not None:
        policy = AccountPolicy(source=other.source, group=other.group_name)
        lead = _joined(lead, origin, policy, by=theirs[:-1], title=theirs[-1], utm=_NO_UTM, fields={})
        if mine is None:
            lead = lead._replace(marks={**lead.marks, "first": theirs})
    if "utm" in other.marks:
        utm = Utm(other.utm_source, other.utm_medium, other.utm_campaign, other.utm_content, other.utm_term)
        if _claims_utm(lead, lead.marks, other.marks["utm"][:-1]):
            lead = lead._replace(
                utm_source=utm.source,
                utm_medium=utm.medium,
                utm_campaign=utm.campaign,
                utm_content=utm.content,
                utm_term=utm.term,
                marks={**lead.marks, "utm": other.marks["utm"]},
            )
    known = dict(lead.marks.get("fields", {}))
    fields = dict(lead.fields)
    for name, value in other.fields.items():
        given = other.marks.get("fields", {}).get(name)
        if name not in fields or (given is not None and later(given[:-1], known.get(name), fields[name])):
            fields[name] = value
            if given is not None:
                known[name] = given
    return lead._replace(fields=fields, marks={**lead.marks, "fields": known} if known else lead.marks)


def _open_deal(
    desk: Desk,
    contact: ContactRecord,
    origin: ChannelKey,
    policy: AccountPolicy,
    title: str,
    utm: Utm,
    fields: dict[str, Any],
) -> DealRecord:
    """An enquiry is at once a deal: it joins the client's open one in that pipeline, or opens one.

    What people corrected stays: an enquiry that joins brings only what was not known.
    """
    pipeline, stage = beginning(desk, policy.pipeline)
    marks = {name: value for name, value in asdict(utm).items() if value}
    known = [
        deal
        for deal in desk.work.related(DealRecord, "contact_id", [contact.id])
        if deal.closed_at is None and deal.deleted_at is None and deal.pipeline_id == pipeline.id
    ]
    if known:
        joined = known[0]._replace(fields={**fields, **known[0].fields}, utm=known[0].utm or marks)
        if joined != known[0]:
            desk.work.put(joined._replace(updated_at=desk.now))
        return joined
    user = desk.work.staff.get(contact.manager)
    if user is None:
        user = desk.policies.assigner.assign(policy.group, desk.work.staff, desk.loads, desk.now)
    deal = DealRecord(
        id=desk.work.next_id(),
        contact_id=contact.id,
        pipeline_id=pipeline.id,
        stage_id=stage.id,
        title=title,
        created_at=desk.now,
        updated_at=desk.now,
        stage_since=desk.now,
        manager=user.login if user is not None else None,
        source=policy.source or origin.account,
        fields=fields,
        type=pipeline.record.type,
        utm=marks,
    )
    deal = put_on(desk, deal, pipeline, stage, by_person=False)
    data = {"id": deal.id, "contact_id": contact.id, "type": deal.type, "title": deal.title, "source": deal.source}
    desk.emit("deal.created", deal.id, {**data, "pipeline": pipeline.name, "stage": stage.name})
    if user is not None:
        _count(desk, user)
        tell_of_deal(desk, deal, contact)
    return deal


def _count(desk: Desk, user: User, leads: int = 0) -> None:
    """Somebody got something new: others are in turn now."""
    load = desk.loads.get(user.login, Load())
    newest = max((each.last_assigned for each in desk.loads.values()), default=0)
    desk.loads[user.login] = Load(load.open_leads + leads, newest + 1)
