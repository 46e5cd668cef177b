"""From what a transaction changed to the rules that it concerns: each with its record and the occasion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_core.messages import Delivery, EntryKind
from crm_core.model.call import Direction
from crm_core.model.case import Signal
from crm_core.model.definitions.rules import PLAIN_KINDS, Event
from crm_core.model.history import Change
from crm_core.model.records import CallRecord, ContactRecord, DealRecord, EntryRecord, LeadRecord
from crm_core.model.selling import CompanyRecord
from crm_core.services.automation.index import Index, Rule, Trigger, Triggers
from crm_core.services.automation.timing import is_open, value_of
from crm_core.services.desk import Desk
from crm_core.services.scope import kind_of

_WRITTEN = {
    (EntryKind.MESSAGE, Direction.IN): Event.MESSAGE_IN,
    (EntryKind.MESSAGE, Direction.OUT): Event.MESSAGE_OUT,
    (EntryKind.EMAIL, Direction.IN): Event.MAIL_IN,
    (EntryKind.EMAIL, Direction.OUT): Event.MAIL_OUT,
    (EntryKind.FORM, Direction.IN): Event.FORM,
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something on a client's timeline that rules wait for. `again` says that the same may have been told before."""

    event: Event
    contact_id: int
    cause: EntryRecord | CallRecord
    again: bool = False

    @property
    def entry(self) -> EntryRecord | None:
        """The timeline entry, where that is the fact."""
        return self.cause if isinstance(self.cause, EntryRecord) else None

    @property
    def account(self) -> tuple[str, str]:
        """The account (channel, name) by which it came."""
        if isinstance(self.cause, CallRecord):
            return "pbx", self.cause.pbx
        return self.cause.channel or "", self.cause.account or ""


@dataclass(frozen=True, slots=True)
class Occasion:
    """A rule and a record that it concerns now. `key` is the occasion's own, of a `passing` one (a change, which never
    comes again) only its kind; `seen` says that it must be asked whether the rule acted for it already; `more` is what
    the condition may name besides. `born_of` is the client's fact that made a new record."""

    rule: Rule
    kind: str
    record: Any
    key: str
    why: str
    fact: Fact | None = None
    seen: bool = False
    passing: bool = False
    more: dict[str, Any] = field(default_factory=dict)
    born_of: Fact | None = None

    @property
    def subject(self) -> tuple[str, int]:
        """The record's kind and id."""
        return self.kind, self.record[0]

    @property
    def contact_id(self) -> int | None:
        """The client that the record is, or is about."""
        record = self.record
        return record.id if isinstance(record, ContactRecord) else getattr(record, "contact_id", None)

    @property
    def run_key(self) -> str:
        """The key of the run."""
        return f"{self.rule.id}:{self.kind}:{self.record[0]}:{'once' if self.rule.body.once else self.key}"

    @property
    def unmet_key(self) -> str:
        """The key of the trace that it was time, but the conditions did not hold."""
        return f"{self.rule.id}:{self.kind}:{self.record[0]}:{self.key}:unmet"


def facts_of(change: Change) -> Iterator[Fact]:
    """What happened on a timeline."""
    match change.after:
        case EntryRecord():
            yield from _of_entry(change.before, change.after)
        case CallRecord():
            yield from _of_call(change.before, change.after)


def is_automatic(entry: EntryRecord) -> bool:
    """Whether a message from outside asks nobody anything: an auto-reply, a newsletter, somebody who is not heard."""
    return entry.signal is None and entry.lead_id is None and entry.deal_id is None


def occasions_of_facts(desk: Desk, index: Index, changes: Sequence[Change]) -> Iterator[Occasion]:
    """The rules about facts, each with the records that the fact is about; one statement a kind of records."""
    wanted = [
        (fact, index.facts[fact.event])
        for change in changes
        if isinstance(change.after, (EntryRecord, CallRecord))
        for fact in facts_of(change)
        if fact.event in index.facts
    ]
    if not wanted:
        return
    subjects = _Subjects(desk, {trigger.rule.on for _, triggers in wanted for trigger in triggers}, wanted)
    for fact, triggers in wanted:
        for trigger in triggers:
            for record in subjects.of(fact, trigger.rule.on):
                yield from occasions_of_one(desk, trigger, fact, record)


