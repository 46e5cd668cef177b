"""Cases: opened, counted, closed and reopened by what the signals on a client's timeline say."""

from __future__ import annotations

from datetime import datetime

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import ChannelKey
from crm_core.model.case import CaseKind, CaseState, Signal, SignalAt, Span, fold, step
from crm_core.model.records import CaseRecord, ContactRecord, DeadlineKind, DeadlineRecord, LeadStatus
from crm_core.services.desk import Desk
from crm_core.services.ladders import climb, key, lead_touched, set_next_rung
from crm_core.services.wording import Phrase


def signalled(desk: Desk, contact: ContactRecord, signal: SignalAt, origin: ChannelKey) -> ContactRecord:
    """Let a new signal, already on the timeline, have its effect; the contact's new version."""
    in_order = contact.last_signal_at is None or signal.at >= contact.last_signal_at
    if in_order:
        _advance(desk, contact, signal, origin)
    else:
        settle(desk, contact, origin)
    latest = signal.at if contact.last_signal_at is None else max(signal.at, contact.last_signal_at)
    contact = contact._replace(last_signal_at=latest)
    if signal.signal in {Signal.TALK, Signal.REPLY}:
        spoke = signal.at if contact.last_contact_at is None else max(signal.at, contact.last_contact_at)
        contact = contact._replace(last_contact_at=spoke)
        lead = desk.work.open_leads([contact.id]).get(contact.id)
        if lead is not None:
            lead_touched(desk, lead.id)
    desk.work.put(contact)
    return contact


def _advance(desk: Desk, contact: ContactRecord, signal: SignalAt, origin: ChannelKey) -> None:
    """The usual case: the signal is later than all known ones."""
    row = desk.work.open_cases([contact.id]).get(contact.id)
    before = span_of(row) if row is not None else None
    after = step(before, signal)
    if after is None or after is before:
        return
    _write(desk, contact, after, row, origin)


def settle(desk: Desk, contact: ContactRecord, origin: ChannelKey) -> None:
    """A signal came late, changed or went away: derive the cases anew from all signals, and bring the rows in line.

    The open row goes to the open span, closed ones are matched by their opening; the rest is added or closed.
    """
    rows = desk.work.cases_of([contact.id]).get(contact.id, [])
    spans = fold(desk.work.signals([contact.id]).get(contact.id, []))
    free = {row.id: row for row in rows}
    open_row = next((row for row in rows if row.state is CaseState.OPEN), None)
    last = spans[-1] if spans else None
    pairs: list[tuple[Span, CaseRecord | None]] = []
    if last is not None and last.closed_at is None and open_row is not None:
        free.pop(open_row.id)
        pairs.append((last, open_row))
        spans = spans[:-1]
    for span in spans:
        match = next((row for row in free.values() if row.opened_at == span.opened_at), None)
        if match is not None:
            free.pop(match.id)
        pairs.append((span, match))
    for row in free.values():
        if row.state is CaseState.OPEN:
            _close(desk, row, desk.now, "settled")
    for span, matched in pairs:
        _write(desk, contact, span, matched, origin)


def span_of(row: CaseRecord) -> Span:
    """The span a case row stands for."""
    misses = tuple(datetime.fromisoformat(each) for each in row.misses)
    return Span(CaseKind(row.kind), row.opened_at, row.facts, misses, row.closed_at, row.reason or "")


def _write(desk: Desk, contact: ContactRecord, span: Span, row: CaseRecord | None, origin: ChannelKey) -> None:
    misses = [each.isoformat() for each in span.misses]
    if row is not None and span_of(row) == span:
        return
    if row is None:
        row = _opened(desk, contact, span, origin)
        if span.closed_at is not None:
            desk.work.put(row._replace(state=CaseState.CLOSED, closed_at=span.closed_at, reason=span.reason))
            return
        desk.work.put(row)
        desk.emit("case.opened", row.id, {"id": row.id, "contact_id": contact.id, "kind": row.kind})
        set_next_rung(desk, row, contact)
        return
    jumps = span.jumps and misses != row.misses
    changed = row._replace(kind=span.kind, opened_at=span.opened_at, facts=span.count, misses=misses)
    if span.closed_at is not None:
        _close(desk, changed, span.closed_at, span.reason)
        return
    changed = changed._replace(state=CaseState.OPEN, closed_at=None, reason=None)
    desk.work.put(changed)
    if jumps:
        climb(desk, changed._replace(promised_at=None), contact, Phrase.OFTEN)
    elif changed.kind is not row.kind or row.state is CaseState.CLOSED or changed.opened_at != row.opened_at:
        set_next_rung(desk, changed, contact)


