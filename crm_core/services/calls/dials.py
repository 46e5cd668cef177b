"""Calls that the hub places: a person of the office is rung first, then the client; one at a time for either of them.

A placed call is a row before it is an act: `queued` by whoever wants it, `sent` by the node that owns the PBX's link
just before it hands it over, `ended` by what the PBX tells of it. What was sent is never sent again; the id of the call
is given by the hub, so that the PBX itself would refuse to place it twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from crm_core.errors import Conflict, InvalidInput, NeedsConfirmation, NotFound
from crm_core.messages import EntryKind
from crm_core.model.call import CallState, Direction
from crm_core.model.callback import DIAL_MARK, DialOutcome, DialPurpose, DialState, dial_of, permitted_at
from crm_core.model.identity import telephone
from crm_core.model.records import (
    CallbackRecord,
    CallRecord,
    CaseRecord,
    ContactRecord,
    DeadlineKind,
    DeadlineRecord,
    DealRecord,
    DialRecord,
    EntryRecord,
    LeadRecord,
    beside,
)
from crm_core.model.rights import Right
from crm_core.model.user import User
from crm_core.services.cards.pipelines import demand_access, place_of
from crm_core.services.clients import contacts
from crm_core.services.desk import Desk
from crm_core.services.watching import callbacks
from crm_core.services.watching.ladders import key
from crm_core.services.wording import Phrase
from crm_core.wording import in_language, plain

__all__ = [
    "client_of",
    "client_of_number",
    "dial_due",
    "dial_of",
    "fail",
    "followed",
    "not_handed_over",
    "number_of",
    "place",
    "refused",
    "take_to_send",
]

# How long a press may wait for the PBX before nothing rings any more: a telephone that rings minutes later frightens.
_PLACED_WITHIN = timedelta(seconds=15)
# How long the PBX may tell nothing at all of a call that was handed over.
_HEARD_WITHIN = timedelta(seconds=45)
_LOOK_AGAIN = timedelta(minutes=5)
_LONGEST_CALL = timedelta(hours=6)
# Of a call of which the hub knows only that it placed it, whatever the PBX tells is more.
_NO_PROGRESS = -1
_CALLED: Mapping[type, str] = {CaseRecord: "case", DealRecord: "deal", LeadRecord: "lead"}


def place(
    desk: Desk,
    contact: ContactRecord,
    user: User,
    purpose: DialPurpose,
    *,
    author: str,
    number: str | None = None,
    line: str | None = None,
    callback: CallbackRecord | None = None,
    confirmed: bool = False,
) -> DialRecord:
    """Queue a call of `user` with the client. `number` is E.164, the client's first where it is None.

    Raises InvalidInput where somebody has no telephone or there is no PBX with a trunk; Conflict where the client or
    the person is being dialled already; NeedsConfirmation, unless `confirmed`, where the client is talking with the
    office or may not be rung at this hour; Forbidden for whoever may place no calls, or none of others.
    """
    desk.demand(Right.PLACE_CALLS)
    if desk.access is not None and desk.access.login != user.login:
        desk.demand(Right.RING_OTHERS)
    callbacks.demand_unmerged(contact)
    number = number or callbacks.telephone_of(desk, contact)
    pbx, line = _way_out(desk, contact, user, line)
    endpoint = desk.office.endpoint(user, pbx)
    if endpoint is None:
        raise InvalidInput(
            "{user} has no extension: add one with `hub user`, so that their telephone can ring", user=user.login
        )
    for other in desk.work.dials_going_on(contact.id, user.login):
        if other.contact_id == contact.id:
            raise Conflict(desk.say(Phrase.DIALLING_ALREADY, name=desk.name_of(other.login)))
        raise Conflict(desk.say(Phrase.PERSON_DIALLING, name=user.name))
    if not confirmed:
        _permitted(desk, contact, number)
    dial_id = desk.work.next_id()
    record = DialRecord(
        id=dial_id,
        contact_id=contact.id,
        number=number,
        pbx=pbx,
        line=line,
        login=user.login,
        endpoint=endpoint,
        purpose=purpose,
        state=DialState.QUEUED,
        linkedid=f"{int(desk.now.timestamp())}{DIAL_MARK}{dial_id}",
        created_at=desk.now,
        expires_at=desk.now + _PLACED_WITHIN,
        announce=desk.office.robot.announce and purpose in {DialPurpose.MISSED, DialPurpose.ORDERED},
        author=author,
        callback_id=callback.id if callback is not None else None,
    )
    desk.work.put(record)
    _watch(desk, record, _PLACED_WITHIN)
    if callback is not None:
        callbacks.placed(desk, callback)
    return record


def client_of(desk: Desk, kind: type[CaseRecord | DealRecord | LeadRecord], ident: int) -> ContactRecord:
    """Whose a lead, a case or a card is, to call them; raises NotFound, also for a card that whoever acts does not see,
    and where it is nobody's, Forbidden."""
    desk.demand(Right.PLACE_CALLS)
    record, contact = desk.work.owned(kind, ident)
    if isinstance(record, DealRecord):
        demand_access(desk, place_of(desk, record.stage_id)[0], record)
    if contact is None:
        raise NotFound("{kind} {subject} belongs to no client", kind=_CALLED[kind], subject=ident)
    return contact


