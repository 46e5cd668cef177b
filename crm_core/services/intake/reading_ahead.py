"""Everything that a batch of facts touches, read before the first of them is taken in: one statement a table, whatever
the size of the batch. Contacts are locked first; their locks make what is read afterwards current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crm_core.messages import (
    CallChanged,
    CallRinging,
    ContactShared,
    Delivery,
    DeliveryChanged,
    InboundEvent,
    MenuChosen,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageSent,
    Payload,
    ProfileLearned,
    ReactionChanged,
    StaffAsked,
    StaffReply,
    Thread,
)
from crm_core.model.callback import dial_of
from crm_core.model.conversation import MessageRefRecord
from crm_core.model.identity import Identity, caller
from crm_core.model.listed import listed_by
from crm_core.model.records import ContactRecord, DealRecord, DialRecord, EntryRecord
from crm_core.services.desk import Desk
from crm_core.services.letters.delivery import upto_key
from crm_core.services.letters.threads import mail_key, names_of
from crm_core.services.recognising.recognition import ANONYMOUS, Recognition, alleged, identities_of, message_ref


@dataclass(slots=True)
class _Wanted:
    """What the facts of a batch name. `told` are messages of which something is told by whoever did not write them:
    their timelines' owners are not among the facts' identities."""

    keys: dict[str, None] = field(default_factory=dict)
    refs: dict[str, None] = field(default_factory=dict)
    calls: dict[tuple[str, str], None] = field(default_factory=dict)
    told: dict[str, None] = field(default_factory=dict)
    marks: dict[str, None] = field(default_factory=dict)
    numbers: dict[int, None] = field(default_factory=dict)
    mails: dict[str, None] = field(default_factory=dict)
    tokens: dict[int, None] = field(default_factory=dict)
    readers: dict[str, None] = field(default_factory=dict)
    handled: dict[str, None] = field(default_factory=dict)

    def add(self, event: InboundEvent, region: str) -> None:
        """What one more fact names."""
        for identity in (*_named(event, region), *alleged(event)):
            self.keys[str(identity)] = None
        if event.sender.handle and event.sender.identities:
            self.handled[str(event.sender.identities[0])] = None
        payload = _meant(event.payload)
        match payload:
            case MessageReceived() | MessageEdited() | ContactShared() | MenuChosen():
                self.refs[message_ref(event, payload.ref)] = None
            case MessageDeleted():
                self.refs.update({message_ref(event, ref): None for ref in payload.refs})
            case MessageSent() | DeliveryChanged() | ReactionChanged():
                self._add_told(event, payload)
            case CallChanged(call=call) | CallRinging(call=call):
                self.calls[event.key.account, call.linkedid] = None
                if caller(call.number, region) is None:
                    self.keys[ANONYMOUS] = None
            case _:
                pass
        if isinstance(payload, MessageReceived) and event.group and payload.answers:
            # Somebody of the office may answer a client here.
            answered = message_ref(event, payload.answers)
            self.refs[answered] = self.told[answered] = None
        if isinstance(payload, MessageReceived | MessageSent) and payload.thread is not None:
            self._add_thread(event, payload.thread)

    def _add_told(self, event: InboundEvent, payload: MessageSent | DeliveryChanged | ReactionChanged) -> None:
        refs = payload.refs if isinstance(payload, DeliveryChanged) else (payload.ref,)
        for ref in (message_ref(event, each) for each in refs):
            self.refs[ref] = self.told[ref] = self.marks[ref] = None
        number = None if isinstance(payload, ReactionChanged) else payload.number
        if number is not None:
            self.numbers[number] = None
        if not isinstance(payload, ReactionChanged):
            states = (Delivery.DELIVERED, Delivery.READ) if isinstance(payload, MessageSent) else (payload.state,)
            self.marks.update({upto_key(event.key, event.conversation, state): None for state in states})
        if isinstance(payload, DeliveryChanged) and payload.upto:
            self.readers.update({str(each): None for each in event.sender.identities})

    def _add_thread(self, event: InboundEvent, thread: Thread) -> None:
        self.mails.update({mail_key(event.key, each): None for each in names_of(thread)})
        if thread.token is not None:
            self.tokens[thread.token] = None


def prefetch(desk: Desk, events: Sequence[InboundEvent]) -> Recognition:
    """Read what the facts touch: contacts (locked), leads, cases, messages, threads, calls, special lists."""
    if not events:
        return Recognition()
    wanted, work = _Wanted(), desk.work
    for event in events:
        wanted.add(event, desk.office.region)
    recognition = Recognition()
    owners = _owners(desk, wanted)
    holders = work.contacts_by_identity(wanted.keys, owners)
    recognition.holders = {key: contact.id for key, contact in holders.items()}
    ids = {contact.id for contact in holders.values()} | owners
    _read_threads(desk, recognition, wanted)
    if ids:
        desk.clients.update(ids)
        work.open_leads(ids)
        work.open_cases(ids)
        if wanted.calls or wanted.told or wanted.numbers:
            work.active_callbacks(ids)
        if any(not policy.leads for policy in desk.office.all_policies()):
            work.related(DealRecord, "contact_id", ids)
        _read_history(desk, events, holders, wanted)
    _read_messages(desk, recognition, wanted)
    if wanted.calls:
        _read_calls(desk, recognition, wanted)
    if wanted.keys and desk.office.lists:
        by_key = {key: listed_by(key) for key in wanted.keys}
        found = work.listed_numbers({each: None for several in by_key.values() for each in several})
        for key, several in by_key.items() if found else ():
            name = next((found[each].list_name for each in several if each in found), None)
            if name is not None:
                recognition.lists[key] = name
    return recognition


def _meant(payload: Payload) -> Payload:
    """What a fact is to whoever is none of the office."""
    match payload:
        case StaffReply(otherwise=MessageReceived() as message) | StaffAsked(otherwise=MessageReceived() as message):
            return message
        case _:
            return payload


def _named(event: InboundEvent, region: str) -> tuple[Identity, ...]:
    if isinstance(event.payload, ProfileLearned):
        return tuple(identity for identity, _ in event.payload.names)
    return identities_of(event, region)


def _owners(desk: Desk, wanted: _Wanted) -> set[int]:
    """Whose messages and threads are meant, besides the facts' own clients."""
    owners: set[int] = set()
    if wanted.told or wanted.numbers:
        owners |= desk.work.message_owners(wanted.told, wanted.numbers)
    if wanted.mails or wanted.tokens:
        owners |= desk.work.thread_owners(wanted.mails, wanted.tokens)
    return owners