def _opened(desk: Desk, contact: ContactRecord, span: Span, origin: ChannelKey) -> CaseRecord:
    manager = contact.manager
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
        channel=origin.channel,
        account=origin.account,
        manager=manager,
        misses=[each.isoformat() for each in span.misses],
    )


def _close(desk: Desk, row: CaseRecord, at: datetime, reason: str) -> None:
    if row.state is CaseState.CLOSED:
        desk.work.put(row._replace(closed_at=at, reason=reason))
        return
    closed = row._replace(state=CaseState.CLOSED, closed_at=at, reason=reason, promised_at=None)
    desk.work.put(closed)
    desk.work.remove(DeadlineRecord, key(DeadlineKind.CASE_RUNG, row.id))
    desk.work.remove(DeadlineRecord, key(DeadlineKind.CASE_PROMISE, row.id))
    desk.emit("case.closed", row.id, {"id": row.id, "contact_id": row.contact_id, "reason": reason})


# ---------------------------------------------------------------- acts of staff


def close_by_hand(desk: Desk, case_id: int, login: str, reason: str) -> CaseRecord:
    """Somebody says that nothing is owed any more; raises Conflict where the case is closed already."""
    case, contact = _open_case(desk, case_id)
    text = reason.strip()
    if not text:
        raise InvalidInput("a case is closed with a reason: give «reason»")
    note = desk.say(Phrase.CLOSED_BY, name=desk.name_of(login), reason=text)
    at = max(desk.now, contact.last_signal_at or desk.now)
    desk.note(contact.id, note, author=login, by_person=True, signal=Signal.CLOSE, signal_at=at, reason=text)
    signalled(desk, contact, SignalAt(Signal.CLOSE, at, text), ChannelKey(case.channel, case.account))
    return desk.work.get(CaseRecord, case_id)


def promise(desk: Desk, case_id: int, login: str, at: datetime) -> CaseRecord:
    """Somebody will answer at `at`: the ladder pauses until then."""
    case, contact = _open_case(desk, case_id)
    if at <= desk.now:
        raise InvalidInput("a promise lies in the future: «at» has passed already")
    promised = case._replace(promised_at=at)
    desk.work.put(promised)
    desk.work.remove(DeadlineRecord, key(DeadlineKind.CASE_RUNG, case.id))
    desk.work.put(DeadlineRecord(key(DeadlineKind.CASE_PROMISE, case.id), DeadlineKind.CASE_PROMISE, case.id, at))
    note = desk.say(Phrase.PROMISED_BY, name=desk.name_of(login), time=desk.local(at))
    desk.note(contact.id, note, author=login, by_person=True)
    return promised


def take_case(desk: Desk, case_id: int, login: str) -> CaseRecord:
    """Somebody looks after the client from now on; the ladder goes on until they have truly spoken."""
    case, contact = _open_case(desk, case_id)
    taken = case._replace(manager=login)
    desk.work.put(taken)
    desk.note(contact.id, desk.say(Phrase.TAKEN_BY, name=desk.name_of(login)), author=login, by_person=True)
    return taken


def open_lead_of_case(desk: Desk, case: CaseRecord) -> int | None:
    """The untaken lead of the client, if there is one."""
    lead = desk.work.open_leads([case.contact_id]).get(case.contact_id)
    return lead.id if lead is not None and lead.status is LeadStatus.NEW else None


def _open_case(desk: Desk, case_id: int) -> tuple[CaseRecord, ContactRecord]:
    case, contact = desk.work.owned(CaseRecord, case_id)
    if case.state is not CaseState.OPEN or contact is None:
        raise Conflict(desk.say(Phrase.ALREADY_CLOSED))
    return case, contact
