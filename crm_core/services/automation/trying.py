"""What rules would have done in a time that is over: told from the timeline and the history, writing nothing.

Each record is shown to the rules as it was at each moment. Tags and fields that a rule would have changed of its
record, and the stage it would have moved it to within its pipeline, bring further rules to act at that moment, a few
in a row; what happened afterwards happened without them. Filters of schedules are asked about records as they are now;
tags, fields and stages are as the history knows them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from crm_core.errors import CoreError
from crm_core.model.automation import RunOutcome
from crm_core.model.definitions.rules import FACTS, PLAIN_KINDS, Event, Move, SetField, Tag
from crm_core.model.expressions import ExpressionError
from crm_core.model.history import Change, ChangeRecord
from crm_core.model.records import CallRecord, ContactRecord, DealRecord, EntryRecord
from crm_core.model.rights import Right
from crm_core.services.automation.actions import ACTIONS
from crm_core.services.automation.conditions import holds
from crm_core.services.automation.index import Index, Rule
from crm_core.services.automation.matching import Fact, Occasion, facts_of, occasions_of_one, occasions_of_pair
from crm_core.services.automation.planning import records_of, stages_of_rule, subjects_of
from crm_core.services.automation.run import HeldAction, Run
from crm_core.services.automation.timing import due_of, is_open, next_of, put_off
from crm_core.services.custom.history_values import restored
from crm_core.services.desk import Desk

_MOST_MOMENTS = 400  # of one schedule
_WITH_IT = timedelta(minutes=1)
_DEEPEST = 3  # as where rules act


@dataclass(frozen=True, slots=True)
class Trial:
    """That a rule would have acted on a record at a moment, and how; `error` where its condition makes no sense."""

    rule: str
    kind: str
    subject_id: int
    contact_id: int | None
    title: str
    at: datetime
    why: str
    actions: tuple[dict[str, Any], ...]
    error: str = ""

    @property
    def outcome(self) -> RunOutcome:
        """How the run would have ended, as far as that can be told."""
        return RunOutcome.FAILED if self.error else RunOutcome.DONE


class Past(Protocol):
    """What a dry run asks of the record beside what services ask."""

    now: datetime

    def pretend(self, *records: tuple[Any, ...]) -> None:
        """Show records as they were."""

    def history_of(self, kind: str, ids: Sequence[int]) -> dict[int, list[ChangeRecord]]:
        """How records changed, oldest first."""

    def told_since(
        self, contact_ids: Sequence[int], since: datetime
    ) -> tuple[dict[int, list[EntryRecord]], dict[int, list[CallRecord]]]:
        """What was told on the timelines of clients."""

    def reached_at(self, contact_ids: Sequence[int]) -> dict[int, list[datetime]]:
        """When clients were reached."""


@dataclass(frozen=True, slots=True)
class State:
    """A record as it was from one moment until the next."""

    since: datetime
    until: datetime
    record: Any


def gone_through(
    desk: Desk, index: Index, kind: str, since: datetime, until: datetime, *, above: int, limit: int
) -> tuple[list[int], list[Trial]]:
    """The ids of the next records behind one, and what the rules would have done to them in [since, until), in the
    order of time. Raises Forbidden for whoever does not configure."""
    desk.demand(Right.CONFIGURE)
    ids = _next_chunk(desk, index, kind, above, limit)
    return ids, _tried(desk, index, kind, ids, since, until) if ids else []


def _next_chunk(desk: Desk, index: Index, kind: str, above: int, limit: int) -> list[int]:
    """The ids of the next records to be gone through."""
    stages: list[int] = []
    if kind not in PLAIN_KINDS:
        rule = next(each for each in index.rules.values() if each.on == kind)
        stages = stages_of_rule(desk, rule)
    return desk.work.subjects_after(kind, above, limit, stages=stages)


def _tried(desk: Desk, index: Index, kind: str, ids: Sequence[int], since: datetime, until: datetime) -> list[Trial]:
    past = cast(Past, desk.work)
    now = desk.work.now
    records = records_of(desk, kind, ids)
    history = past.history_of(kind if kind in PLAIN_KINDS else "deal", [each[0] for each in records])
    owners = [owner for each in records if (owner := _owner(each)) is not None]
    contacts = dict(desk.work.contacts(owners))
    before = past.history_of("contact", owners) if kind != "contact" else history
    heard = _any_fact(index, kind) or _any_account(index, kind)
    entries, calls = past.told_since(owners, since) if heard else ({}, {})
    reached = past.reached_at(owners)
    scheduled = _scheduled(desk, index, kind, ids, since, until)
    found: list[Trial] = []
    try:
        for record in records:
            owner = _owner(record)
            contact = contacts.get(owner) if owner is not None else None
            states = states_of(record, history.get(record[0], []), until)
            clients = states_of(contact, before.get(contact.id, []), until) if contact is not None else []
            moments = _Moments(desk, past, index, kind, states, clients, reached.get(owner or 0, []), since, until)
            told: list[EntryRecord | CallRecord] = [*entries.get(owner or 0, []), *calls.get(owner or 0, [])]
            occasions = [
                *moments.of_changes(told),
                *moments.of_facts(told),
                *moments.of_time(),
                *moments.of_schedules(scheduled.get(record[0], [])),
            ]
            found.extend(_judged(desk, moments, occasions))
            past.pretend(record, *([contact] if contact is not None else []))
    finally:
        past.now = now
    return sorted(found, key=lambda each: (each.at, each.subject_id))  # those of one record as they would have acted


def states_of(record: Any, rows: Sequence[ChangeRecord], until: datetime) -> list[State]:
    """A record as it was, oldest first, going back from how it is by what its history says."""
    states: list[State] = []
    current, end = record, until
    for row in reversed(rows):
        states.append(State(row.at, end, current))
        current, end = restored(current, row.changes), row.at
    states.append(State(record.created_at, end, current))
    states.reverse()
    if not isinstance(record, DealRecord):
        return states
    since, kept = record.created_at, []
    for number, state in enumerate(states):
        if number and states[number - 1].record.stage_id != state.record.stage_id:
            since = state.since
        kept.append(State(state.since, state.until, state.record._replace(stage_since=since)))
    return kept


@dataclass(slots=True)
class _Moments:
    """The occasions of one record's past."""

    desk: Desk
    past: Past
    index: Index
    kind: str
    states: list[State]
    clients: list[State]
    reached: list[datetime]
    since: datetime
    until: datetime

    def of_changes(self, told: Sequence[EntryRecord | CallRecord]) -> Iterator[tuple[datetime, Occasion]]:
        """Its making, by the fact that was taken in with it, and every change of it."""
        before: Any = None
        for state in self.states:
            if self.since <= state.since < self.until:
                cause = _cause_of(told, state.since) if before is None else None
                for occasion in occasions_of_pair(self.index, self.kind, before, state.record, cause):
                    yield state.since, occasion
            before = state.record

    def of_facts(self, told: Sequence[EntryRecord | CallRecord]) -> Iterator[tuple[datetime, Occasion]]:
        """What was told on its client's timeline."""
        for cause in told:
            for fact in facts_of(Change(None, cause)):
                at = _told_at(fact)
                # What a fact makes is there with it, a moment after it happened.
                record = self.at(at) or self.at(at + _WITH_IT)
                if record is None or not self.since <= at < self.until or not is_open(record, self.desk.catalogue):
                    continue
                for trigger in self.index.facts.get(fact.event, ()):
                    if trigger.rule.on == self.kind:
                        for occasion in occasions_of_one(self.desk, trigger, fact, record):
                            yield at, occasion

    def of_time(self) -> Iterator[tuple[datetime, Occasion]]:
        """What time brought: each state, and each time after the client was reached, has moments of its own."""
        known: set[tuple[int, str]] = set()
        edges = sorted({each.since for each in self.states} | {each for each in self.reached if each < self.until})
        for number, begin in enumerate(edges):
            end = edges[number + 1] if number + 1 < len(edges) else self.until
            record = self.at(begin)
            if record is None:
                continue
            contact = self.client_at(begin)
            for trigger in self.index.timed.get(self.kind, ()):
                due = due_of(trigger, record, contact, self.desk.office, self.desk.catalogue)
                if due is None or (trigger.rule.id, due.occasion) in known:
                    continue
                at = put_off(trigger, max(due.at, begin), self.desk.office)
                late = not due.in_time(max(due.at, begin))
                if late or not (at < end and self.since <= at < self.until):
                    continue
                known.add((trigger.rule.id, due.occasion))
                why = trigger.when.event.value
                yield at, Occasion(trigger.rule, self.kind, record, due.occasion, why)

    def of_schedules(self, moments: Sequence[tuple[datetime, Rule]]) -> Iterator[tuple[datetime, Occasion]]:
        """The schedules that would have met it."""
        for at, rule in moments:
            record = self.at(at)
            if record is not None:
                yield at, Occasion(rule, self.kind, record, f"schedule:{at.isoformat()}", Event.SCHEDULE.value)

    def at(self, moment: datetime) -> Any:
        """The record as it was; None where it was not yet, or deleted."""
        state = next((each for each in reversed(self.states) if each.since <= moment), None)
        record = state.record if state is not None else None
        return None if record is None or getattr(record, "deleted_at", None) is not None else self._seen(record, moment)

    def client_at(self, moment: datetime) -> ContactRecord | None:
        """Its client as they were."""
        state = next((each for each in reversed(self.clients) if each.since <= moment), None)
        state = state or (self.clients[0] if self.clients else None)
        return cast(ContactRecord, self._seen(state.record, moment)) if state is not None else None

    def _seen(self, record: Any, moment: datetime) -> Any:
        if not isinstance(record, ContactRecord):
            return record
        last = max((each for each in self.reached if each <= moment), default=None)
        return record._replace(last_contact_at=last)


