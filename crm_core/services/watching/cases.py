"""Cases: opened, counted, closed and reopened by what the signals on a client's timeline say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import ChannelKey
from crm_core.model.case import CaseKind, CaseState, Signal, SignalAt, Span, fold, follows, step
from crm_core.model.records import CaseRecord, ContactRecord, DeadlineKind, DeadlineRecord, LeadStatus
from crm_core.model.rights import Right
from crm_core.services.desk import Desk
from crm_core.services.watching import callbacks
from crm_core.services.watching.ladders import climb, key, lead_touched, lead_waits_no_more, set_next_rung
from crm_core.services.watching.telling import case_buttons, case_text, tell
from crm_core.services.wording import Phrase
from crm_core.wording import Said

_SAME_PROMISE = timedelta(minutes=1)


def signalled(
    desk: Desk,
    contact: ContactRecord,
    signal: SignalAt,
    origin: ChannelKey,
    *,
    instead: bool = False,
    manager: str | None = None,
) -> ContactRecord:
    """Let a new signal, already on the timeline, have its effect; the contact's new version.

    `instead` says that its entry gave another signal before. `manager` looks after the case that it opens, where that
    is not the client's own.
    """
    signal = SignalAt(signal.signal, signal.at, signal.reason, (origin.channel, origin.account))
    row = desk.work.open_cases([contact.id]).get(contact.id)
    before = span_of(row) if row is not None else None
    if not instead and follows(before, contact.last_signal_at, signal):
        after = step(before, signal)
        if after is not None and after is not before:
            _write(desk, contact, after, row, manager)
    else:
        settle(desk, contact)
    latest = signal.at if contact.last_signal_at is None else max(signal.at, contact.last_signal_at)
    spoke = contact.last_contact_at
    if signal.signal in {Signal.TALK, Signal.REPLY, Signal.CLOSE}:
        callbacks.spoken(desk, contact, signal)
    if signal.signal in {Signal.TALK, Signal.REPLY}:
        spoke = signal.at if spoke is None else max(signal.at, spoke)
        lead = desk.work.open_leads([contact.id]).get(contact.id)
        if lead is not None:
            lead_touched(desk, lead.id)
    contact = contact._replace(last_signal_at=latest, last_contact_at=spoke)
    desk.work.put(contact)
    return contact


def settle(desk: Desk, contact: ContactRecord) -> None:
    """A signal came late, changed or went away: derive the cases anew from all signals, and bring the rows in line."""
    rows = desk.work.cases_of([contact.id]).get(contact.id, [])
    spans = fold(desk.work.signals([contact.id]).get(contact.id, []))
    matched = _matched(spans, rows)
    kept = {row.id for row in matched if row is not None}
    for row in rows:
        if row.id not in kept:
            # Its facts belong to another case, or to none: what it said was never so.
            _withdraw(desk, row)
    for span, match in zip(spans, matched, strict=True):
        _write(desk, contact, span, match)


def _matched(spans: Sequence[Span], rows: Sequence[CaseRecord]) -> list[CaseRecord | None]:
    """The row of each span: the open one for the open span, the one of the same opening, else any that is left."""
    free = {row.id: row for row in rows}
    matched: list[CaseRecord | None] = [None] * len(spans)

    def give(index: int, row: CaseRecord | None) -> None:
        if row is not None and matched[index] is None:
            matched[index] = free.pop(row.id)

    if spans and spans[-1].closed_at is None:
        give(-1, next((row for row in free.values() if row.state is CaseState.OPEN), None))
    for index, span in enumerate(spans):
        give(index, next((row for row in free.values() if row.opened_at == span.opened_at), None))
    for index in range(len(spans)):
        give(index, next(iter(free.values()), None))
    return matched


def span_of(row: CaseRecord) -> Span:
    """The span a case row stands for."""
    misses = tuple(datetime.fromisoformat(each) for each in row.misses)
    origin = (row.channel, row.account)
    return Span(CaseKind(row.kind), row.opened_at, row.facts, misses, row.closed_at, row.reason or "", origin)


def _write(desk: Desk, contact: ContactRecord, span: Span, row: CaseRecord | None, manager: str | None = None) -> None:
    misses = [each.isoformat() for each in span.misses]
    if row is not None and span_of(row) == span:
        return
    if row is None:
        row = _opened(desk, contact, span, manager)
        if span.closed_at is not None:
            desk.work.put(row._replace(state=CaseState.CLOSED, closed_at=span.closed_at, reason=span.reason))
            return
        desk.work.put(row)
        desk.emit("case.opened", row.id, {"id": row.id, "contact_id": contact.id, "kind": row.kind})
        set_next_rung(desk, row, contact)
        return
    jumps = span.jumps and misses != row.misses
    channel, account = span.origin
    changed = row._replace(
        kind=span.kind,
        opened_at=span.opened_at,
        facts=span.count,
        misses=misses,
        channel=channel,
        account=account,
    )
    if span.closed_at is not None:
        close(desk, changed, span.closed_at, span.reason)
        return
    changed = changed._replace(state=CaseState.OPEN, closed_at=None, reason=None)
    desk.work.put(changed)
    if jumps:
        climb(desk, changed._replace(promised_at=None), contact, Phrase.OFTEN)
    elif changed.kind is not row.kind or row.state is CaseState.CLOSED or changed.opened_at != row.opened_at:
        set_next_rung(desk, changed, contact)


def _opened(desk: Desk, contact: ContactRecord, span: Span, manager: str | None) -> CaseRecord:
    manager = manager or contact.manager
    if manager is None:
        lead = desk.work.open_leads([contact.id]).get(contact.id)
        manager = lead.manager if lead is not None else None
    return CaseRecord(
        id=desk.work.next_id(),
        contact_id=contact.id,
        kind=span.kind,
        state=CaseState.OPEN,
        facts=span.count,
        opened_at=span.opened_at,
        channel=span.origin[0],
        account=span.origin[1],
        manager=manager,
        misses=[each.isoformat() for each in span.misses],
    )


def close(desk: Desk, row: CaseRecord, at: datetime, reason: str) -> None:
    """Close a case, or say anew when and why a closed one was."""
    if row.state is CaseState.CLOSED:
        desk.work.put(row._replace(closed_at=at, reason=reason))
        return
    closed = row._replace(state=CaseState.CLOSED, closed_at=at, reason=reason, promised_at=None)
    desk.work.put(closed)
    _forget_deadlines(desk, row)
    desk.emit("case.closed", row.id, {"id": row.id, "contact_id": row.contact_id, "reason": reason})


def _withdraw(desk: Desk, row: CaseRecord) -> None:
    desk.work.remove(CaseRecord, row.id)
    _forget_deadlines(desk, row)
    desk.work.changed("contact_case", row.id, row.contact_id)
    if row.state is CaseState.OPEN:
        desk.emit("case.closed", row.id, {"id": row.id, "contact_id": row.contact_id, "reason": "withdrawn"})


def _forget_deadlines(desk: Desk, row: CaseRecord) -> None:
    desk.work.remove(DeadlineRecord, key(DeadlineKind.CASE_RUNG, row.id))
    desk.work.remove(DeadlineRecord, key(DeadlineKind.CASE_PROMISE, row.id))


# ---------------------------------------------------------------- acts of staff


def close_by_hand(desk: Desk, case_id: int, login: str, reason: str) -> CaseRecord:
    """Somebody says that nothing is owed any more; raises Conflict where the case is closed already."""
    desk.demand(Right.SETTLE_CASES)
    case, contact = _open_case(desk, case_id)
    text = reason.strip()
    if not text:
        raise InvalidInput("a case is closed with a reason: give «reason»")
    why = reason if isinstance(reason, Said) else text
    note = desk.say(Phrase.CLOSED_BY, name=desk.name_of(login), reason=why)
    at = max(desk.now, contact.last_signal_at or desk.now)
    desk.note(contact.id, note, author=login, by_person=True, signal=Signal.CLOSE, signal_at=at, reason=text)
    signalled(desk, contact, SignalAt(Signal.CLOSE, at, text), ChannelKey(case.channel, case.account))
    lead = desk.work.open_leads([contact.id]).get(contact.id)
    if lead is not None and lead.status is LeadStatus.NEW:
        lead_waits_no_more(desk, lead)
    return desk.work.get(CaseRecord, case_id)


def promise(desk: Desk, case_id: int, login: str, at: datetime) -> CaseRecord:
    """Somebody will answer at `at`: the ladder pauses until then."""
    desk.demand(Right.SETTLE_CASES)
    case, contact = _open_case(desk, case_id)
    if at <= desk.now:
        raise InvalidInput("a promise lies in the future: «at» has passed already")
    if case.promised_at is not None and abs(at - case.promised_at) < _SAME_PROMISE:
        return case  # said twice by a button pressed twice
    promised = case._replace(promised_at=at)
    desk.work.put(promised)
    desk.work.remove(DeadlineRecord, key(DeadlineKind.CASE_RUNG, case.id))
    desk.work.put(DeadlineRecord(key(DeadlineKind.CASE_PROMISE, case.id), DeadlineKind.CASE_PROMISE, case.id, at))
    note = desk.say(Phrase.PROMISED_BY, name=desk.name_of(login), time=desk.local(at))
    desk.note(contact.id, note, author=login, by_person=True)
    callbacks.promised(desk, contact, at)
    return promised


def given_to(desk: Desk, contact: ContactRecord, login: str, cause: str) -> None:
    """The client's open case becomes somebody's, who is told of it unless they look after it already."""
    case = desk.work.open_cases([contact.id]).get(contact.id)
    user = desk.work.staff.get(login)
    if case is None or user is None or case.manager == login:
        return
    given = case._replace(manager=login, taken_at=None)
    desk.work.put(given)
    text = case_text(desk, given, contact, 0, None)
    buttons = case_buttons(desk, given)
    tell(desk, [user], f"case:{case.id}:{cause}", text, contact_id=contact.id, buttons=buttons, joins=True)


def take_case(desk: Desk, case_id: int, login: str) -> CaseRecord:
    """Somebody says that they look after the client: whoever oversees them sees who did so and when, on the case and on
    the timeline, also where it was theirs already. Said once more, it changes nothing. The ladder goes on until they
    have truly spoken."""
    desk.demand(Right.SETTLE_CASES)
    case, contact = _open_case(desk, case_id)
    if case.manager == login and case.taken_at is not None:
        return case
    taken = case._replace(manager=login, taken_at=desk.now)
    desk.work.put(taken)
    desk.note(contact.id, desk.say(Phrase.TAKEN_BY, name=desk.name_of(login)), author=login, by_person=True)
    return taken


def give_case(desk: Desk, case_id: int, giver: str, login: str) -> CaseRecord:
    """Somebody has another person look after the client, who is told; raises InvalidInput for whom nothing can be given
    to, Forbidden for a case of somebody whose work the giver does not oversee, Conflict where it is closed."""
    desk.demand(Right.SETTLE_CASES)
    case, contact = _open_case(desk, case_id)
    desk.demand_of(Right.SEE_REPORTS, case.manager)
    user = desk.work.staff.get(login)
    if user is None or not user.active:
        raise InvalidInput("there is no active user «{user}»", user=login)
    if case.manager == login:
        return case
    # It may come back to somebody: every time is told.
    given_to(desk, contact, login, f"{desk.work.next_id()}:given")
    text = desk.say(Phrase.CASE_GIVEN, giver=desk.name_of(giver), name=user.name)
    desk.note(contact.id, text, author=giver, by_person=True)
    return desk.work.get(CaseRecord, case_id)


def open_lead_of_case(desk: Desk, case: CaseRecord) -> int | None:
    """The untaken lead of the client, if there is one."""
    lead = desk.work.open_leads([case.contact_id]).get(case.contact_id)
    return lead.id if lead is not None and lead.status is LeadStatus.NEW else None


def _open_case(desk: Desk, case_id: int) -> tuple[CaseRecord, ContactRecord]:
    case, contact = desk.work.owned(CaseRecord, case_id)
    if case.state is not CaseState.OPEN or contact is None:
        raise Conflict(desk.say(Phrase.ALREADY_CLOSED))
    return case, contact
