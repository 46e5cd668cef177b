"""Callbacks: clients whom a robot rings back. Ordered by facts and people, ended as soon as anybody reaches them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm_core.errors import Conflict, InvalidInput
from crm_core.model.callback import CallbackReason, CallbackState, DialOutcome, permitted_at
from crm_core.model.case import Signal, SignalAt
from crm_core.model.identity import caller
from crm_core.model.records import CallbackRecord, CallRecord, ContactRecord, DialRecord
from crm_core.model.rights import Right
from crm_core.model.zones import client_zone
from crm_core.services.desk import Desk
from crm_core.services.wording import Phrase

_PBX_AWAY_PAUSE = timedelta(minutes=1)
_FURTHEST = timedelta(days=90)
_ROBOT = "robot"


def order(
    desk: Desk,
    contact: ContactRecord,
    reason: CallbackReason,
    at: datetime,
    *,
    author: str = _ROBOT,
    manager: str | None = None,
    call: CallRecord | None = None,
    number: str | None = None,
    since: datetime | None = None,
) -> CallbackRecord:
    """Have the client rung back at `at` (or when they may be rung next). `call` tells the line and the PBX, `since`
    when that was wished, where it becomes known only now.

    `manager` is named only where somebody wants that person; else whoever looks after the client then is rung.

    Of a client who is to be rung back already, the earlier order stands, unless this one is the client's own wish, or
    somebody took their lead after a missed call. Raises InvalidInput where the client has no telephone or the moment is
    too far away, Conflict where the contact was merged.
    """
    demand_unmerged(contact)
    if at > desk.now + _FURTHEST:
        raise InvalidInput("a callback is ordered for 90 days ahead at most: mend «at»")
    known = desk.work.active_callbacks([contact.id]).get(contact.id)
    if known is not None:
        if known.state is CallbackState.DIALLING or not _goes_before(reason, known.reason):
            return known
        changed = known._replace(
            number=number or known.number,
            reason=reason,
            due_at=at,
            created_at=since or desk.now,
            author=author,
            manager=manager or known.manager,
            detail="",
        )
        desk.work.put(changed)
        return changed
    if call is None:
        call = desk.work.last_call(contact.id)
    record = CallbackRecord(
        id=desk.work.next_id(),
        contact_id=contact.id,
        number=number or telephone_of(desk, contact),
        reason=reason,
        state=CallbackState.WAITING,
        due_at=at,
        created_at=since or desk.now,
        author=author,
        manager=manager,
        pbx=call.pbx if call is not None else None,
        line=call.line if call is not None else "",
    )
    desk.work.put(record)
    return record


def _goes_before(reason: CallbackReason, known: CallbackReason) -> bool:
    if reason is CallbackReason.TAKEN:
        return known is CallbackReason.MISSED
    return reason is CallbackReason.ORDERED


def demand_unmerged(contact: ContactRecord) -> None:
    """Raise Conflict where a contact has become part of another."""
    if contact.merged_into is not None:
        raise Conflict("this contact was merged into {merged_into}: call that one", merged_into=contact.merged_into)


def telephone_of(desk: Desk, contact: ContactRecord) -> str:
    """The client's telephone number, E.164; raises InvalidInput where there is none."""
    identities = desk.work.identities([contact.id]).get(contact.id, [])
    number = next((each.key.partition(":")[2] for each in identities if each.key.startswith("tel:+")), None)
    if number is None:
        raise InvalidInput(desk.say(Phrase.NO_TELEPHONE))
    return number


def zone_of(desk: Desk, contact: ContactRecord, number: str) -> ZoneInfo:
    """The zone of the client's clock."""
    return client_zone(number, contact.city, ZoneInfo(desk.office.time_zone), desk.now)


# ---------------------------------------------------------------- what facts and people order


def lead_taken(desk: Desk, contact: ContactRecord, login: str) -> None:
    """A lead was taken: manager and client are brought together at once, where the office wants that."""
    if not desk.office.robot.on_take or not _has_telephone(desk, contact):
        return
    last = desk.work.last_call(contact.id)
    if last is not None and last.answered_at is not None and last.finished_at is None:
        return  # taken while talking: they are together
    order(desk, contact, CallbackReason.TAKEN, desk.now, manager=login)


def call_missed(desk: Desk, contact: ContactRecord, call: CallRecord) -> None:
    """A call was missed, or its caller asked to be rung back, and the client still waits."""
    rules = desk.office.robot
    ordered = call.wish_callback and rules.on_order
    number = caller(call.number, desk.office.region)
    if not (ordered or rules.on_missed) or number is None:
        return
    if contact.list_name is not None or call.list_name is not None:
        return
    case = desk.work.open_cases([contact.id]).get(contact.id)
    if case is None:
        return  # answered meanwhile
    reason = CallbackReason.ORDERED if ordered else CallbackReason.MISSED
    promised_at = case.promised_at if case.promised_at is not None and not ordered else desk.now
    at = min(max(desk.now, promised_at), desk.now + _FURTHEST)
    order(desk, contact, reason, at, call=call, number=number.value, since=call.finished_at)


def form_wished(desk: Desk, contact: ContactRecord, at: datetime, phone: str, since: datetime) -> None:
    """A visitor of the website asked at `since` to be rung at `at`, at the number that they typed if it is known as
    theirs."""
    if not desk.office.robot.on_order or contact.list_name is not None or not _has_telephone(desk, contact):
        return
    due = min(max(at, desk.now), desk.now + _FURTHEST)
    typed = caller(phone, desk.office.region)
    known = desk.work.identities([contact.id]).get(contact.id, [])
    number = next((typed.value for each in known if typed is not None and each.key == str(typed)), None)
    order(desk, contact, CallbackReason.ORDERED, due, number=number, since=since)
    desk.note(contact.id, desk.say(Phrase.CALLBACK_ORDERED, time=desk.local(due)), author=_ROBOT)