def _judged(desk: Desk, moments: _Moments, occasions: Sequence[tuple[datetime, Occasion]]) -> Iterator[Trial]:
    """Those whose conditions held, each as it would have acted."""
    once: set[tuple[int, str]] = set()
    rules = {rule_id: number for number, rule_id in enumerate(moments.index.rules)}

    def in_order(found: Iterable[tuple[datetime, Occasion]]) -> list[tuple[datetime, Occasion]]:
        return sorted(found, key=lambda each: (each[0], rules[each[1].rule.id]))

    waiting = deque((*each, 0) for each in in_order(occasions))
    while waiting:
        at, occasion, depth = waiting.popleft()
        key = "once" if occasion.rule.body.once else f"{at.isoformat()}:{occasion.why}"
        if (occasion.rule.id, key) in once:
            continue
        contact = moments.client_at(at)
        moments.past.now = at
        moments.past.pretend(occasion.record, *([contact] if contact is not None else []))
        error = ""
        try:
            if not holds(desk, occasion):
                continue
        except ExpressionError as err:
            error = str(err)
        once.add((occasion.rule.id, key))
        record = occasion.record
        yield Trial(
            rule=occasion.rule.name,
            kind=occasion.kind,
            subject_id=record[0],
            contact_id=_owner(record),
            title=getattr(record, "title", None) or getattr(record, "name", "") or "",
            at=at,
            why=occasion.why,
            actions=() if error else tuple(_would(Run(desk, occasion))),
            error=error,
        )
        if not error and depth < _DEEPEST:
            after = _changed(Run(desk, occasion), at)
            follows = occasions_of_pair(moments.index, occasion.kind, record, after)
            waiting.extendleft((*each, depth + 1) for each in reversed(in_order((at, each) for each in follows)))


