"""The views of the daily control list: what each is called, what exactly it shows, what its lines look like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crm_core.model.records import CallRecord
from crm_core.storage.queries.workspace.clients import Client
from crm_core.storage.reports.base import Words


class ControlView(StrEnum):
    """What is looked at every day; see `words.VIEWS` for what each shows."""

    MISSED_CALLS = "missed-calls"
    STUCK_LEADS = "stuck-leads"
    REJECTIONS = "rejections"
    KEY_STAGE = "key-stage"
    LARGE_DEALS = "large-deals"
    MY_TASKS = "my-tasks"
    OVERDUE_DEALS = "deals-with-overdue-tasks"
    TASKLESS_DEALS = "deals-without-tasks"
    PLANLESS_DEALS = "deals-without-next-step"
    UNDATED_TASKS = "tasks-without-deadline"
    LOAD = "load"
    BAD_FIELDS = "bad-fields"
    MALFORMED = "malformed-fields"
    WRONG_STAGE = "wrong-stage"
    CONVERSIONS = "conversions"
    JAMS = "jams"
    TIME_IN_STAGE = "time-in-stage"
    LONG_CALLS = "long-calls"
    SHORT_CALLS = "short-calls"
    FIRST_CALLS = "first-calls"
    LOST_AFTER = "lost-after-call"
    AVERAGES = "averages"
    LEADING = "leading"


class SubjectKind(StrEnum):
    """What a line is about, so that it can be opened."""

    CONTACT = "contact"
    LEAD = "lead"
    DEAL = "deal"
    TASK = "task"
    CALL = "call"
    USER = "user"
    STAGE = "stage"
    PIPELINE = "pipeline"
    FIELD = "field"
    DAY = "day"


class Unit(StrEnum):
    """How a figure is written: a number of things, seconds, a share of one, minor units of a currency."""

    COUNT = "count"
    SECONDS = "seconds"
    SHARE = "share"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a line; None where there is nothing to work it out from. `currency` of money."""

    title: Words
    value: float | int | None
    unit: Unit
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A line of a view. `kind` and `id` are what opens (a user has no id, only `login`). `title` says what it is
    called (of a day its date), `note` why it stands here or a reason given; `login` whose it is; `at` the moment that
    counts (since when, until when); `figures` in the order of the view's columns; `call` is the call of a line of
    calls."""

    kind: SubjectKind
    id: int | None
    title: str
    client: Client | None = None
    login: str | None = None
    at: datetime | None = None
    note: str = ""
    figures: tuple[Figure, ...] = ()
    call: CallRecord | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A view in words: its title, and what exactly it shows. `figures` says that its lines are figures, whose number
    tells nothing: it is not counted."""

    name: ControlView
    title: Words
    definition: Words
    figures: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is worth looking at. `large` in minor units; `lately` is how far back calls and
    rejections are looked at, `cohort` how far back the cards were opened of which figures are made."""

    take: timedelta = timedelta(hours=4)
    qualify: timedelta = timedelta(days=3)
    large: int = 50_000_000
    long_call: timedelta = timedelta(minutes=10)
    short_call: timedelta = timedelta(seconds=20)
    lately: timedelta = timedelta(days=7)
    cohort: timedelta = timedelta(days=90)
