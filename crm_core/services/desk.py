"""What a service works with: the transaction, the office as configured, the policies; and what all services share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_core.messages import EntryKind
from crm_core.model.access import Access, Right
from crm_core.model.call import Direction
from crm_core.model.definitions import Catalogue
from crm_core.model.events import wants
from crm_core.model.exchange import DeliveryState, WebhookDeliveryRecord
from crm_core.model.identity import IdentityKind, brief, stored_identity
from crm_core.model.office import Office
from crm_core.model.records import (
    ContactRecord,
    EntryRecord,
    IdentityRecord,
    OutboxKind,
    OutboxRecord,
    OutboxState,
    beside,
)
from crm_core.model.subscribers import all_subscribers
from crm_core.model.user import User
from crm_core.ports import Load, Policies, UnitOfWork
from crm_core.services.ruling import Ruling
from crm_core.services.wording import Phrase, local_time, say
from crm_core.wording import Said, in_language, plain


@dataclass(slots=True)
class Moves:
    """How cards moved in this transaction, so that nothing circles: those that a person put where they are, the stages
    (card, stage) that let one in by their criteria, the pipelines through which tunnels led a card so far. `held` are
    stages that nobody takes out of use meanwhile."""

    by_person: set[int] = field(default_factory=set)
    let_in: set[tuple[int, int]] = field(default_factory=set)
    through: dict[int, tuple[int, ...]] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Desk:
    """One transaction's working place. `clients` are those of the batch; `handles` spares asking for one twice;
    `notices` are those about new leads and new cases, by client and person: what comes of one fact is told at once.
    `quiet` says that much is brought in or handed over at once: no rule, no chain and no webhook hears of it. `access`
    is what whoever acts may do; None is the hub itself: facts, rules, deadlines, the command line; `remote` is the
    address they ask from."""

    work: UnitOfWork
    office: Office
    policies: Policies
    handles: dict[int, str] = field(default_factory=dict)
    clients: set[int] = field(default_factory=set)
    notices: dict[tuple[int, str], OutboxRecord] = field(default_factory=dict)
    moves: Moves = field(default_factory=Moves)
    rules: Ruling = field(default_factory=Ruling)
    quiet: bool = False
    access: Access | None = None
    remote: str = ""
    _loads: dict[str, Load] | None = None

    @property
    def now(self) -> datetime:
        """The time of this transaction."""
        return self.work.now

    @property
    def loads(self) -> dict[str, Load]:
        """How much new work each person has, counting what this transaction gave out."""
        if self._loads is None:
            self._loads = dict(self.work.loads())
        return self._loads

    @property
    def catalogue(self) -> Catalogue:
        """Everything configured in the record: pipelines, fields, rules …"""
        return self.work.catalogue

    def acts_for(self, user: User, remote: str = "") -> None:
        """A person acts: they are the author of what changes, and may what they may as of this transaction."""
        self.work.author, self.remote = user.login, remote
        self.access = Access.of(self.work.staff.get(user.login) or user, self.catalogue, self.work.staff)

    @contextmanager
    def on_behalf_of(self, user: User) -> Iterator[None]:
        """What is done meanwhile somebody does of whom a fact tells, not the hub: they may what they may. The author of
        what changes stays who it is."""
        before, self.access = self.access, Access.of(user, self.catalogue, self.work.staff)
        try:
            yield
        finally:
            self.access = before

    def demand(self, right: Right, record: Any = None) -> None:
        """Raise Forbidden where whoever acts may not do this: at all, or with this record, which is its manager's or
        assignee's. The hub itself may everything."""
        if self.access is None:
            return
        if record is None:
            self.access.demand(right)
        else:
            self.access.demand_of(right, getattr(record, "manager", None) or getattr(record, "assignee", None))

    def demand_of(self, right: Right, login: str | None) -> None:
        """Raise Forbidden where whoever acts may not do this with what is a person's; None: nobody's."""
        if self.access is not None:
            self.access.demand_of(right, login)

    def demand_of_others(self, right: Right, login: str) -> None:
        """Raise Forbidden where whoever acts may not do this with what is somebody else's; with their own they may."""
        if self.access is not None:
            self.access.demand_of_others(right, login)

    def say(self, phrase: Phrase, **fields: object) -> Said:
        """A text in the office's language; whoever reads it on a page reads their own."""
        return say(self.office.language, phrase, **fields)

    def titled(self, phrase: Phrase, **fields: object) -> str:
        """What a record is called that nobody gave a name: the office's own words from then on."""
        return plain(self.say(phrase, **fields))

    def local(self, at: datetime) -> str:
        """A moment in the office's zone."""
        return local_time(at, self.office.time_zone)

    def name_of(self, login: str | None) -> str:
        """A person's name for people; «not assigned» for nobody."""
        user = self.work.staff.get(login)
        return user.name if user is not None else self.say(Phrase.NO_MANAGER)

    def handle(self, contact_id: int) -> str:
        """What people know the contact by: a number, else an address or a messenger's @name, else whatever there is."""
        known = self.handles.get(contact_id)
        if known is not None:
            return known
        # All clients of a batch at once, for who needs one handle mostly needs many.
        asked = {contact_id, *self.clients} if contact_id in self.clients else {contact_id}
        held = self.work.identities(asked).get(contact_id, [])
        found = self._called(min(held, key=_readability)) if held else ""
        self.handles[contact_id] = found
        return found

    def _called(self, held: IdentityRecord) -> str:
        identity = stored_identity(held.key)
        if identity.kind is IdentityKind.CLAIMED:
            # Whoever reads a notice must not take a forger for the one they pretend to be.
            return self.say(Phrase.UNPROVEN, value=identity.value)
        return f"@{held.handle}" if held.handle else brief(identity)

    def client(self, contact: ContactRecord) -> str:
        """A client for people: the name and a number or handle, the number without gaps: to be tapped and searched."""
        return ", ".join(part for part in (contact.name, self.handle(contact.id)) if part) or f"№ {contact.id}"

    def note(self, contact_id: int, text: str, **more: Any) -> EntryRecord:
        """Put a system entry on a contact's timeline. What a sentence was made of is kept beside its words."""
        entry = EntryRecord(
            id=self.work.next_id(),
            seq=0,
            contact_id=contact_id,
            kind=more.pop("kind", EntryKind.SYSTEM),
            direction=Direction.OUT,
            occurred_at=more.pop("occurred_at", self.now),
            sequence=0,
            recorded_at=self.now,
            text=plain(in_language(text, self.office.language)),
            offers=beside(text),
            **more,
        )
        self.work.put(entry)
        return entry

    def enqueue(
        self, kind: OutboxKind, lane: str, dedupe: str, payload: Mapping[str, Any], entry_id: int | None = None
    ) -> OutboxRecord:
        """Queue an act on the outside world, to happen after the commit."""
        record = OutboxRecord(
            id=self.work.next_id(),
            kind=kind,
            lane=lane,
            dedupe=dedupe,
            state=OutboxState.QUEUED,
            created_at=self.now,
            not_before=self.now,
            payload=dict(payload),
            entry_id=entry_id,
        )
        self.work.put(record)
        return record

    def emit(self, event: str, subject_id: int, data: Mapping[str, Any]) -> None:
        """Tell other programs that want this event: keep a delivery for each, and queue it."""
        if self.quiet:
            return
        for each in all_subscribers(self.office, self.catalogue):
            if wants(each.events, event):
                number = self.work.next_id()
                payload = {"event": event, "at": self.now.isoformat(), "data": dict(data)}
                name, state = f"webhook:{number}", DeliveryState.WAITING
                delivery = WebhookDeliveryRecord(number, each.key, event, subject_id, state, self.now, payload, name)
                self.work.put(delivery)
                self.queue_delivery(delivery, name)

    def queue_delivery(self, delivery: WebhookDeliveryRecord, dedupe: str) -> None:
        """Queue a delivery. A lane holds the events of one record for one subscriber, so that they come in order and
        none waits for another's."""
        key = delivery.subscription
        payload = {
            "target": key,
            "event": delivery.event,
            "delivery_id": delivery.id,
            "delivery": delivery.delivery,
        }
        self.enqueue(OutboxKind.WEBHOOK, f"webhook:{key}:{delivery.subject_id}", dedupe, payload)


def _readability(held: IdentityRecord) -> int:
    """The lower, the more an identity tells people; of equal ones the oldest is taken."""
    kind = stored_identity(held.key).kind
    if kind is IdentityKind.TEL:
        return 0
    return 1 if held.handle or kind is IdentityKind.MAILTO else 2
