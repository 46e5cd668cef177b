"""Checking rejections: whoever oversees says of a lead that came to nothing that this is right, or has it go on."""

from __future__ import annotations

from crm_core.errors import Conflict
from crm_core.model.access import Access
from crm_core.model.history import KIND_OF
from crm_core.model.records import ContactRecord, LeadRecord, LeadStatus
from crm_core.model.rights import Right
from crm_core.model.task import TaskRecord, TaskState
from crm_core.services.desk import Desk
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask
from crm_core.services.watching.ladders import watch_lead
from crm_core.services.wording import Phrase


def confirm(desk: Desk, lead_id: int, login: str) -> TaskRecord:
    """The rejection is right: the task to check it is done, one made for that where nobody was given any.

    Raises NotFound, Conflict for a lead that is not rejected, and for one that they rejected themselves while somebody
    else may check it, Forbidden for one of somebody whom they don't oversee.
    """
    desk.demand(Right.SEE_ALARMS)
    lead, _contact = _rejected(desk, lead_id)
    if desk.access is not None and _rejected_by(desk, lead) == login and _others_may(desk, lead, login):
        raise Conflict("you rejected lead {lead} yourself: somebody else says whether that was right", lead=lead.id)
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


def _rejected_by(desk: Desk, lead: LeadRecord) -> str | None:
    """Who brought a lead to where it stands; None where that is not known any more."""
    known = desk.work.history_of(KIND_OF[LeadRecord], [lead.id]).get(lead.id, [])
    brought = [each for each in known if any(name == "status" and new == lead.status for name, _, new in each.changes)]
    return max(brought, key=lambda each: (each.at, each.id)).author if brought else None


def _others_may(desk: Desk, lead: LeadRecord, login: str) -> bool:
    """Whether anybody else who works here may check the rejection of a lead."""
    staff = desk.work.staff
    others = (
        Access.of(each, desk.catalogue, staff)
        for each in staff.by_login.values()
        if each.active and each.login != login
    )
    return any(each.may(Right.SEE_ALARMS) and each.within(Right.SEE_REPORTS, lead.manager) for each in others)


def _checked(desk: Desk, lead: LeadRecord, login: str, result: str) -> TaskRecord:
    """Close what was given since the rejection, else leave a task behind that says who checked it; where it was checked
    already, that stays as it is."""
    since = lead.closed_at or desk.now
    given = [each for each in desk.work.open_tasks("lead_id", [lead.id]) if each.created_at >= since]
    if not given:
        title = desk.titled(Phrase.REJECTION_CHECK, title=lead.title or f"№ {lead.id}")
        origin = f"rejection:{lead.id}:{int(since.timestamp() * 1_000_000)}"
        new = NewTask(title=title, assignee=login, author=login, lead_id=lead.id, origin=origin)
        given = [tasks.make(desk, new)]
        if given[0].state is not TaskState.OPEN:
            return given[0]
    return [tasks.close(desk, each.id, login, result) for each in given][-1]