def client_of_number(desk: Desk, number: str) -> tuple[ContactRecord, str]:
    """The client of a telephone number, made where nobody has it, and the number in E.164; raises InvalidInput."""
    identity = telephone(number, desk.office.region)
    contact = desk.work.contacts_by_identity([str(identity)]).get(str(identity))
    if contact is None:
        contact, _ = contacts.create(desk, contacts.ContactChange(identities=[identity]))
    return contact, identity.value


def number_of(desk: Desk, contact: ContactRecord, number: str) -> str:
    """One of the client's own numbers, in E.164; raises InvalidInput where it is somebody else's or nobody's."""
    identity = telephone(number, desk.office.region)
    known = desk.work.identities([contact.id]).get(contact.id, [])
    if all(each.key != str(identity) for each in known):
        raise InvalidInput("{identity} is none of this client's numbers: mend «number»", identity=identity.value)
    return identity.value


def _way_out(desk: Desk, contact: ContactRecord, user: User, line: str | None) -> tuple[str, str]:
    """Through which PBX and with which number of the office a client is rung: those by which they know it."""
    office = desk.office
    if not office.outward:
        raise InvalidInput("no [[pbx]] has a trunk, so that clients can't be dialled: add trunk to one")
    known = desk.work.last_call(contact.id) if line is None else None
    if known is not None and known.pbx in office.outward:
        configured = office.line(known.pbx, known.line)
        return known.pbx, configured.number if configured is not None else known.line
    of_group = next((each for each in office.lines if user.group and each.policy.group == user.group), None)
    wanted = line or (of_group.number if of_group is not None else None)
    for pbx in office.outward:
        found = office.line(pbx, wanted) if wanted is not None else None
        if found is not None:
            return pbx, found.number
    if line is not None:
        raise InvalidInput("«{line}» is not among the configured lines: mend «line»", line=line)
    pbx = office.outward[0]
    first = next((each for each in office.lines if each.pbx in {None, pbx}), None)
    return pbx, first.number if first is not None else ""


def _permitted(desk: Desk, contact: ContactRecord, number: str) -> None:
    if desk.work.talks_now(contact.id, desk.now - _LONGEST_CALL):
        raise NeedsConfirmation(desk.say(Phrase.CLIENT_TALKS))
    rules, zone = desk.office.robot, callbacks.zone_of(desk, contact, number)
    if permitted_at(rules, zone, desk.now) == desk.now:
        return
    hours = f"{rules.client_hours.start:%H:%M}–{rules.client_hours.end:%H:%M}"
    local = f"{desk.now.astimezone(zone):%H:%M}"
    raise NeedsConfirmation(desk.say(Phrase.NOT_PERMITTED, time=local, zone=zone.key, hours=hours))


# ---------------------------------------------------------------- handing over


def take_to_send(desk: Desk, dial_id: int) -> DialRecord | None:
    """Mark a queued call as sent, before it is; None where it is none any more."""
    record, contact = desk.work.owned(DialRecord, dial_id)
    if record.state is not DialState.QUEUED or contact is None or record.expires_at <= desk.now:
        return None
    if record.callback_id is not None:
        callback = desk.work.get(CallbackRecord, record.callback_id)
        if not callback.state.active:
            _end(desk, contact, record, DialOutcome.NOT_SENT, callback.detail)
            return None
    sent = record._replace(state=DialState.SENT, sent_at=desk.now)
    desk.work.put(sent)
    _watch(desk, sent, _HEARD_WITHIN)
    return sent


def not_handed_over(desk: Desk, dial_id: int, detail: str) -> None:
    """The PBX surely did not get the call: it stands in the queue again as long as it may be placed."""
    record, contact = desk.work.owned(DialRecord, dial_id)
    if record.state is not DialState.SENT or contact is None:
        return
    if record.expires_at > desk.now:
        queued = record._replace(state=DialState.QUEUED, sent_at=None)
        desk.work.put(queued)
        desk.work.put(_deadline(queued, queued.expires_at))
    else:
        fail(desk, contact, record, DialOutcome.NOT_SENT, detail)


def refused(desk: Desk, dial_id: int, detail: str) -> None:
    """The PBX refused the call."""
    record, contact = desk.work.owned(DialRecord, dial_id)
    if record.state is not DialState.ENDED and contact is not None:
        fail(desk, contact, record, DialOutcome.FAILED, detail)


def dial_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """A placed call was not handed over in time, or nothing was heard of it."""
    record, contact = desk.work.owned(DialRecord, deadline.subject_id)
    found = desk.work.related(DeadlineRecord, "key", [deadline.key])
    if not found or found[0].due_at > desk.now:
        return
    desk.work.remove(DeadlineRecord, deadline.key)
    if contact is None or record.state is DialState.ENDED:
        return
    if record.state is DialState.QUEUED:
        fail(desk, contact, record, DialOutcome.NOT_SENT, desk.say(Phrase.DIAL_NOT_SENT))
        return
    call = desk.work.calls_by_linkedid([(record.pbx, record.linkedid)]).get((record.pbx, record.linkedid))
    if call is not None and call.finished_at is not None:
        _end(desk, contact, record, _outcome(record, call), call.cause_text)
    elif call is not None and desk.now - record.created_at < _LONGEST_CALL:
        _watch(desk, record, _LOOK_AGAIN)  # it goes on; its end will be told, or settled
    else:
        fail(desk, contact, record, DialOutcome.UNKNOWN, desk.say(Phrase.DIAL_UNHEARD))


