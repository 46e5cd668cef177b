"""Whose a line is: clients found by the file's ids and by their numbers and addresses, never by a guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from crm_core.errors import InvalidIdentity
from crm_core.model.conversation import SuggestionReason
from crm_core.model.identity import (
    Identity,
    IdentityKind,
    caller,
    find_addresses,
    find_telephones,
    opaque,
    parse_identity,
    readable,
)
from crm_core.model.likeness import full_name
from crm_core.model.listed import listed_by
from crm_core.model.records import ContactRecord, IdentityRecord
from crm_core.services.duplicates.suggestions import known_pairs, pair_of, suggest
from crm_core.services.importing.batch import Batch, Given, name_of
from crm_core.services.importing.cells import shortened
from crm_core.services.importing.words import Fault
from crm_core.services.recognising.recognition import searchable

EVIDENCE = "import"
CONTACT = "contact"
_MOST = 50  # identities of a line
_CONFIDENCE = 60
_SAME_LINE = {"ru": "стоят в одной строке файла: {ones}", "en": "stand in one line of a file: {ones}"}
_KINDS = tuple(f"{each.value}:" for each in IdentityKind)


@dataclass(slots=True)
class Found:
    """Whom a line names: the client where there is one already, whatever else it says of identities; `free` are those
    that nobody holds, `others` those of other clients."""

    contact: ContactRecord | None
    identities: tuple[Identity, ...]
    free: tuple[Identity, ...]
    others: tuple[tuple[Identity, int], ...]
    key: str | None


@dataclass(slots=True)
class Clients:
    """The clients that the lines of a batch name, read at once, locked; kept up to date as lines are taken in.

    `target` is the column with the clients' ids: `external_id` in a file of clients, `contact_id` in others.
    """

    batch: Batch
    target: str = "contact_id"
    holders: dict[str, int] = field(default_factory=dict)
    identities: dict[int, tuple[Identity, ...]] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    conflicts: list[tuple[int, int, str]] = field(default_factory=list)

    def read(self, lines: Sequence[Given]) -> None:
        """Find everybody whom the lines name. A fixed number of statements."""
        batch, work = self.batch, self.batch.desk.work
        for given in lines:
            self.identities[given.line.number] = self._identities(given)
        batch.look_up(self.key_of(given) for given in lines)
        known = {batch.refs[key] for given in lines if (key := self.key_of(given)) in batch.refs and key is not None}
        if self.target == "external_id":
            known |= {number for given in lines if (number := batch.hub_id(given)) is not None}
        keys = {str(each): None for several in self.identities.values() for each in several}
        holders = work.contacts_by_identity(keys, known)
        self.holders = {key: contact.id for key, contact in holders.items()}
        merged = [each.merged_into for each in work.contacts(known).values() if each.merged_into is not None]
        work.contacts(merged)
        work.identities([*self.holders.values(), *known, *merged])
        wanted = {each for key in keys for each in listed_by(key)}
        self.lists = {key: each.list_name for key, each in work.listed_numbers(wanted).items()}

    def key_of(self, given: Given) -> str | None:
        """The client's key by the id that the file gives."""
        return self.batch.key_of(given, kind=CONTACT, target=self.target)

    def find(self, given: Given) -> Found:
        """Whom a line names; its id is believed first, then its number, then its address."""
        identities = self.identities[given.line.number]
        held = [(each, self.holders[str(each)]) for each in identities if str(each) in self.holders]
        key = self.key_of(given)
        contact = self._by_id(given, key)
        if contact is None and held:
            contact = self.batch.desk.work.contact(held[0][1])
        others = tuple((each, owner) for each, owner in held if contact is not None and owner != contact.id)
        free = tuple(each for each in identities if str(each) not in self.holders)
        return Found(contact, identities, free, others, key)

    def _by_id(self, given: Given, key: str | None) -> ContactRecord | None:
        batch = self.batch
        number = batch.refs.get(key) if key is not None else None
        if number is None and self.target == "external_id":
            number = batch.hub_id(given)
        if number is None:
            return None
        contact = batch.desk.work.contacts([number]).get(number)
        if contact is not None and contact.merged_into is not None:
            contact = batch.desk.work.contacts([contact.merged_into]).get(contact.merged_into)
        return contact if self.target != "external_id" else batch.verified(given, contact)

    def make(self, given: Given, found: Found, name: str) -> ContactRecord:
        """A client whom nobody knew."""
        desk = self.batch.desk
        contact = ContactRecord(
            id=desk.work.next_id(),
            name=name,
            created_at=desk.now,
            updated_at=desk.now,
            search=searchable(name),
            name_key=full_name(name),
        )
        desk.work.put(contact)
        if self.batch.how.rules:
            desk.emit("contact.created", contact.id, {"id": contact.id, "name": contact.name})
        return self.link(given, contact, found)

    def link(self, given: Given, contact: ContactRecord, found: Found) -> ContactRecord:
        """Give a client what is theirs and free; what others hold stays theirs, and the two may be one."""
        desk = self.batch.desk
        for identity in found.free:
            key = str(identity)
            if key not in self.holders:
                self.holders[key] = contact.id
                desk.work.put(IdentityRecord(key, contact.id, EVIDENCE, desk.now))
        for identity, owner in found.others:
            if owner != contact.id:
                self.batch.note(given, Fault.HELD, identity=readable(identity), holder=owner)
                ones = ", ".join(readable(each) for each in found.identities[:5])
                self.conflicts.append((contact.id, owner, ones))
        if contact.list_name is None and self.lists:
            names = (self.lists.get(each) for key in found.identities for each in listed_by(str(key)))
            name = next((each for each in names if each in desk.office.lists), None)
            if name is not None:
                contact = contact._replace(list_name=name, marks={**contact.marks, "list": name})
        return contact

    def findable(self, contact: ContactRecord) -> ContactRecord:
        """The client with the text by which they are found."""
        held = self.batch.desk.work.identities([contact.id]).get(contact.id, [])
        values = (record.key.partition(":")[2] for record in held)
        search = searchable(contact.name, contact.company or "", *values)
        return contact._replace(search=search) if set(search.split()) != set(contact.search.split()) else contact

    def of_line(self, given: Given) -> ContactRecord | None:
        """The client of a line that tells of something else; made where the line says enough, None where it says
        nothing. Notes and refuses nothing."""
        found = self.find(given)
        contact = found.contact
        if contact is not None:
            if contact.deleted_at is not None:
                return None
            linked = self.findable(self.link(given, contact, found))
            if linked != contact:
                self.batch.desk.work.put(linked._replace(updated_at=self.batch.desk.now))
            self.batch.remember(found.key, CONTACT, contact.id)
            return self.batch.desk.work.contact(contact.id)
        name = name_of(given)
        if not found.free and not name:
            return None
        key = found.key or (
            None if found.free else self.batch.ref(CONTACT, f"name={full_name(name) or name.casefold()}")
        )
        if key is not None and (known := self.batch.refs.get(key)) is not None:
            return self.batch.desk.work.contacts([known]).get(known)
        contact = self.findable(self.make(given, found, name)._replace(manager=self.batch.manager(given)))
        if (city := given.text("city")) or given.text("company"):
            contact = contact._replace(city=city or None, company=given.text("company")[:300] or None)
        self.batch.desk.work.put(contact)
        self.batch.remember(key, CONTACT, contact.id)
        return contact

    def name_keys(self, lines: Sequence[Given]) -> list[str]:
        """The keys of clients who are known by their names alone, to be looked up with the others."""
        return [
            self.batch.ref(CONTACT, f"name={full_name(name) or name.casefold()}")
            for given in lines
            if (name := name_of(given))
        ]

    def settle(self) -> None:
        """Suggest what the lines told of two clients who may be one; all at once."""
        if not self.conflicts:
            return
        desk = self.batch.desk
        known_pairs(desk, {pair_of(one, other)[0] for one, other, _ in self.conflicts})
        for one, other, ones in self.conflicts:
            evidence = _SAME_LINE.get(self.batch.language, _SAME_LINE["ru"]).format(ones=ones)
            suggest(desk, one, other, SuggestionReason.FORM_NUMBER, _CONFIDENCE, evidence)

    # ------------------------------------------------------------ identities of a line

    def _identities(self, given: Given) -> tuple[Identity, ...]:
        region = self.batch.desk.office.region
        found: dict[Identity, None] = {}
        for text in given.all("phone"):
            found.update(dict.fromkeys(self._telephones(given, text, region)))
        for text in given.all("email"):
            addresses = find_addresses(text)
            if not addresses:
                self.batch.note(given, Fault.NO_ADDRESS, value=text[:80])
            found.update(dict.fromkeys(addresses))
        for kind, target in ((IdentityKind.TG, "telegram"), (IdentityKind.VK, "vk")):
            for text in given.all(target):
                if text.isdigit():
                    found[opaque(kind, text)] = None
        for text in given.all("identifier"):
            for part in text.split():
                if part.lower().startswith(_KINDS):
                    self._parsed(given, part.strip(",;"), region, found)
        return tuple(found)[:_MOST]

    def _parsed(self, given: Given, text: str, region: str, found: dict[Identity, None]) -> None:
        try:
            found[parse_identity(text, region)] = None
        except InvalidIdentity as err:
            self.batch.note(given, Fault.NO_IDENTITY, value=text[:80], error=err)

    def _telephones(self, given: Given, text: str, region: str) -> Sequence[Identity]:
        plain = text.removesuffix(".0")
        numbers = find_telephones(plain, region)
        if numbers:
            return numbers
        if shortened(plain):
            self.batch.note(given, Fault.SHORTENED, value=text[:80])
            return ()
        parts = (caller(part, region) for part in plain.replace(";", ",").split(","))
        kept = [each for each in parts if each is not None]
        if not kept:
            self.batch.note(given, Fault.NO_NUMBER, value=text[:80])
        return kept
