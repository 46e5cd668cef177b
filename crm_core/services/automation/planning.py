"""Rules that wait for a time: one deadline a record, of the earliest moment at which any of its rules may be due."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm_core.errors import InvalidInput
from crm_core.model.alarm import AlarmKind
from crm_core.model.definitions import DefinitionRecord, RuleBody, Section
from crm_core.model.definitions.rules import PLAIN_KINDS, Event
from crm_core.model.definitions.segments import SegmentBody
from crm_core.model.exchange import CounterRecord
from crm_core.model.filters import Filter, filter_of
from crm_core.model.history import KIND_OF, Change
from crm_core.model.records import (
    CallRecord,
    CaseRecord,
    ContactRecord,
    DeadlineKind,
    DeadlineRecord,
    EntryRecord,
)
from crm_core.services.automation.index import Index, Rule, Trigger, index_of
from crm_core.services.automation.matching import Occasion
from crm_core.services.automation.running import act_on, act_when_due
from crm_core.services.automation.timing import Due, due_of, is_open, next_of, put_off
from crm_core.services.desk import Desk
from crm_core.services.scope import kind_of
from crm_core.services.watching.alarms import end_alarm, raise_alarm

log = logging.getLogger(__name__)

_CHUNK = 200  # records looked at in one transaction
_AGAIN = timedelta(hours=1)  # a schedule that can't be read is tried again after so long
_PLAN = "plan"
_RECORD_OF = {kind: record for record, kind in KIND_OF.items()}


def deadline_key(kind: str, subject_id: int) -> str:
    """The key of the deadline of a record's timed rules."""
    return f"{DeadlineKind.RULE.value}:{kind}:{subject_id}"


def plan(desk: Desk, index: Index, changes: Sequence[Change]) -> None:
    """Set the deadlines of records of which changed what their timed rules wait for; no statement, where rules about
    silence ask for no client."""
    wanted: list[tuple[str, Any]] = []
    for before, after in changes:
        if after is None or isinstance(after, (EntryRecord, CallRecord, CaseRecord)):
            continue
        kind = kind_of(after)
        columns = index.columns.get(kind)
        if columns and (before is None or any(_differs(before, after, column) for column in columns)):
            wanted.append((kind, after))
    if wanted:
        contacts = _contacts(desk, index, wanted)
        for kind, record in wanted:
            due = _earliest(desk, index, kind, record, contacts)
            if due is not None:
                _set(desk, kind, record[0], due)


def plan_definitions(desk: Desk, changes: Sequence[Change]) -> None:
    """A rule was added, changed or put away: its records and its schedules are gone through by and by."""
    for before, after in changes:
        if not isinstance(after, DefinitionRecord) or after.section not in {Section.RULE, Section.CHAIN}:
            continue
        if before is not None:
            end_alarm(desk, AlarmKind.RULE, before.name)  # whether it does now, its next run shows
        if after.section is not Section.RULE:
            continue
        events = _events(before) | _events(after)
        if events & {Event.IN_STAGE, Event.SILENCE, Event.DATE, Event.SCHEDULE}:
            key = deadline_key(_PLAN, after.id)
            desk.work.put(DeadlineRecord(key, DeadlineKind.RULE, after.id, desk.now))
            desk.work.put(CounterRecord(key, 0))


def rules_due(desk: Desk, deadlines: Sequence[DeadlineRecord]) -> None:
    """The timed rules of records may be due, or a rule's records are to be gone through.

    Records of a kind are looked at together: as many statements for a thousand of them as for one.
    """
    by_kind: dict[str, list[DeadlineRecord]] = {}
    for deadline in deadlines:
        kind = deadline.key.split(":")[1]
        if kind == _PLAN:
            _go_through(desk, deadline)
        else:
            by_kind.setdefault(kind, []).append(deadline)
    for kind, listed in by_kind.items():
        _records_due(desk, kind, listed)


def rule_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """The same for one."""
    rules_due(desk, [deadline])


