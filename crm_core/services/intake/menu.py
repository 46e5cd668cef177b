"""Taking in what a client chose from an account's menu: the words of the item, its answer, the group it leads to."""

from __future__ import annotations

from dataclasses import replace

from crm_core.messages import EntryKind, InboundEvent, MenuChosen, ReceiptState
from crm_core.model.answers import STILL_ASKED, MenuItem
from crm_core.model.case import Signal, SignalAt
from crm_core.model.records import ContactRecord, DealRecord, LeadRecord, LeadStatus
from crm_core.services.cards.leads import about, enquire, give_lead
from crm_core.services.desk import Desk
from crm_core.services.intake.messages import is_refused, wants_lead
from crm_core.services.intake.outcome import DONE, Outcome, ignored
from crm_core.services.letters.answers import say
from crm_core.services.letters.entries import emit_message, entry_of, sender_of
from crm_core.services.recognising.marks import stamp_of
from crm_core.services.recognising.recognition import Recognition, message_ref
from crm_core.services.watching.cases import given_to, signalled
from crm_core.services.wording import Phrase


def menu_chosen(
    desk: Desk, recognition: Recognition, event: InboundEvent, chosen: MenuChosen, journal_id: int
) -> Outcome:
    """An item of the menu: an entry with its text, its answer where it has one, and its group looks after the client.

    Somebody waits for an answer where people are to give it: the item has none, or leads to a group.
    """
    answers = desk.office.answers_of(event.key)
    item = answers.item(chosen.item)
    if item is None:
        what = f"the menu has no item «{chosen.item}»"
        return Outcome(ReceiptState.IGNORED, error=what, answer=desk.say(Phrase.MENU_GONE))
    if event.group:
        return ignored("a menu in a group")
    ref = message_ref(event, chosen.ref)
    known = recognition.entry(desk, ref)
    if known is not None:
        return ignored("the choice is on the timeline already")
    contact = sender_of(desk, recognition, event)
    refused = is_refused(desk, contact)
    answered = bool(item.answer) and not refused and desk.now - event.occurred_at <= STILL_ASKED
    asks = not refused and (item.group is not None or not answered)
    enquiry = _enquire(desk, contact, event, item)
    keeper = _keeper(desk, contact, item) if not refused else None
    entry = entry_of(
        desk,
        event,
        contact.id,
        EntryKind.MESSAGE,
        journal_id,
        ref=ref,
        text=item.text,
        signal=Signal.ASK if asks else None,
        signal_at=event.occurred_at if asks else None,
        **about(enquiry),
    )
    desk.work.put(entry)
    recognition.entries[ref] = entry
    if asks:
        contact = desk.work.contact(contact.id)
        signalled(desk, contact, SignalAt(Signal.ASK, event.occurred_at), event.key, manager=keeper)
        if keeper is not None:
            given_to(desk, contact, keeper, f"menu:{journal_id}")
    emit_message(desk, entry)
    if answered:
        menu = answers.rows if item.group is None else ()
        say(desk, recognition, event, desk.work.contact(contact.id), item.answer, menu=menu)
    return DONE


def _enquire(desk: Desk, contact: ContactRecord, event: InboundEvent, item: MenuItem) -> LeadRecord | DealRecord | None:
    """The lead or deal that the choice opens or joins; whom it goes to the item's group decides, where it names one."""
    if contact.list_name is not None:
        return None
    policy = desk.office.policy(event.key)
    return enquire(
        desk,
        contact,
        event.key,
        replace(policy, group=item.group or policy.group),
        by=stamp_of(event),
        title=item.text,
        assign=item.group is None,
        opens=wants_lead(contact, policy),
    )


def _keeper(desk: Desk, contact: ContactRecord, item: MenuItem) -> str | None:
    """Who of the item's group looks after the client now; their open lead, if nobody took it yet, becomes theirs.

    Whoever of the group has the client already keeps them. None where the item names no group, or nobody of it is
    there: then the lead waits for the group.
    """
    if item.group is None:
        return None
    staff = desk.work.staff
    members = {user.login for user in staff.members(item.group)}
    lead = desk.work.open_leads([contact.id]).get(contact.id)
    case = desk.work.open_cases([contact.id]).get(contact.id)
    holders = (
        case.manager if case is not None else None,
        lead.manager if lead is not None else None,
        contact.manager,
    )
    keeper = next((login for login in holders if login in members), None)
    if keeper is None:
        user = desk.policies.assigner.assign(item.group, staff, desk.loads, desk.now)
        keeper = user.login if user is not None else None
    if lead is not None and lead.status is LeadStatus.NEW:
        _give_lead(desk, contact, lead, item.group, keeper)
    return keeper


def _give_lead(desk: Desk, contact: ContactRecord, lead: LeadRecord, group: str, keeper: str | None) -> None:
    user = desk.work.staff.get(keeper)
    given = lead._replace(group_name=group, manager=lead.manager if keeper == lead.manager else None)
    if given != lead:
        desk.work.put(given)
    if user is not None and keeper != lead.manager:
        give_lead(desk, given, contact, user)
