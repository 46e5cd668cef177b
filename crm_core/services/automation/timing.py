"""When timed rules are due: plain functions of a record, the rule and the office's clocks."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm_core.model.definitions import Catalogue
from crm_core.model.definitions.rules import Event, Every, When
from crm_core.model.office import Office
from crm_core.model.records import ContactRecord, DealRecord, LeadRecord, LeadStatus
from crm_core.model.task import TaskRecord, TaskState
from crm_core.services.automation.index import Trigger

# The hour at which something happens on a day for which none is named.
_HOUR = time(9)
# A moment that passed longer ago (the hub stood still, the date was entered late) is let go, unless it lies before a
# day that is still to come: who has a fortnight left is reminded at once, however early others are.
_LATEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """When a rule is due for a record, and for which occasion: a rule acts once for each. `ahead_of` is the moment
    before which it is due, where it is due before one."""

    trigger: Trigger
    at: datetime
    occasion: str
    ahead_of: datetime | None = None

    def in_time(self, now: datetime) -> bool:
        """Whether it is not let go yet: time in a stage and silence stay due for ever, a day that passed does not."""
        if self.trigger.when.event is not Event.DATE:
            return True
        return now <= max(self.at + _LATEST, self.ahead_of or self.at)


def due_of(
    trigger: Trigger, record: Any, contact: ContactRecord | None, office: Office, catalogue: Catalogue
) -> Due | None:
    """When this trigger is due for a record as it is; None where it is not."""
    if getattr(record, "deleted_at", None) is not None or getattr(record, "merged_into", None) is not None:
        return None
    if trigger.stages is not None and getattr(record, "stage_id", None) not in trigger.stages:
        return None
    due: Due | None = None
    match trigger.when.event:
        case Event.IN_STAGE:
            due = _in_stage(trigger, record, office, catalogue)
        case Event.SILENCE:
            due = _silence(trigger, record, contact, office, catalogue)
        case Event.DATE:
            due = _date(trigger, record, ZoneInfo(office.time_zone))
    return replace(due, at=put_off(trigger, due.at, office)) if due is not None else None


def put_off(trigger: Trigger, at: datetime, office: Office) -> datetime:
    """The first moment from this one on at which the rule's hours let it act; this one where none ever does."""
    only = trigger.rule.body.only
    if only.hours is None:
        return at
    calendar = office.calendar(only.hours)
    return (calendar.next_closed(at) if only.outside else calendar.next_open(at)) or at


def is_open(record: Any, catalogue: Catalogue) -> bool:
    """Whether a record is still worked with: a card on an open stage, an open lead or task; others always are."""
    match record:
        case DealRecord():
            place = catalogue.place(record.stage_id)
            return place is not None and place[1].open
        case LeadRecord():
            return record.status in {LeadStatus.NEW, LeadStatus.TAKEN}
        case TaskRecord():
            return record.state is TaskState.OPEN
        case _:
            return True


def next_of(when: When, after: datetime, zone: ZoneInfo) -> datetime:
    """The next moment of a schedule after this one."""
    hour = time.fromisoformat(when.at or "09:00")
    day = after.astimezone(zone).date()
    for offset in range(400):
        at = local(day + timedelta(days=offset), hour, zone)
        if at > after and _comes(when, day + timedelta(days=offset)):
            return at
    raise AssertionError("a schedule comes within a year")  # pragma: no cover - every form of it does


def local(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """A moment of a day in a zone; one that the zone's clocks leap over is the next that they show."""
    at = datetime.combine(day, hour, zone)
    return datetime.fromtimestamp(at.timestamp(), zone)


def _comes(when: When, day: date) -> bool:
    match when.every:
        case Every.WEEK:
            return day.isoweekday() in (when.weekdays or [1])
        case Every.MONTH:
            last = monthrange(day.year, day.month)[1]
            return day.day in {min(each, last) for each in (when.days or [1])}
        case _:
            return True


def _in_stage(trigger: Trigger, record: Any, office: Office, catalogue: Catalogue) -> Due | None:
    if not isinstance(record, DealRecord) or (trigger.stages is None and not is_open(record, catalogue)):
        return None
    after = trigger.when.after or timedelta(0)
    at = office.calendar(trigger.when.hours).due(record.stage_since, after)
    return Due(trigger, at, f"stage:{record.stage_since.isoformat()}")


def _silence(
    trigger: Trigger, record: Any, contact: ContactRecord | None, office: Office, catalogue: Catalogue
) -> Due | None:
    if contact is None or not is_open(record, catalogue):
        return None
    since = max(contact.last_contact_at or contact.created_at, record.created_at)
    at = office.calendar(trigger.when.hours).due(since, trigger.when.after or timedelta(0))
    return Due(trigger, at, f"silence:{since.isoformat()}")


def _date(trigger: Trigger, record: Any, zone: ZoneInfo) -> Due | None:
    when = trigger.when
    value = value_of(record, when.field)
    at = moment_of(value, when.at, zone)
    if at is None:
        return None
    day = at
    if when.before is not None:
        at = _shifted(at, -when.before, zone)
    elif when.after is not None:
        at = _shifted(at, when.after, zone)
    return Due(trigger, at, f"date:{when.field}:{value}", ahead_of=day if when.before is not None else None)


def _shifted(at: datetime, by: timedelta, zone: ZoneInfo) -> datetime:
    """Whole days keep the hour of the day, whatever the clocks do meanwhile."""
    whole = timedelta(days=by.days) if by.seconds == 0 and by.microseconds == 0 else None
    if whole is None:
        return at + by
    there = at.astimezone(zone)
    return local(there.date() + whole, there.timetz().replace(tzinfo=None), zone)


def moment_of(value: Any, hour: str | None, zone: ZoneInfo) -> datetime | None:
    """The moment that a value names: a day at an hour, or a moment itself where no hour is asked for."""
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value[:10])
        except ValueError:
            return None
        if len(value) > len("2026-01-31"):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
            return moment_of(value if value.tzinfo is not None else value.replace(tzinfo=zone), hour, zone)
        return local(day, time.fromisoformat(hour) if hour else _HOUR, zone)
    if isinstance(value, datetime):
        if hour is None:
            return value
        return local(value.astimezone(zone).date(), time.fromisoformat(hour), zone)
    return None


def value_of(record: Any, name: str) -> Any:
    """A column of a record, or one of its fields (`fields.key`)."""
    column, _, key = name.partition(".")
    if column == "fields" and key:
        return (record.fields or {}).get(key)
    return getattr(record, column, None)