def _records_due(desk: Desk, kind: str, deadlines: Sequence[DeadlineRecord]) -> None:
    index, now = index_of(desk.catalogue), desk.now
    triggers = index.timed.get(kind, ())
    records = records_of(desk, kind, [each.subject_id for each in deadlines]) if triggers else []
    contacts = _contacts(desk, index, [(kind, each) for each in records])
    following: dict[int, list[datetime]] = {}
    occasions: list[Occasion] = []
    for record in records:
        later = following.setdefault(record[0], [])
        for due in _dues(desk, index, kind, record, contacts):
            if due.at > now:
                later.append(due.at)
            elif due.in_time(now):
                # One that is late may have missed its hours.
                opening = put_off(due.trigger, now, desk.office)
                if opening > now:
                    later.append(opening)
                else:
                    occasions.append(_occasion(kind, record, due))
        # Whoever is reached a moment from now is silent again no earlier than this.
        later.extend(
            now + trigger.when.after
            for trigger in triggers
            if trigger.when.event is Event.SILENCE
            and trigger.when.after is not None
            and is_open(record, desk.catalogue)
        )
    act_when_due(desk, occasions)
    for deadline in deadlines:
        desk.work.remove(DeadlineRecord, deadline.key)
        if moments := following.get(deadline.subject_id):
            _set(desk, kind, deadline.subject_id, min(moments))


def schedule_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """A schedule's moment came: a chunk of its records; what is left goes on with the next transaction."""
    index = index_of(desk.catalogue)
    number = int(deadline.key.rpartition(":")[2])
    triggers = [each for each in index.schedules.get(deadline.subject_id, ()) if each.number == number]
    if not triggers:
        desk.work.remove(DeadlineRecord, deadline.key)
        _forget(desk, deadline.key)
        return
    trigger = triggers[0]
    rule = trigger.rule
    opening = put_off(trigger, desk.now, desk.office)
    if opening > desk.now:
        desk.work.put(deadline._replace(due_at=opening))
        return
    cursor = _cursor(desk, deadline.key)
    try:
        ids = subjects_of(desk, trigger, cursor, _CHUNK)
    except InvalidInput as err:
        _put_off(desk, deadline, rule, str(err))
        return
    if deadline.error is not None:
        end_alarm(desk, AlarmKind.RULE, rule.name)
    records = records_of(desk, rule.on, ids)
    key = f"schedule:{number}:{deadline.due_at.isoformat()}"
    occasions = [Occasion(rule, rule.on, each, key, Event.SCHEDULE.value) for each in records]
    act_on(desk, occasions, known_anew=True)
    if len(ids) == _CHUNK:
        desk.work.put(CounterRecord(deadline.key, ids[-1]))
        desk.work.put(deadline._replace(attempts=0, error=None))
        return
    _forget(desk, deadline.key)
    _put_schedule(desk, trigger)


def _put_off(desk: Desk, deadline: DeadlineRecord, rule: Rule, error: str) -> None:
    """Its segment or filter can't be read: people are told, and it is tried again by and by until it can."""
    log.warning("a rule's schedule can't be read: %s: %s", rule.name, error)
    raise_alarm(desk, AlarmKind.RULE, rule.name, error[:300])
    at = desk.now + _AGAIN
    desk.work.put(deadline._replace(due_at=at, attempts=deadline.attempts + 1, error=error))


def _go_through(desk: Desk, deadline: DeadlineRecord) -> None:
    """Go through a chunk of the records that a changed rule is about, and set its schedules."""
    index = index_of(desk.catalogue)
    rule = index.rules.get(deadline.subject_id)
    cursor = _cursor(desk, deadline.key)
    if cursor == 0:
        _set_schedules(desk, index, deadline.subject_id)
    if rule is None or not any(each.rule.id == rule.id for each in index.timed.get(rule.on, ())):
        desk.work.remove(DeadlineRecord, deadline.key)
        _forget(desk, deadline.key)
        return
    ids = desk.work.subjects_after(rule.on, cursor, _CHUNK, stages=stages_of_rule(desk, rule))
    records = records_of(desk, rule.on, ids)
    keys = [deadline_key(rule.on, each[0]) for each in records]
    known = {each.key: each for each in desk.work.related(DeadlineRecord, "key", keys)} if keys else {}
    contacts = _contacts(desk, index, [(rule.on, each) for each in records])
    for record in records:
        due = _earliest(desk, index, rule.on, record, contacts)
        there = known.get(deadline_key(rule.on, record[0]))
        if due is not None and (there is None or due < there.due_at):
            _set(desk, rule.on, record[0], due)
    if len(ids) == _CHUNK:
        desk.work.put(CounterRecord(deadline.key, ids[-1]))
        desk.work.put(deadline._replace(attempts=0, error=None))
    else:
        desk.work.remove(DeadlineRecord, deadline.key)
        _forget(desk, deadline.key)


def _set_schedules(desk: Desk, index: Index, rule_id: int) -> None:
    for trigger in index.schedules.get(rule_id, ()):
        _put_schedule(desk, trigger)