# ---------------------------------------------------------------- what becomes of it


def followed(desk: Desk, contact: ContactRecord, call: CallRecord) -> CallRecord:
    """A call moved on; where the hub placed it, so does what it was placed for. The call, with the line it shows."""
    dial_id = dial_of(call.linkedid)
    record = next(iter(desk.work.related(DialRecord, "id", [dial_id])), None) if dial_id is not None else None
    if record is None or record.linkedid != call.linkedid or record.pbx != call.pbx:
        return call
    if not call.line:
        call = call._replace(line=record.line)
        desk.work.put(call)
    if record.call_id is None:
        record = record._replace(call_id=call.id)
        desk.work.put(record)
    if record.state is DialState.ENDED:
        _say_no_more(desk, record, call)
    if call.finished_at is not None and (record.outcome is None or record.outcome is DialOutcome.UNKNOWN):
        _end(desk, contact, record, _outcome(record, call), call.cause_text)
    return call


def _say_no_more(desk: Desk, record: DialRecord, call: CallRecord) -> None:
    """The timeline says of a call that it did not come about, and the PBX knows better."""
    entry = desk.work.peek(EntryRecord, call.entry_id) if call.entry_id is not None else None
    if entry is not None and entry.text and entry.text == in_language(record.detail, desk.office.language):
        desk.work.put(entry._replace(text="", offers=None))


def fail(desk: Desk, contact: ContactRecord, record: DialRecord, outcome: DialOutcome, detail: str) -> None:
    """The call did not come about: it stands on the timeline as failed."""
    while contact.merged_into is not None:
        contact = desk.work.contact(contact.merged_into)
    if not desk.work.calls_by_linkedid([(record.pbx, record.linkedid)]):
        call = _failed_call(desk, contact, record, detail)
        entry = _entry(desk, contact, record, call, detail)
        desk.work.put(entry)
        desk.work.put(call._replace(entry_id=entry.id))
        record = record._replace(call_id=call.id)
    _end(desk, contact, record, outcome, detail)


def _end(desk: Desk, contact: ContactRecord, record: DialRecord, outcome: DialOutcome, detail: str) -> None:
    first = record.state is not DialState.ENDED
    ended = record._replace(state=DialState.ENDED, outcome=outcome, ended_at=desk.now, detail=detail)
    desk.work.put(ended)
    desk.work.remove(DeadlineRecord, key(DeadlineKind.DIAL, record.id))
    if first:
        callbacks.dial_ended(desk, contact, ended)


def _outcome(record: DialRecord, call: CallRecord) -> DialOutcome:
    match call.state:
        case CallState.ANSWERED:
            return DialOutcome.ANSWERED
        case CallState.BUSY:
            return DialOutcome.BUSY
        case CallState.NO_ANSWER:
            return DialOutcome.NO_ANSWER
        case _:
            of_person = [leg["endpoint"] == record.endpoint for leg in call.rung]
            return DialOutcome.NOT_TAKEN if of_person and all(of_person) else DialOutcome.FAILED


def _failed_call(desk: Desk, contact: ContactRecord, record: DialRecord, detail: str) -> CallRecord:
    return CallRecord(
        id=desk.work.next_id(),
        pbx=record.pbx,
        linkedid=record.linkedid,
        contact_id=contact.id,
        entry_id=None,
        direction=Direction.OUT,
        number=record.number,
        line=record.line,
        state=CallState.FAILED,
        progress=_NO_PROGRESS,
        started_at=record.created_at,
        finished_at=desk.now,
        cause_text=plain(in_language(detail, desk.office.language)),
    )


def _entry(desk: Desk, contact: ContactRecord, record: DialRecord, call: CallRecord, detail: str) -> EntryRecord:
    return EntryRecord(
        id=desk.work.next_id(),
        seq=0,
        contact_id=contact.id,
        kind=EntryKind.CALL,
        direction=Direction.OUT,
        occurred_at=call.started_at,
        sequence=0,
        recorded_at=desk.now,
        channel="pbx",
        account=record.pbx,
        conversation=record.number,
        external_id=record.linkedid,
        call_id=call.id,
        text=plain(in_language(detail, desk.office.language)),
        offers=beside(detail),
        author=desk.name_of(record.login),
    )


def _watch(desk: Desk, record: DialRecord, within: timedelta) -> None:
    desk.work.put(_deadline(record, desk.now + within))


def _deadline(record: DialRecord, due_at: datetime) -> DeadlineRecord:
    return DeadlineRecord(key(DeadlineKind.DIAL, record.id), DeadlineKind.DIAL, record.id, due_at)
