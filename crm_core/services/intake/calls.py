"""Taking in calls: one entry a call, moved forward by each transition, in whatever order transitions arrive."""

from __future__ import annotations

from crm_core.messages import EntryKind, InboundEvent
from crm_core.model.call import CallSnapshot, CallState, Direction
from crm_core.model.call_now import heralded
from crm_core.model.case import Signal, SignalAt
from crm_core.model.identity import caller, internal
from crm_core.model.office import ListAction
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import (
    CallRecord,
    ContactRecord,
    DealRecord,
    EntryRecord,
    IdentityRecord,
    LeadRecord,
    beside,
)
from crm_core.services.calls import dials
from crm_core.services.calls.recordings import expected
from crm_core.services.cards.leads import about, answered_by, enquire
from crm_core.services.desk import Desk
from crm_core.services.intake.call_parts import completed
from crm_core.services.intake.call_record import record_of, tells_more
from crm_core.services.intake.messages import wants_lead
from crm_core.services.intake.outcome import DONE, Outcome
from crm_core.services.intake.silent_calls import watch
from crm_core.services.recognising.marks import Stamp, stamp
from crm_core.services.recognising.recognition import ANONYMOUS, Recognition, new_contact
from crm_core.services.watching import callbacks
from crm_core.services.watching.cases import settle, signalled
from crm_core.services.wording import Phrase
from crm_core.wording import plain

# Rejected is also who called at night or pressed a key of the menu: unless a list refuses them, that is a miss.
_UNANSWERED = frozenset({CallState.MISSED, CallState.ABANDONED, CallState.BUSY, CallState.REJECTED})


def call_changed(
    desk: Desk, recognition: Recognition, event: InboundEvent, call: CallSnapshot, journal_id: int
) -> Outcome:
    """A call moved on. A snapshot that says less than what is known changes nothing but is kept in the journal."""
    place = (event.key.account, call.linkedid)
    known = recognition.calls.get(place)
    if call.partial:
        whole = completed(desk, event.key.account, known, call)
        if whole is None:
            return DONE
        call = whole
    elif known is not None and not tells_more(known, call):
        return DONE
    contact = _contact(desk, recognition, event, call)
    record = record_of(desk, event.key.account, call, known, contact.id if contact is not None else None)
    if contact is None:
        desk.work.put(record)
    else:
        record = _with_client(desk, recognition, event, call, record, contact, journal_id)
    recognition.calls[place] = record
    if call.partial:
        watch(desk, record)
    expected(desk, known, record, settled=call.settled)
    _emit(desk, known, record)
    return DONE


def _with_client(
    desk: Desk,
    recognition: Recognition,
    event: InboundEvent,
    call: CallSnapshot,
    record: CallRecord,
    contact: ContactRecord,
    journal_id: int,
) -> CallRecord:
    """The call of a client: lead where due, entry, manager, case."""
    line = desk.office.line(event.key.account, call.line)
    policy = line.policy if line is not None else desk.office.policy(event.key)
    listed = _listed(desk, recognition, call, contact)
    record = record._replace(list_name=listed)
    if call.partial and record.state in _UNANSWERED and _refused(desk, listed):
        record = record._replace(state=CallState.REJECTED)  # whoever pushed it was told to refuse the caller
    enquiry: LeadRecord | DealRecord | None = None
    if call.direction is Direction.IN and listed is None and _has_number(desk, call):
        enquiry = _enquiry(desk, contact, event, call, record, policy)
    contact = desk.work.contact(contact.id)
    if record.answered_by is not None and listed is None and _has_number(desk, call):
        lead = enquiry if isinstance(enquiry, LeadRecord) else None
        by = stamp(record.answered_at or call.started_at, str(event.key), 0, call.linkedid)
        contact = answered_by(desk, contact, record.answered_by, lead, by)
    before = desk.work.peek(EntryRecord, record.entry_id) if record.entry_id is not None else None
    entry = _entry(desk, event, call, record, contact, enquiry, journal_id, before)
    record = record._replace(entry_id=entry.id)
    desk.work.put(record)
    _signal(desk, contact, event, entry, before)
    contact = desk.work.contact(contact.id)
    record = dials.followed(desk, contact, record)
    if entry.signal is Signal.MISS:
        callbacks.call_missed(desk, contact, record)
    return record


def _contact(desk: Desk, recognition: Recognition, event: InboundEvent, call: CallSnapshot) -> ContactRecord | None:
    identity = caller(call.number, desk.office.region)
    if identity is not None:
        return recognition.caller(desk, (identity,), "", "call", _stamp(event, call))
    if internal(call.number):
        return None  # an internal number: people of the office among themselves
    if call.partial and not call.number:
        return None  # whose call it is was not told yet
    contact_id = recognition.holders.get(ANONYMOUS)
    if contact_id is not None:
        return desk.work.contact(contact_id)
    name = "Номер скрыт" if desk.office.language == "ru" else "Hidden number"
    contact = new_contact(desk, name, _stamp(event, call))
    recognition.holders[ANONYMOUS] = contact.id
    desk.work.put(IdentityRecord(ANONYMOUS, contact.id, "call", desk.now))
    return contact