def _changed(run: Run, at: datetime) -> Any:
    """The record with what a run would change of it, put where nothing is written."""
    for action in run.occasion.rule.body.then:
        try:
            match action:
                case Tag() | SetField():
                    ACTIONS[type(action)](run, action)
                case Move(pipeline=None, stage=str() as name) if isinstance(run.record, DealRecord):
                    place = run.desk.catalogue.place(run.record.stage_id)
                    stage = next((each for each in place[0].in_use if each.name == name), None) if place else None
                    if stage is not None and stage.id != run.record.stage_id:
                        run.desk.work.put(run.record._replace(stage_id=stage.id, stage_since=at))
        except (CoreError, ExpressionError, HeldAction):
            continue  # told of the action itself
    return run.record


def _would(run: Run) -> Iterator[dict[str, Any]]:
    """What a run would do, its texts filled in."""
    for action in run.occasion.rule.body.then:
        shown = action.model_dump(mode="json", exclude_defaults=True)
        for name in ("title", "text"):
            if isinstance(shown.get(name), str):
                try:
                    shown[name] = run.text(shown[name])
                except (CoreError, HeldAction) as err:
                    shown["error"] = str(err)
        yield shown


def _scheduled(
    desk: Desk, index: Index, kind: str, ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, list[tuple[datetime, Rule]]]:
    """The moments of schedules that meet these records."""
    found: dict[int, list[tuple[datetime, Rule]]] = {}
    zone = ZoneInfo(desk.office.time_zone)
    for triggers in index.schedules.values():
        for trigger in triggers:
            if trigger.rule.on != kind or not ids:
                continue
            moments: list[datetime] = []
            at = put_off(trigger, next_of(trigger.when, since - timedelta(microseconds=1), zone), desk.office)
            while at < until and len(moments) < _MOST_MOMENTS:
                moments.append(at)
                at = put_off(trigger, next_of(trigger.when, at, zone), desk.office)
            matching = set(subjects_of(desk, trigger, min(ids) - 1, len(ids) * 50)) if moments else set()
            for subject_id in matching.intersection(ids):
                found.setdefault(subject_id, []).extend((moment, trigger.rule) for moment in moments)
    return found


def _cause_of(told: Sequence[EntryRecord | CallRecord], at: datetime) -> Fact | None:
    """The fact that was taken in at a moment, of which a record was made."""
    entries = (each for each in told if isinstance(each, EntryRecord) and each.recorded_at == at)
    return next((fact for each in entries for fact in facts_of(Change(None, each))), None)


def _told_at(fact: Fact) -> datetime:
    """When rules heard of a fact."""
    cause = fact.cause
    if isinstance(cause, EntryRecord):
        return cause.recorded_at
    if fact.event is Event.CALL_ANSWERED:
        return cause.answered_at or cause.started_at
    if fact.event in {Event.CALL_MISSED, Event.CALL_UNANSWERED}:
        return cause.finished_at or cause.started_at
    return cause.started_at


def _owner(record: Any) -> int | None:
    return record.id if isinstance(record, ContactRecord) else getattr(record, "contact_id", None)


def _any_account(index: Index, kind: str) -> bool:
    rules = (each for each in index.rules.values() if each.on == kind)
    return any(each.body.only.channels or each.body.only.accounts for each in rules)


def _any_fact(index: Index, kind: str) -> bool:
    return any(trigger.rule.on == kind for event in FACTS for trigger in index.facts.get(event, ()))