def promised(desk: Desk, contact: ContactRecord, at: datetime) -> None:
    """Somebody will ring the client themselves at `at`: the robot waits until then."""
    active = desk.work.active_callbacks([contact.id]).get(contact.id)
    if active is not None and active.state is CallbackState.WAITING and active.due_at < at:
        desk.work.put(active._replace(due_at=at))


def _has_telephone(desk: Desk, contact: ContactRecord) -> bool:
    identities = desk.work.identities([contact.id]).get(contact.id, [])
    return any(each.key.startswith("tel:+") for each in identities)


# ---------------------------------------------------------------- what ends them


def spoken(desk: Desk, contact: ContactRecord, signal: SignalAt) -> None:
    """Somebody reached the client by any channel, or nothing is owed any more: no robot rings for what was before.

    A call under way goes on only if the client is on the line already (see `dialling.unwanted_dials`).
    """
    active = desk.work.active_callbacks([contact.id]).get(contact.id)
    if active is None or not _answered(desk, contact, active, signal.at):
        return
    closed = signal.signal is Signal.CLOSE
    state = CallbackState.CANCELLED if closed else CallbackState.REACHED
    detail = signal.reason if closed else desk.say(Phrase.CALLBACK_REACHED)
    desk.work.put(active._replace(state=state, ended_at=desk.now, detail=detail))


def _answered(desk: Desk, contact: ContactRecord, record: CallbackRecord, at: datetime) -> bool:
    """Whether real contact at this moment is what the callback was for. Facts come late and in any order: what is owed
    after a missed call is known by the case, and a wish is met by what came after it."""
    if record.reason is CallbackReason.MISSED:
        return contact.id not in desk.work.open_cases([contact.id])
    return at >= record.created_at


def cancel_for(desk: Desk, contact: ContactRecord, reason: str) -> None:
    """The client is not to be rung back any more, for a reason in words."""
    active = desk.work.active_callbacks([contact.id]).get(contact.id)
    if active is not None:
        desk.work.put(active._replace(state=CallbackState.CANCELLED, ended_at=desk.now, detail=reason))


def cancel(desk: Desk, callback_id: int, login: str, reason: str) -> CallbackRecord:
    """Somebody cancels a callback; raises Conflict where it has ended."""
    desk.demand(Right.PLACE_CALLS)
    record, contact = desk.work.owned(CallbackRecord, callback_id)
    if contact is None or not record.state.active:
        raise Conflict("the callback has ended already ({state})", state=record.state)
    cancelled = record._replace(state=CallbackState.CANCELLED, ended_at=desk.now, detail=reason)
    desk.work.put(cancelled)
    text = desk.say(Phrase.CALLBACK_CANCELLED, name=desk.name_of(login), reason=reason)
    desk.note(contact.id, text, author=login, by_person=True)
    return cancelled


# ---------------------------------------------------------------- what the dialler does with them


def put_off(desk: Desk, record: CallbackRecord, due_at: datetime, detail: str) -> None:
    """It can't be now: look again at `due_at`; `detail` says what it waits for."""
    if record.due_at != due_at or record.detail != detail:
        desk.work.put(record._replace(due_at=due_at, detail=detail))


def end_unwanted(desk: Desk, record: CallbackRecord, detail: str) -> None:
    """The office wants no robot for this any more, or the client is not to be rung."""
    desk.work.put(record._replace(state=CallbackState.CANCELLED, ended_at=desk.now, detail=detail))


def placed(desk: Desk, record: CallbackRecord) -> None:
    """A call for it is being placed."""
    desk.work.put(record._replace(state=CallbackState.DIALLING, attempts=record.attempts + 1, detail=""))


def dial_ended(desk: Desk, contact: ContactRecord, dial: DialRecord) -> None:
    """The call placed for a callback is over: reached, or once more later, or given up."""
    if dial.callback_id is None:
        return
    record = desk.work.peek(CallbackRecord, dial.callback_id) or desk.work.get(CallbackRecord, dial.callback_id)
    if record.state is not CallbackState.DIALLING:
        return
    rules = desk.office.robot
    if contact.id != record.contact_id:
        contact = desk.work.contact(record.contact_id)  # one of the two was merged, or the number changed hands
    spoke = contact.last_contact_at
    reached = spoke is not None and _answered(desk, contact, record, spoke)
    if dial.outcome is DialOutcome.ANSWERED or reached:
        desk.work.put(record._replace(state=CallbackState.REACHED, ended_at=desk.now))
    elif dial.outcome is DialOutcome.NOT_SENT:
        again = desk.now + _PBX_AWAY_PAUSE
        attempts = record.attempts - 1  # nobody's telephone rang
        desk.work.put(record._replace(state=CallbackState.WAITING, due_at=again, attempts=attempts, detail=dial.detail))
    elif record.attempts >= rules.attempts:
        text = desk.say(Phrase.CALLBACK_GIVEN_UP, attempts=record.attempts)
        desk.work.put(record._replace(state=CallbackState.GIVEN_UP, ended_at=desk.now, detail=text))
        desk.note(contact.id, text, author=_ROBOT)
    else:
        again = permitted_at(rules, zone_of(desk, contact, record.number), desk.now + rules.spacing)
        desk.work.put(record._replace(state=CallbackState.WAITING, due_at=again, detail=dial.detail))
