"""Climbing the ladder: each rung of a case is told once, and the next one gets its deadline."""

from __future__ import annotations

from datetime import timedelta

from crm_core.model.case import CaseKind, CaseState
from crm_core.model.ladder import Ladder, LadderEvent
from crm_core.model.records import (
    CaseRecord,
    ContactRecord,
    DeadlineKind,
    DeadlineRecord,
    DealRecord,
    LeadRecord,
    LeadStatus,
)
from crm_core.services.desk import Desk
from crm_core.services.watching.responsible import responsible
from crm_core.services.watching.telling import Buttons, case_buttons, case_text, lead_buttons, tell
from crm_core.services.wording import Phrase
from crm_core.wording import Joined

# A lead looks more and more seldom whether the case is over that it waits for: who closes it by hand says so anyway.
_WAIT_FOR_CASE_MIN = timedelta(minutes=1)
_WAIT_FOR_CASE_MAX = timedelta(days=1)


def key(kind: DeadlineKind, subject_id: int) -> str:
    """The key of a deadline."""
    return f"{kind.value}:{subject_id}"


def ladder_of(desk: Desk, case: CaseRecord) -> Ladder:
    """The ladder of a case."""
    return desk.office.ladders.of_case(CaseKind(case.kind))


def set_next_rung(desk: Desk, case: CaseRecord, contact: ContactRecord) -> CaseRecord:
    """Give the next rung its deadline, or tell it at once where it is the first and due now."""
    ladder = ladder_of(desk, case)
    rung = 0 if case.rung is None else case.rung + 1
    due = ladder.due(rung, case.opened_at)
    if due is not None and due <= desk.now and rung == 0:
        return climb(desk, case, contact)
    deadline_key = key(DeadlineKind.CASE_RUNG, case.id)
    if due is None or case.promised_at is not None:
        desk.work.remove(DeadlineRecord, deadline_key)
    else:
        desk.work.put(DeadlineRecord(deadline_key, DeadlineKind.CASE_RUNG, case.id, due, rung))
    return case


def resume(desk: Desk, case: CaseRecord) -> None:
    """Give an open case the deadline that its rung and promise call for, telling nobody now."""
    ladder = ladder_of(desk, case)
    rung = 0 if case.rung is None else case.rung + 1
    due = ladder.due(rung, case.opened_at)
    for kind in (DeadlineKind.CASE_RUNG, DeadlineKind.CASE_PROMISE):
        desk.work.remove(DeadlineRecord, key(kind, case.id))
    if case.promised_at is not None:
        kind = DeadlineKind.CASE_PROMISE
        desk.work.put(DeadlineRecord(key(kind, case.id), kind, case.id, case.promised_at))
    elif due is not None:
        kind = DeadlineKind.CASE_RUNG
        desk.work.put(DeadlineRecord(key(kind, case.id), kind, case.id, due, rung))


def climb(desk: Desk, case: CaseRecord, contact: ContactRecord, why: Phrase | None = None) -> CaseRecord:
    """Tell the next rung now, note it on the timeline, and set the deadline of the one after."""
    ladder = ladder_of(desk, case)
    rung = 0 if case.rung is None else case.rung + 1
    if rung >= len(ladder.steps):
        desk.work.remove(DeadlineRecord, key(DeadlineKind.CASE_RUNG, case.id))
        return case
    people = desk.policies.ladder.recipients(
        ladder.steps[rung].tell, desk.work.staff.get(case.manager), desk.work.staff, desk.now
    )
    text = case_text(desk, case, contact, rung, why)
    told = tell(
        desk,
        people,
        f"case:{case.id}:{rung}",
        text,
        contact_id=contact.id,
        buttons=case_buttons(desk, case),
        joins=rung == 0,
    )
    climbed = case._replace(rung=rung)
    desk.work.put(climbed)
    if rung > 0:
        names = ", ".join(user.name for user in told) or "—"
        desk.note(contact.id, desk.say(Phrase.RUNG_TOLD, rung=rung, names=names), author="hub")
        data = {"id": case.id, "contact_id": contact.id, "rung": rung, "told": [user.login for user in told]}
        desk.emit("case.escalated", case.id, data)
    return set_next_rung(desk, climbed, contact)