def _put_schedule(desk: Desk, trigger: Trigger) -> None:
    at = put_off(trigger, next_of(trigger.when, desk.now, ZoneInfo(desk.office.time_zone)), desk.office)
    key = f"{DeadlineKind.SCHEDULE.value}:{trigger.rule.id}:{trigger.number}"
    desk.work.put(DeadlineRecord(key, DeadlineKind.SCHEDULE, trigger.rule.id, at))


def subjects_of(desk: Desk, trigger: Trigger, cursor: int, limit: int) -> list[int]:
    """The next records of a schedule behind an id; raises InvalidInput."""
    when, kind = trigger.when, trigger.rule.on
    wanted: Filter | None = None
    if when.segment is not None:
        segment = desk.catalogue.body(Section.SEGMENT, when.segment, SegmentBody)
        if segment is None:
            raise InvalidInput("there is no segment «{segment}»", segment=when.segment)
        if segment.of != kind:
            raise InvalidInput(
                "segment «{segment}» is one of {of}, the rule is about {kind}",
                segment=when.segment,
                of=segment.of,
                kind=kind,
            )
        wanted = segment.filter
    elif when.filter is not None:
        wanted = filter_of(when.filter)
    zone = ZoneInfo(desk.office.time_zone)
    stages = trigger.stages if trigger.stages is not None else stages_of_rule(desk, trigger.rule)
    return desk.work.subjects_after(
        kind,
        cursor,
        limit,
        stages=stages,
        wanted=wanted,
        catalogue=desk.catalogue,
        zone=zone,
        region=desk.office.region,
    )


def stages_of_rule(desk: Desk, rule: Rule) -> list[int]:
    """All stages of cards that a rule may be about."""
    if rule.on in PLAIN_KINDS:
        return []
    return [stage.id for each in desk.catalogue.pipelines if each.record.type == rule.on for stage in each.stages]


def records_of(desk: Desk, kind: str, ids: Sequence[int]) -> list[Any]:
    """The records, their clients locked before them."""
    if not ids:
        return []
    found: Iterable[Any]
    if kind == "contact":
        found = desk.work.contacts(ids).values()
    elif kind in PLAIN_KINDS:
        found = desk.work.related(_RECORD_OF[kind], "id", ids)
        owners = {each.contact_id for each in found if getattr(each, "contact_id", None) is not None}
        desk.work.contacts(owners)
    else:
        found = desk.work.cards(ids)
    return [each for each in found if each.deleted_at is None]


def _contacts(desk: Desk, index: Index, wanted: Iterable[tuple[str, Any]]) -> dict[int, ContactRecord]:
    """The clients of records whose rules wait for silence, in one statement; none where no rule does."""
    owners = {
        record.contact_id
        for kind, record in wanted
        if getattr(record, "contact_id", None) is not None
        and any(each.when.event is Event.SILENCE for each in index.timed.get(kind, ()))
    }
    return desk.work.contacts(owners) if owners else {}


def _dues(desk: Desk, index: Index, kind: str, record: Any, contacts: dict[int, ContactRecord]) -> list[Due]:
    contact = record if isinstance(record, ContactRecord) else contacts.get(getattr(record, "contact_id", None) or 0)
    found = (due_of(each, record, contact, desk.office, desk.catalogue) for each in index.timed.get(kind, ()))
    return [each for each in found if each is not None]


def _earliest(desk: Desk, index: Index, kind: str, record: Any, contacts: dict[int, ContactRecord]) -> datetime | None:
    dues = [each for each in _dues(desk, index, kind, record, contacts) if each.in_time(desk.now)]
    return max(min(each.at for each in dues), desk.now) if dues else None


def _occasion(kind: str, record: Any, due: Due) -> Occasion:
    when = due.trigger.when
    why = when.event.value if when.event is not Event.DATE else f"date {when.field}"
    return Occasion(due.trigger.rule, kind, record, due.occasion, why, seen=True)


def _set(desk: Desk, kind: str, subject_id: int, at: datetime) -> None:
    desk.work.put(DeadlineRecord(deadline_key(kind, subject_id), DeadlineKind.RULE, subject_id, at))


def _differs(before: Any, after: Any, column: str) -> bool:
    return getattr(before, column, None) != getattr(after, column, None)


def _events(record: Any) -> set[Event]:
    if not isinstance(record, DefinitionRecord):
        return set()
    return {each.event for each in RuleBody.model_validate(record.body).when}


def _cursor(desk: Desk, key: str) -> int:
    found = desk.work.related(CounterRecord, "name", [key])
    return found[0].value if found else 0


def _forget(desk: Desk, key: str) -> None:
    desk.work.remove(CounterRecord, key)