def _stamp(event: InboundEvent, call: CallSnapshot) -> Stamp:
    """One stamp for all transitions of a call."""
    return stamp(call.started_at, str(event.key), 0, call.linkedid)


def _has_number(desk: Desk, call: CallSnapshot) -> bool:
    return caller(call.number, desk.office.region) is not None


def _listed(desk: Desk, recognition: Recognition, call: CallSnapshot, contact: ContactRecord) -> str | None:
    identity = caller(call.number, desk.office.region)
    by_number = recognition.lists.get(str(identity)) if identity is not None else None
    return contact.list_name or by_number


def _refused(desk: Desk, list_name: str | None) -> bool:
    listed = desk.office.lists.get(list_name) if list_name is not None else None
    return listed is not None and listed.action is ListAction.REJECT


def _enquiry(
    desk: Desk,
    contact: ContactRecord,
    event: InboundEvent,
    call: CallSnapshot,
    record: CallRecord,
    policy: AccountPolicy,
) -> LeadRecord | DealRecord | None:
    # Whoever answers gets the lead; it is shared out only when the call is over and nobody of the office did.
    over = record.finished_at is not None and record.answered_by is None
    assign = over or contact.manager is not None
    title = desk.titled(Phrase.TITLE_CALL)
    by, opens = _stamp(event, call), wants_lead(contact, policy)
    return enquire(desk, contact, event.key, policy, by=by, title=title, assign=assign, opens=opens)


def _entry(
    desk: Desk,
    event: InboundEvent,
    call: CallSnapshot,
    record: CallRecord,
    contact: ContactRecord,
    enquiry: LeadRecord | DealRecord | None,
    journal_id: int,
    before: EntryRecord | None,
) -> EntryRecord:
    signal = _meaning(desk, call, record)
    entry = before
    if entry is None:
        entry = EntryRecord(
            id=desk.work.next_id(),
            seq=0,
            contact_id=contact.id,
            kind=EntryKind.CALL,
            direction=call.direction,
            occurred_at=call.started_at,
            sequence=0,
            recorded_at=desk.now,
            channel=event.key.channel,
            account=event.key.account,
            conversation=call.number,
            journal_id=journal_id,
            external_id=call.linkedid,
        )
    if record.wish_callback:
        wish = desk.say(Phrase.CALLBACK_WISHED)
        entry = entry._replace(text=plain(wish), offers=beside(wish))
    entry = entry._replace(
        call_id=record.id,
        occurred_at=record.started_at,
        author=desk.name_of(record.answered_by) if record.answered_by else entry.author,
        by_person=record.answered_by is not None,
        signal=signal.signal if signal is not None else None,
        signal_at=signal.at if signal is not None else None,
        **about(enquiry),
    )
    desk.work.put(entry)
    return entry


def _meaning(desk: Desk, call: CallSnapshot, record: CallRecord) -> SignalAt | None:
    """What a call says about the client's case: talked, missed, or nothing."""
    if record.answered_at is not None and record.endpoint:
        return SignalAt(Signal.TALK, record.answered_at)
    if record.direction is not Direction.IN or record.finished_at is None or record.state not in _UNANSWERED:
        return None
    if not _has_number(desk, call):
        return None
    if _refused(desk, record.list_name):
        return None
    rang_out = record.finished_at - record.started_at
    began = rang_out or not call.partial  # of a call whose end alone was told nobody knows how long it rang
    short = bool(began) and rang_out < desk.office.short_abandon
    if record.state is CallState.ABANDONED and short and not record.wish_callback:
        return None
    return SignalAt(Signal.MISS, record.finished_at)


def _signal(
    desk: Desk, contact: ContactRecord, event: InboundEvent, entry: EntryRecord, before: EntryRecord | None
) -> None:
    """Let the call's signal have its effect, once: a later snapshot with the same signal changes nothing."""
    had = before is not None and before.signal is not None
    if had and before is not None and (before.signal, before.signal_at) == (entry.signal, entry.signal_at):
        return
    if entry.signal is not None and entry.signal_at is not None:
        signalled(desk, contact, SignalAt(entry.signal, entry.signal_at), event.key, instead=had)
    elif had:
        settle(desk, contact)


def _emit(desk: Desk, known: CallRecord | None, record: CallRecord) -> None:
    data = {
        "id": record.id,
        "contact_id": record.contact_id,
        "direction": record.direction,
        "number": record.number,
        "line": record.line,
        "state": record.state,
        "wait_s": record.wait_s,
        "talk_s": record.talk_s,
        "answered_by": record.answered_by,
    }
    if known is None or heralded(known):
        desk.emit("call.started", record.id, data)
    if record.finished_at is not None and (known is None or known.finished_at is None):
        missed = record.direction is Direction.IN and record.state in _UNANSWERED
        if record.state is CallState.REJECTED and _refused(desk, record.list_name):
            missed = False
        desk.emit("call.missed" if missed else "call.finished", record.id, data)