def occasions_of_one(desk: Desk, trigger: Trigger, fact: Fact, record: Any) -> Iterator[Occasion]:
    """The occasion that a fact is for a record, if its rule is about where it stands."""
    if _stands(trigger, record):
        rule, event = trigger.rule, fact.event.value
        key, more = f"{event}:{fact.cause[0]}", _named(desk, fact)
        yield Occasion(rule, rule.on, record, key, event, fact, seen=fact.again, more=more)


def occasions_of_changes(desk: Desk, index: Index, changes: Sequence[Change]) -> Iterator[Occasion]:
    """The rules about changes of records; no statement."""
    causes: dict[int, Fact] = {}
    if any(before is None and isinstance(after, (DealRecord, LeadRecord)) for before, after in changes):
        for fact in (fact for change in changes for fact in facts_of(change)):
            causes.setdefault(fact.contact_id, fact)
    for before, after in changes:
        if after is None or isinstance(after, (EntryRecord, CallRecord)):
            continue
        kind = kind_of(after)
        if kind not in index.kinds or getattr(after, "deleted_at", None) is not None:
            continue
        cause = causes.get(getattr(after, "contact_id", None) or 0) if before is None else None
        for occasion in occasions_of_pair(index, kind, before, after, cause):
            if occasion.why != Event.STAGE_ENTERED.value or _still_there(desk, after):
                yield occasion


def _still_there(desk: Desk, card: DealRecord) -> bool:
    """Whether a card still stands where it came to: what only passed through a stage asks nobody for anything there."""
    now = desk.work.peek(DealRecord, card.id)
    return now is None or now.stage_id == card.stage_id


def occasions_of_pair(
    index: Index, kind: str, before: Any, after: Any, cause: Fact | None = None
) -> Iterator[Occasion]:
    """The rules that the change of one record concerns; `before` is None where it is new, made by a `cause`."""

    def found(triggers: Triggers, key: str, why: str, **more: Any) -> Iterator[Occasion]:
        for trigger in triggers:
            if _stands(trigger, after):
                yield Occasion(trigger.rule, kind, after, key, why, passing=True, more=more, born_of=cause)

    if before is None:
        yield from found(index.created.get(kind, ()), "created", Event.CREATED.value)
    if isinstance(after, DealRecord) and (before is None or before.stage_id != after.stage_id):
        if before is not None:
            for trigger in index.left.get(before.stage_id, ()):
                yield Occasion(trigger.rule, kind, after, "left", Event.STAGE_LEFT.value, passing=True)
        for trigger in index.entered.get(after.stage_id, ()):
            yield Occasion(trigger.rule, kind, after, "entered", Event.STAGE_ENTERED.value, passing=True)
    for trigger in index.changed.get(kind, ()):
        name = trigger.when.field
        old, new = value_of(before, name) if before is not None else None, value_of(after, name)
        if old == new or (before is None and new in (None, "", [])) or not _is_wanted(trigger.when.to, new):
            continue
        yield from found((trigger,), name, f"{Event.CHANGED.value} {name}", old=old, new=new)
    if index.tagged.get(kind):
        had = set(getattr(before, "tags", None) or ())
        fresh = [tag for tag in getattr(after, "tags", None) or () if tag not in had]
        for trigger in index.tagged[kind] if fresh else ():
            tag = next((tag for tag in fresh if not trigger.when.tags or tag in trigger.when.tags), None)
            if tag is not None:
                yield from found((trigger,), f"tag:{tag}", f"{Event.TAG_ADDED.value} «{tag}»", tag=tag)


def _is_wanted(wanted: Any, value: Any) -> bool:
    if wanted is None:
        return True
    if isinstance(value, dict) and "amount" in value:
        return bool(value["amount"] == wanted)
    if isinstance(value, (int, float)) and isinstance(wanted, (int, float)):
        return float(value) == float(wanted)
    if isinstance(value, list):
        return wanted in value
    return str(value) == str(wanted)


def _stands(trigger: Trigger, record: Any) -> bool:
    return trigger.stages is None or getattr(record, "stage_id", None) in trigger.stages


