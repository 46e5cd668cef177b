"""Leads as people write them: made by hand, corrected, given to somebody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_core.errors import Conflict, Outdated
from crm_core.messages import Utm
from crm_core.model.records import ContactRecord, LeadRecord, LeadStatus
from crm_core.model.rights import Right
from crm_core.services.cards.leads import assign_lead
from crm_core.services.clients.contacts import UNSET, Unset, active_login, clean_tags
from crm_core.services.clients.tagging import one_of_each_group
from crm_core.services.custom.fields import given as typed_fields
from crm_core.services.desk import Desk
from crm_core.services.watching.ladders import watch_lead
from crm_core.services.watching.telling import tell_of_lead

BY_HAND = "hub"


@dataclass(frozen=True, slots=True)
class LeadChange:
    """What a lead is to have; None clears a field that may be empty."""

    title: str | Unset = UNSET
    source: str | Unset | None = UNSET
    manager: str | Unset | None = UNSET
    grade: str | Unset | None = UNSET
    tags: Sequence[str] | Unset = UNSET
    fields: Mapping[str, Any] | Unset = UNSET


def create(desk: Desk, login: str, contact_id: int, given: LeadChange, utm: Utm) -> LeadRecord:
    """Open a lead for a contact; without a manager it is shared out as one that came in.

    Raises NotFound, InvalidInput, Conflict where the contact has an open lead already.
    """
    desk.demand(Right.KEEP_SALES)
    contact = _living(desk, contact_id)
    known = desk.work.open_leads([contact_id]).get(contact_id)
    if known is not None:
        raise Conflict("contact {contact} has an open lead already: {known}", contact=contact_id, known=known.id)
    lead = LeadRecord(
        id=desk.work.next_id(),
        contact_id=contact_id,
        title="",
        status=LeadStatus.NEW,
        created_at=desk.now,
        first_fact_at=desk.now,
        channel=BY_HAND,
        account=login,
        utm_source=utm.source,
        utm_medium=utm.medium,
        utm_campaign=utm.campaign,
        utm_content=utm.content,
        utm_term=utm.term,
    )
    lead = _changed(desk, lead, given)
    desk.work.put(lead)
    desk.emit("lead.created", lead.id, {"id": lead.id, "contact_id": contact_id, "source": lead.source})
    watch_lead(desk, lead)
    if lead.manager is None:
        return assign_lead(desk, lead, contact)
    if lead.manager != login:
        tell_of_lead(desk, lead, contact)
    return lead


def change(desk: Desk, lead_id: int, login: str, given: LeadChange, version: int | None = None) -> LeadRecord:
    """Correct a lead; whom it is given to is told, unless they gave it to themselves.

    Raises NotFound, InvalidInput, Outdated where it is no longer the `version` that was seen.
    """
    desk.demand(Right.KEEP_SALES)
    before, contact = desk.work.owned(LeadRecord, lead_id)
    if version is not None and version != before.version:
        raise Outdated(
            "the lead was changed meanwhile: it is at version {now}, not {version}",
            before,
            now=before.version,
            version=version,
        )
    lead = _changed(desk, before, given)
    if lead == before:
        return before
    desk.work.put(lead)
    if contact is not None and lead.manager not in {None, before.manager, login}:
        tell_of_lead(desk, lead, contact)
    return lead


def give(desk: Desk, lead_id: int, giver: str, login: str) -> LeadRecord:
    """Somebody has another person work on a lead; raises as `change`, and Forbidden for one of somebody whose work the
    giver does not oversee."""
    desk.demand(Right.KEEP_SALES)
    desk.demand_of(Right.SEE_REPORTS, desk.work.owned(LeadRecord, lead_id)[0].manager)
    return change(desk, lead_id, giver, LeadChange(manager=login))


def _changed(desk: Desk, lead: LeadRecord, given: LeadChange) -> LeadRecord:
    changes: dict[str, Any] = {
        name: value for name in ("title", "source", "grade") if not isinstance(value := getattr(given, name), Unset)
    }
    if not isinstance(given.manager, Unset):
        changes["manager"] = active_login(desk, given.manager)
    if not isinstance(given.tags, Unset):
        changes["tags"] = one_of_each_group(desk, "lead", lead.tags, clean_tags(given.tags))
    if not isinstance(given.fields, Unset):
        changes["fields"] = typed_fields(desk, "lead", lead.fields, given.fields)
    return lead._replace(**changes)


def _living(desk: Desk, contact_id: int) -> ContactRecord:
    contact = desk.work.contact(contact_id)
    if contact.merged_into is not None:
        raise Conflict(
            "contact {contact} was merged into {merged_into}", contact=contact_id, merged_into=contact.merged_into
        )
    return contact
