"""Recognising clients: from the identities of a fact to the one contact that holds them.

Everything a batch needs is read ahead with one query a table; afterwards only memory is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crm_core.messages import (
    CallChanged,
    ChannelKey,
    ContactShared,
    DeliveryChanged,
    FormSubmitted,
    InboundEvent,
    MenuChosen,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageSent,
    ReactionChanged,
    StaffAsked,
    StaffReply,
)
from crm_core.model.callback import dial_of
from crm_core.model.identity import Identity, IdentityKind, caller, find_addresses, find_telephones
from crm_core.model.likeness import full_name
from crm_core.model.records import CallRecord, ContactRecord, DealRecord, DialRecord, EntryRecord, IdentityRecord
from crm_core.services.desk import Desk
from crm_core.services.marks import Stamp, earlier, mark

# What stands behind calls that hide their number: they are counted, not mixed up with anybody.
ANONYMOUS = "tel:anonymous"


@dataclass(slots=True)
class Recognition:
    """What was read ahead, kept up to date as facts are taken in."""

    holders: dict[str, int] = field(default_factory=dict)
    entries: dict[str, EntryRecord] = field(default_factory=dict)
    calls: dict[tuple[str, str], CallRecord] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    # Whose name or identities were learned in this batch, and what handles: who else may they be?
    fresh: dict[int, None] = field(default_factory=dict)
    handles: dict[int, set[str]] = field(default_factory=dict)

    def holder(self, desk: Desk, identities: Sequence[Identity]) -> ContactRecord | None:
        """The contact that holds the first of these identities that anybody holds."""
        for identity in identities:
            contact_id = self.holders.get(str(identity))
            if contact_id is not None:
                return desk.work.contact(contact_id)
        return None

    def contact(
        self, desk: Desk, identities: Sequence[Identity], name: str, evidence: str, stamp: Stamp, *, handle: str = ""
    ) -> ContactRecord:
        """The contact of these identities, made where nobody holds them; free ones are linked to it.

        The earliest fact that names the client gives the name, the latest the `handle` of the first identity.
        """
        contact = self.holder(desk, identities)
        if contact is None:
            contact = new_contact(desk, name, stamp)
            desk.emit("contact.created", contact.id, {"id": contact.id, "name": contact.name})
        elif name and (not contact.name or earlier(stamp, contact.marks.get("name"), contact.name)):
            contact = renamed(contact, name)._replace(
                updated_at=desk.now, marks={**contact.marks, "name": mark(stamp, name)}
            )
            desk.work.put(contact)
            self.fresh[contact.id] = None
        return self.link(desk, contact, identities, evidence)

    def entry(self, desk: Desk, ref: str) -> EntryRecord | None:
        """The message of a reference, as it is now."""
        known = self.entries.get(ref)
        return desk.work.peek(EntryRecord, known.id) if known is not None else None

    def link(self, desk: Desk, contact: ContactRecord, identities: Sequence[Identity], evidence: str) -> ContactRecord:
        """Give the contact those identities that nobody holds yet."""
        fresh = [each for each in dict.fromkeys(identities) if str(each) not in self.holders]
        for identity in fresh:
            key = str(identity)
            self.holders[key] = contact.id
            desk.work.put(IdentityRecord(key, contact.id, evidence, desk.now))
        if fresh:
            self.fresh[contact.id] = None
            desk.handles.setdefault(contact.id, fresh[0])
            search = searchable(contact.search, *(each.value for each in fresh))
            contact = contact._replace(search=search)
            desk.work.put(contact)
        return contact


def new_contact(desk: Desk, name: str, stamp: Stamp) -> ContactRecord:
    """A contact without identities yet."""
    contact = ContactRecord(
        id=desk.work.next_id(),
        name=name,
        created_at=desk.now,
        updated_at=desk.now,
        search=searchable(name),
        name_key=full_name(name),
        marks={"name": mark(stamp, name)} if name else {},
    )
    desk.work.put(contact)
    return contact


def renamed(contact: ContactRecord, name: str) -> ContactRecord:
    """The contact under another name, found by it; its text for searching begins with the name."""
    rest = contact.search.removeprefix(contact.name.casefold()).strip()
    return contact._replace(name=name, search=searchable(name, rest), name_key=full_name(name))


def searchable(*parts: str) -> str:
    """What a contact is found by: folded, so that Cyrillic is found in either case on both engines."""
    return " ".join(part.casefold() for part in parts if part)


def identities_of(event: InboundEvent, region: str) -> tuple[Identity, ...]:
    """Every identity that a fact names, the most telling first."""
    match event.payload:
        case FormSubmitted(phone=phone, email=email):
            return (*find_telephones(phone, region), *find_addresses(email), *event.sender.identities)
        case CallChanged(call=call):
            found = caller(call.number, region)
            return (found,) if found is not None else ()
        case ContactShared(identities=shared, own=True):
            return (*event.sender.identities, *shared)
        case _:
            return event.sender.identities


def alleged(event: InboundEvent) -> tuple[Identity, ...]:
    """Identities that a fact names without proof: nobody is recognised by them, but somebody may be guessed."""
    match event.payload:
        case ContactShared(identities=shared, own=False):
            return shared
        case _:
            claims = (each for each in event.sender.identities if each.kind is IdentityKind.CLAIMED)
            return tuple(Identity(IdentityKind.MAILTO, each.value) for each in claims)


def message_ref(event: InboundEvent, ref: str) -> str:
    """The reference of a message, unique over all channels."""
    return ref_in(event.key, event.conversation, ref)


def ref_in(key: ChannelKey, conversation: str, ref: str) -> str:
    """The same, of a message of ours. A mail is the same one whatever conversation it stands in."""
    return f"{key}:{'' if key.channel == 'email' else conversation}:{ref}"


def prefetch(desk: Desk, events: Sequence[InboundEvent]) -> Recognition:
    """Read what the facts touch: contacts (locked), leads, cases, messages, calls, special lists."""
    if not events:
        return Recognition()
    region = desk.office.region
    keys: dict[str, None] = {}
    refs: dict[str, None] = {}
    calls: dict[tuple[str, str], None] = {}
    for event in events:
        for identity in (*identities_of(event, region), *alleged(event)):
            keys[str(identity)] = None
        match event.payload:
            case (
                MessageReceived(ref=ref)
                | MessageEdited(ref=ref)
                | ContactShared(ref=ref)
                | MessageSent(ref=ref)
                | ReactionChanged(ref=ref)
                | MenuChosen(ref=ref)
                | StaffReply(otherwise=MessageReceived(ref=ref))
                | StaffAsked(otherwise=MessageReceived(ref=ref))
            ):
                refs[message_ref(event, ref)] = None
            case MessageDeleted(refs=several) | DeliveryChanged(refs=several):
                refs.update({message_ref(event, ref): None for ref in several})
            case CallChanged(call=call):
                calls[event.key.account, call.linkedid] = None
                if caller(call.number, region) is None:
                    keys[ANONYMOUS] = None
            case _:
                pass
    work = desk.work
    # Contacts first: their locks make everything read afterwards current.
    holders = work.contacts_by_identity(keys)
    recognition = Recognition({key: contact.id for key, contact in holders.items()})
    ids = {contact.id for contact in holders.values()}
    if ids:
        desk.clients.update(ids)
        work.open_leads(ids)
        work.open_cases(ids)
        if calls:
            work.active_callbacks(ids)
        if any(not policy.leads for policy in desk.office.all_policies()):
            work.related(DealRecord, "contact_id", ids)
        _read_history(desk, events, holders)
    if refs:
        recognition.entries = work.entries_by_ref(refs)
    if calls:
        recognition.calls = work.calls_by_linkedid(list(calls))
        entries = [call.entry_id for call in recognition.calls.values() if call.entry_id is not None]
        work.related(EntryRecord, "id", entries)
        placed = [number for _, linkedid in calls if (number := dial_of(linkedid)) is not None]
        work.related(DialRecord, "id", placed)
    telephones = [key for key in keys if key.startswith("tel:")]
    if telephones and desk.office.lists:
        recognition.lists = {key: record.list_name for key, record in work.listed_numbers(telephones).items()}
    return recognition


def _read_history(desk: Desk, events: Sequence[InboundEvent], holders: dict[str, ContactRecord]) -> None:
    """Signals and cases of clients about whom a late fact came; usually of nobody."""
    late: set[int] = set()
    last: dict[int, datetime] = {}
    for event in events:
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