def _of_entry(before: EntryRecord | None, after: EntryRecord) -> Iterator[Fact]:
    arrived = before is None or (before.external_id is None and before.number is None)
    inbound = after.direction is Direction.IN
    event = _WRITTEN.get((after.kind, after.direction))
    # An entry of which only an edit is known yet is no message.
    known = after.external_id is not None or after.number is not None or after.kind is EntryKind.FORM
    if event is not None and arrived and known and not (inbound and is_automatic(after)):
        yield Fact(event, after.contact_id, after)
        if inbound:
            yield Fact(Event.WRITTEN, after.contact_id, after)
    signal = before.signal if before is not None else None
    if after.signal in {Signal.TALK, Signal.REPLY} and signal is not after.signal:
        yield Fact(Event.REACHED, after.contact_id, after, again=before is not None)
    if after.delivery is Delivery.FAILED and (before is None or before.delivery is not Delivery.FAILED):
        yield Fact(Event.DELIVERY_FAILED, after.contact_id, after, again=before is not None)


def _of_call(before: CallRecord | None, after: CallRecord) -> Iterator[Fact]:
    if after.contact_id is None:
        return
    contact_id, inbound = after.contact_id, after.direction is Direction.IN
    told = before is not None and before.contact_id is not None
    if not told:
        yield Fact(Event.CALL_IN if inbound else Event.CALL_OUT, contact_id, after)
    if after.answered_at is not None and (before is None or before.answered_at is None):
        yield Fact(Event.CALL_ANSWERED, contact_id, after, again=before is not None)
    elif after.finished_at is not None and after.answered_at is None and (before is None or before.finished_at is None):
        event = Event.CALL_MISSED if inbound else Event.CALL_UNANSWERED
        yield Fact(event, contact_id, after, again=before is not None)


def _named(desk: Desk, fact: Fact) -> dict[str, Any]:
    """What a condition may name of a fact."""
    if isinstance(fact.cause, CallRecord):
        entry = desk.work.peek(EntryRecord, fact.cause.entry_id) if fact.cause.entry_id is not None else None
        return {"call": fact.cause, "entry": entry, "text": ""}
    text = "\n".join(part for part in (fact.cause.subject, fact.cause.text) if part)
    return {"entry": fact.cause, "call": None, "text": text}


class _Subjects:
    """The records that facts are about, read set-based: a client's open leads and cards, or the one that is named."""

    def __init__(self, desk: Desk, kinds: Iterable[str], wanted: Sequence[tuple[Fact, Triggers]]) -> None:
        self._desk = desk
        kinds = set(kinds)
        owners = list(dict.fromkeys(fact.contact_id for fact, _ in wanted))
        self._contacts = desk.work.contacts(owners) if kinds & {"contact", "company"} else {}
        self._leads = desk.work.open_leads(owners) if "lead" in kinds else {}
        self._cards: dict[int, list[DealRecord]] = {}
        if kinds - PLAIN_KINDS:
            for card in desk.work.open_cards(owners, [stage for stage, _ in _open_stages(desk)]):
                self._cards.setdefault(card.contact_id or 0, []).append(card)

    def of(self, fact: Fact, kind: str) -> list[Any]:
        """The records of a kind that a fact is about."""
        entry = fact.entry
        match kind:
            case "contact":
                contact = self._contacts.get(fact.contact_id)
                return [contact] if contact is not None and contact.deleted_at is None else []
            case "company":
                return self._company(self._contacts.get(fact.contact_id))
            case "lead":
                lead = self._leads.get(fact.contact_id)
                return [lead] if lead is not None and lead.deleted_at is None else []
            case "task" | "product" | "payment":
                return []
            case _:
                cards = [each for each in self._cards.get(fact.contact_id, ()) if each.type == kind]
                cards = [each for each in cards if is_open(each, self._desk.catalogue)]
                # What a client says is heard by all their cards, also where it came as an enquiry of one.
                ours = entry.deal_id if entry is not None and entry.direction is Direction.OUT else None
                return [each for each in cards if each.id == ours] or cards

    def _company(self, contact: ContactRecord | None) -> list[Any]:
        if contact is None or contact.company_id is None:
            return []
        found = self._desk.work.related(CompanyRecord, "id", [contact.company_id])
        return [each for each in found if each.deleted_at is None]


def _open_stages(desk: Desk) -> Iterator[tuple[int, str]]:
    for pipeline in desk.catalogue.pipelines:
        for stage in pipeline.stages:
            if stage.open:
                yield stage.id, pipeline.record.type