def still_due(desk: Desk, deadline: DeadlineRecord) -> bool:
    """Whether the deadline, read again under the lock of its contact, is still the one that was claimed."""
    found = desk.work.related(DeadlineRecord, "key", [deadline.key])
    return bool(found) and found[0].due_at <= desk.now and found[0].rung == deadline.rung


def rung_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """A rung's time has come: tell it, if the client still waits and nothing else told it meanwhile."""
    case, contact = desk.work.owned(CaseRecord, deadline.subject_id)
    expected = 0 if case.rung is None else case.rung + 1
    if not still_due(desk, deadline) or contact is None:
        return
    if case.state is not CaseState.OPEN or expected != deadline.rung:
        desk.work.remove(DeadlineRecord, deadline.key)
        return
    climb(desk, case, contact)


def promise_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """A promise was not kept: the next rung is told at once and the clock runs on."""
    case, contact = desk.work.owned(CaseRecord, deadline.subject_id)
    if not still_due(desk, deadline):
        return
    desk.work.remove(DeadlineRecord, deadline.key)
    if case.state is not CaseState.OPEN or case.promised_at is None or contact is None:
        return
    freed = case._replace(promised_at=None)
    desk.work.put(freed)
    ladder = ladder_of(desk, freed)
    if freed.rung is not None and freed.rung + 1 >= len(ladder.steps):
        _tell_last_again(desk, freed, contact, ladder, deadline)
        return
    climb(desk, freed, contact, Phrase.PROMISE_BROKEN)


def _tell_last_again(
    desk: Desk, case: CaseRecord, contact: ContactRecord, ladder: Ladder, deadline: DeadlineRecord
) -> None:
    """A promise broken on the last rung is told to that rung once more: nobody stands above it."""
    rung = len(ladder.steps) - 1
    people = desk.policies.ladder.recipients(
        ladder.steps[rung].tell, desk.work.staff.get(case.manager), desk.work.staff, desk.now
    )
    text = case_text(desk, case, contact, rung, Phrase.PROMISE_BROKEN)
    cause = f"case:{case.id}:{rung}:promise:{int(deadline.due_at.timestamp())}"
    told = tell(desk, people, cause, text, contact_id=contact.id, buttons=case_buttons(desk, case))
    names = ", ".join(user.name for user in told) or "—"
    desk.note(contact.id, Joined((desk.say(Phrase.PROMISE_BROKEN), names), " "), author="hub")


# ---------------------------------------------------------------- leads and deals


def watch_lead(desk: Desk, lead: LeadRecord, rung: int = 0) -> None:
    """Begin the ladder of a new lead, if there is one, or let it go on with a rung."""
    ladder = desk.office.ladders.get(LadderEvent.LEAD_UNTOUCHED)
    due = ladder.due(rung, lead.created_at) if ladder is not None else None
    if due is not None:
        desk.work.put(DeadlineRecord(key(DeadlineKind.LEAD_RUNG, lead.id), DeadlineKind.LEAD_RUNG, lead.id, due, rung))


def lead_touched(desk: Desk, lead_id: int) -> None:
    """Somebody took the lead or spoke to the client: its ladder ends."""
    desk.work.remove(DeadlineRecord, key(DeadlineKind.LEAD_RUNG, lead_id))


def lead_waits_no_more(desk: Desk, lead: LeadRecord) -> None:
    """The client's case was closed without a word to them: the lead's ladder goes on, in a moment."""
    ladder = desk.office.ladders.get(LadderEvent.LEAD_UNTOUCHED)
    known = desk.work.related(DeadlineRecord, "key", [key(DeadlineKind.LEAD_RUNG, lead.id)])
    if ladder is None or not known:
        return
    own = ladder.due(known[0].rung, lead.created_at)
    soon = max(own or desk.now, desk.now + _WAIT_FOR_CASE_MIN)
    if soon < known[0].due_at:
        desk.work.put(known[0]._replace(due_at=soon))