def _read_threads(desk: Desk, recognition: Recognition, wanted: _Wanted) -> None:
    """Locked after the contacts, as by whoever answers a client: in another order both would wait for each other."""
    if wanted.mails or wanted.tokens:
        recognition.threads, relatives = desk.work.threads(list(wanted.mails), list(wanted.tokens))
        recognition.family = {each.id: None for each in relatives}


def _read_messages(desk: Desk, recognition: Recognition, wanted: _Wanted) -> None:
    work = desk.work
    if wanted.refs:
        recognition.entries = work.entries_by_ref(wanted.refs)
    if wanted.numbers:
        for entry in work.entries_by_number(wanted.numbers):
            recognition.numbers.setdefault(entry.number or 0, []).append(entry.id)
    if wanted.marks:
        marks = work.related(MessageRefRecord, "key", wanted.marks)
        parts = {mark.key: mark.entry_id for mark in marks if mark.entry_id is not None}
        whole = {entry.id: entry for entry in work.related(EntryRecord, "id", parts.values())} if parts else {}
        for key, entry_id in parts.items():
            recognition.entries.setdefault(key, whole[entry_id])
    if wanted.readers:
        work.unread({holder for key in wanted.readers if (holder := recognition.holders.get(key)) is not None})
    if wanted.handled:
        work.identities({holder for key in wanted.handled if (holder := recognition.holders.get(key)) is not None})


def _read_calls(desk: Desk, recognition: Recognition, wanted: _Wanted) -> None:
    work = desk.work
    recognition.calls = work.calls_by_linkedid(list(wanted.calls))
    entries = [call.entry_id for call in recognition.calls.values() if call.entry_id is not None]
    work.related(EntryRecord, "id", entries)
    placed = [number for _, linkedid in wanted.calls if (number := dial_of(linkedid)) is not None]
    work.related(DialRecord, "id", placed)


def _read_history(
    desk: Desk, events: Sequence[InboundEvent], holders: dict[str, ContactRecord], wanted: _Wanted
) -> None:
    """Signals and cases of clients about whom a late fact came; usually of nobody. A message of ours that is told of
    may turn out not to have arrived: that changes what was so far."""
    late: set[int] = set()
    last: dict[int, datetime] = {}
    if wanted.told or wanted.numbers or wanted.readers:
        late |= desk.clients
    for event in events:
        if isinstance(event.payload, CallRinging):
            continue  # it says nothing of a case
        for identity in identities_of(event, desk.office.region):
            contact = holders.get(str(identity))
            if contact is None:
                continue
            known = last.get(contact.id, contact.last_signal_at)
            at = _signal_time(event)
            if known is not None and at <= known:
                late.add(contact.id)
            last[contact.id] = at if known is None else max(at, known)
    if late:
        desk.work.signals(late)
        desk.work.cases_of(late)


def _signal_time(event: InboundEvent) -> datetime:
    """The earliest moment for which a fact may say something of a case."""
    match event.payload:
        case CallChanged(call=call):
            return min(moment for moment in (call.answered_at, call.finished_at, event.occurred_at) if moment)
        case _:
            return event.occurred_at
