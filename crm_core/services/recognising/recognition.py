"""Recognising clients: from the identities of a fact to the one contact that holds them.

Everything a batch needs is read ahead with one query a table; afterwards only memory is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from crm_core.messages import (
    CallChanged,
    CallRinging,
    ChannelKey,
    ContactShared,
    FormSubmitted,
    InboundEvent,
)
from crm_core.model.identity import Identity, IdentityKind, caller, find_addresses, find_telephones
from crm_core.model.likeness import full_name
from crm_core.model.records import CallRecord, ContactRecord, EntryRecord, IdentityRecord
from crm_core.services.desk import Desk
from crm_core.services.recognising.marks import Stamp, earlier, mark
from crm_core.services.wording import Phrase

# What stands behind calls that hide their number: they are counted, not mixed up with anybody.
ANONYMOUS = "tel:anonymous"


@dataclass(slots=True)
class Recognition:
    """What was read ahead, kept up to date as facts are taken in."""

    holders: dict[str, int] = field(default_factory=dict)
    entries: dict[str, EntryRecord] = field(default_factory=dict)
    calls: dict[tuple[str, str], CallRecord] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    # Outgoing messages by our number of them; the threads of mails by their keys, and all relatives of these threads.
    numbers: dict[int, list[int]] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    family: dict[int, None] = field(default_factory=dict)
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

        The earliest fact that names the client gives the name, the latest the `handle` of the first identity. Whoever
        has an identity that stands on a special list stands there too.
        """
        contact = self._listed(desk, self.caller(desk, identities, name, evidence, stamp), identities)
        return self._called(desk, contact, identities[0], handle, stamp) if handle and identities else contact

    def caller(
        self, desk: Desk, identities: Sequence[Identity], name: str, evidence: str, stamp: Stamp
    ) -> ContactRecord:
        """The same of whoever calls: what their number is listed for holds for the call alone."""
        contact = self.holder(desk, identities)
        if contact is None:
            contact = new_contact(desk, name, stamp)
            desk.emit("contact.created", contact.id, {"id": contact.id, "name": contact.name})
            return self.link(desk, contact, identities, evidence)
        contact = returned(desk, contact)
        if name and (not contact.name or earlier(stamp, contact.marks.get("name"), contact.name)):
            contact = renamed(contact, name)._replace(
                updated_at=desk.now, marks={**contact.marks, "name": mark(stamp, name)}
            )
            desk.work.put(contact)
            self.fresh[contact.id] = None
        return self.link(desk, contact, identities, evidence)

    def _listed(self, desk: Desk, contact: ContactRecord, identities: Sequence[Identity]) -> ContactRecord:
        if contact.list_name is not None or not self.lists:
            return contact
        names = (self.lists.get(str(each)) for each in identities)
        name = next((each for each in names if each in desk.office.lists), None)
        if name is None:
            return contact
        # The mark says that the client stands there for an identity: taken off with it.
        contact = contact._replace(list_name=name, updated_at=desk.now, marks={**contact.marks, "list": name})
        desk.work.put(contact)
        return contact

    def _called(
        self, desk: Desk, contact: ContactRecord, identity: Identity, handle: str, stamp: Stamp
    ) -> ContactRecord:
        """Note what the provider calls an identity by, as the latest fact says."""
        key = str(identity)
        handles = contact.marks.get("handles", {})
        known = handles.get(key)
        if known is not None and stamp < known[:-1]:
            return contact
        record = desk.work.peek(IdentityRecord, key) or desk.work.get(IdentityRecord, key)
        if record.handle != handle:
            desk.work.put(record._replace(handle=handle))
            desk.handles.pop(contact.id, None)
        contact = contact._replace(marks={**contact.marks, "handles": {**handles, key: mark(stamp, handle)}})
        desk.work.put(contact)
        return contact

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
            desk.handles.pop(contact.id, None)
            search = searchable(contact.search, *(each.value for each in fresh))
            contact = contact._replace(search=search)
            desk.work.put(contact)
        return contact


def returned(desk: Desk, contact: ContactRecord) -> ContactRecord:
    """A deleted client who got in touch again is back: nobody is forgotten."""
    if contact.deleted_at is None:
        return contact
    back = contact._replace(deleted_at=None, updated_at=desk.now)
    desk.work.put(back)
    desk.note(contact.id, desk.say(Phrase.RETURNED))
    return back


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
        case CallChanged(call=call) | CallRinging(call=call):
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