def lead_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """A rung of an untouched lead; it waits while the client has an open case, which has a ladder of its own."""
    ladder = desk.office.ladders.get(LadderEvent.LEAD_UNTOUCHED)
    lead, contact = desk.work.owned(LeadRecord, deadline.subject_id)
    if not still_due(desk, deadline):
        return
    desk.work.remove(DeadlineRecord, deadline.key)
    if ladder is None or contact is None or lead.status is not LeadStatus.NEW or deadline.rung >= len(ladder.steps):
        return
    cases = desk.work.open_cases([contact.id])
    if cases:
        age = desk.now - max(each.opened_at for each in cases.values())
        wait = min(max(age, _WAIT_FOR_CASE_MIN), _WAIT_FOR_CASE_MAX)
        desk.work.put(deadline._replace(due_at=desk.now + wait))
        return
    text = desk.say(
        Phrase.LEAD_UNTOUCHED, client=desk.client(contact), title=lead.title, manager=desk.name_of(lead.manager)
    )
    cause = f"lead:{lead.id}:{deadline.rung}"
    _tell_rung(desk, ladder, deadline, lead.manager, cause, text, contact.id, lead_buttons(desk, lead))
    _next_rung(desk, ladder, deadline, lead)


def watch_deal(desk: Desk, deal: DealRecord) -> None:
    """Set or clear the ladder of a deal's due date."""
    ladder = desk.office.ladders.get(LadderEvent.DEAL_OVERDUE)
    deadline_key = key(DeadlineKind.DEAL_RUNG, deal.id)
    due = ladder.due(0, deal.due_at) if ladder is not None and deal.due_at is not None else None
    if due is None or deal.closed_at is not None or deal.deleted_at is not None or _to_be_dialled(desk, deal):
        desk.work.remove(DeadlineRecord, deadline_key)
    else:
        desk.work.put(DeadlineRecord(deadline_key, DeadlineKind.DEAL_RUNG, deal.id, due))


def _to_be_dialled(desk: Desk, deal: DealRecord) -> bool:
    """Whether a card is a number of a dial list: its date says when it may be rung again, and nobody is late."""
    found = desk.catalogue.place(deal.stage_id)
    return found is not None and found[0].settings.dial_list


def deal_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """A rung of an overdue deal."""
    ladder = desk.office.ladders.get(LadderEvent.DEAL_OVERDUE)
    deal, contact = desk.work.owned(DealRecord, deadline.subject_id)
    if not still_due(desk, deadline):
        return
    desk.work.remove(DeadlineRecord, deadline.key)
    if ladder is None or deal.closed_at is not None or deal.deleted_at is not None or deal.due_at is None:
        return
    if deadline.rung >= len(ladder.steps):
        return
    client = desk.client(contact) if contact is not None else ""
    text = desk.say(Phrase.DEAL_OVERDUE, client=client, title=deal.title, manager=desk.name_of(deal.manager))
    cause = f"deal:{deal.id}:{int(deal.due_at.timestamp())}:{deadline.rung}"
    _tell_rung(desk, ladder, deadline, responsible(desk, deal), cause, text, deal.contact_id)
    due = ladder.due(deadline.rung + 1, deal.due_at)
    if due is not None:
        desk.work.put(DeadlineRecord(deadline.key, DeadlineKind.DEAL_RUNG, deal.id, due, deadline.rung + 1))


def _tell_rung(
    desk: Desk,
    ladder: Ladder,
    deadline: DeadlineRecord,
    manager: str | None,
    cause: str,
    text: str,
    contact_id: int | None,
    buttons: Buttons | None = None,
) -> None:
    staff = desk.work.staff
    people = desk.policies.ladder.recipients(ladder.steps[deadline.rung].tell, staff.get(manager), staff, desk.now)
    told = tell(desk, people, cause, text, contact_id=contact_id, buttons=buttons)
    if contact_id is not None:
        names = ", ".join(user.name for user in told) or "—"
        desk.note(contact_id, desk.say(Phrase.RUNG_TOLD, rung=deadline.rung, names=names), author="hub")


def _next_rung(desk: Desk, ladder: Ladder, deadline: DeadlineRecord, lead: LeadRecord) -> None:
    due = ladder.due(deadline.rung + 1, lead.created_at)
    if due is not None:
        desk.work.put(DeadlineRecord(deadline.key, DeadlineKind.LEAD_RUNG, lead.id, due, deadline.rung + 1))
