"""Checking rejections: whoever oversees says of a lead that came to nothing that this is right, or has it go on."""

from __future__ import annotations

from crm_core.errors import Conflict
from crm_core.model.records import ContactRecord, LeadRecord, LeadStatus
from crm_core.model.rights import Right
from crm_core.model.task import TaskRecord
from crm_core.services.desk import Desk
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask
from crm_core.services.watching.ladders import watch_lead
from crm_core.services.wording import Phrase


def confirm(desk: Desk, lead_id: int, login: str) -> TaskRecord:
    """The rejection is right: the task to check it is done, one made for that where nobody was given any.

    Raises NotFound, Conflict for a lead that is not rejected, Forbidden for one of somebody whom they don't oversee.
    """
    desk.demand(Right.SEE_ALARMS)
    lead, _contact = _rejected(desk, lead_id)
    return _checked(desk, lead, login, desk.say(Phrase.REJECTION_RIGHT))


def restore(desk: Desk, lead_id: int, login: str) -> LeadRecord:
    """The rejection was wrong: the lead goes on where it was, with whoever has it; what was to be checked is done.

    Raises as `confirm`, and Conflict where the client has an open lead by now.
    """
    desk.demand(Right.SEE_ALARMS)
    lead, contact = _rejected(desk, lead_id)
    newer = desk.work.open_leads([contact.id]).get(contact.id)
    if newer is not None:
        raise Conflict("contact {contact} has an open lead already: {newer}", contact=contact.id, newer=newer.id)
    _checked(desk, lead, login, desk.say(Phrase.REJECTION_WRONG))
    status = LeadStatus.TAKEN if lead.taken_at is not None else LeadStatus.NEW
    restored = lead._replace(status=status, reason=None, closed_at=None)
    desk.work.put(restored)
    if status is LeadStatus.NEW:
        watch_lead(desk, restored)
    text = desk.say(Phrase.LEAD_RESTORED, name=desk.name_of(login))
    desk.note(contact.id, text, author=login, by_person=True, lead_id=lead.id)
    return restored


def _rejected(desk: Desk, lead_id: int) -> tuple[LeadRecord, ContactRecord]:
    lead, contact = desk.work.owned(LeadRecord, lead_id)
    desk.demand_of(Right.SEE_REPORTS, lead.manager)
    if contact is None or lead.status is not LeadStatus.REJECTED or lead.closed_at is None:
        raise Conflict(desk.say(Phrase.LEAD_NOT_REJECTED))
    return lead, contact


def _checked(desk: Desk, lead: LeadRecord, login: str, result: str) -> TaskRecord:
    """Close what was given since the rejection, else leave a task behind that says who checked it."""
    since = lead.closed_at or desk.now
    given = [each for each in desk.work.open_tasks("lead_id", [lead.id]) if each.created_at >= since]
    if not given:
        title = desk.titled(Phrase.REJECTION_CHECK, title=lead.title or f"№ {lead.id}")
        origin = f"rejection:{lead.id}:{int(since.timestamp() * 1_000_000)}"
        new = NewTask(title=title, assignee=login, author=login, lead_id=lead.id, origin=origin)
        given = [tasks.make(desk, new)]
    return [tasks.close(desk, each.id, login, result) for each in given][-1]
