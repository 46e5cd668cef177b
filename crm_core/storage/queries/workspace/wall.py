"""The supervisor's wall: who waits and who was told, calls now, the people, what was missed today, where deals jam."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from crm_core.model.definitions import Pipeline, Stage
from crm_core.model.ladder import Told
from crm_core.model.records import CallRecord, CaseRecord, LeadRecord, OutboxState
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.clients import Client


@dataclass(frozen=True, slots=True)
class ToldPerson:
    """Somebody who was told on a rung, how, and whether it reached them."""

    login: str
    rung: int
    channel: str
    state: OutboxState
    at: datetime


@dataclass(frozen=True, slots=True)
class ClimbingCase:
    """An open case on its ladder: `case.rung` is the last rung told (None: none yet), of `rungs` in all; `told` who was
    told so far. `next_at` is when the next rung is told, or the promise runs out; `next_tells` whom that rung tells,
    empty after the last one."""

    case: CaseRecord
    client: Client
    rungs: int
    told: tuple[ToldPerson, ...]
    next_at: datetime | None
    next_tells: tuple[Told, ...]
    broken: bool


@dataclass(frozen=True, slots=True)
class CallNow:
    """A call that goes on. `since`: when it began to ring, or the conversation began; `talking` is who talks (a login,
    or an endpoint that is nobody's), `ringing` whom it rings."""

    call: CallRecord
    client: Client | None
    since: datetime
    talking: str | None
    ringing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonAtWork:
    """Somebody of the office and what they have at hand: the call they are in, open cases, untaken leads. Whether they
    are free, busy or away their telephones tell: the hub puts that beside it."""

    login: str
    name: str
    group: str | None
    absent: bool
    working: bool
    call: CallNow | None
    cases: int
    leads: int


@dataclass(frozen=True, slots=True)
class Responses:
    """How soon clients who began to wait today had a first answer. `login` None: of all together, or nobody's client.
    `count` were answered or have waited beyond `SOON`; `median_s` and `p90_s` of the answered ones, None where there
    are none; `soon` is the share of `count` answered within `SOON`, `waiting` those who wait yet."""

    login: str | None
    count: int
    median_s: int | None
    p90_s: int | None
    soon: float | None
    waiting: int


@dataclass(frozen=True, slots=True)
class MissedToday:
    """A client who called today, was not answered, and with whom nobody spoke since. `misses` of this waiting, `last`
    the last of them, `begun` the first."""

    contact_id: int
    name: str
    number: str
    manager: str | None
    line: str
    begun: datetime
    last: datetime
    misses: int


@dataclass(frozen=True, slots=True)
class UntouchedLead:
    """A lead that nobody took, and since when the client waits for it."""

    lead: LeadRecord
    client: Client
    age: timedelta


@dataclass(frozen=True, slots=True)
class Jam:
    """A stage where cards pile up: how many stand there, the median of how long, how long they may (None: for ever),
    how many stand longer."""

    pipeline: Pipeline
    stage: Stage
    count: int
    median: timedelta
    allowed: timedelta | None
    overdue: int


@dataclass(frozen=True, slots=True)
class Wall:
    """All of it as of `at`; the lists hold the most urgent, the numbers how many there are (`*_count`, up to
    `inbox.MOST_COUNTED`)."""

    at: datetime
    cases: tuple[ClimbingCase, ...]
    cases_count: int
    calls: tuple[CallNow, ...]
    people: tuple[PersonAtWork, ...]
    responses: Responses
    responses_by: tuple[Responses, ...]
    missed: tuple[MissedToday, ...]
    missed_count: int
    leads: tuple[UntouchedLead, ...]
    leads_count: int
    jams: tuple[Jam, ...]


SOON = timedelta(minutes=5)


def wall(conn: Connection, asker: Asker, group: str | None = None, *, limit: int = 50) -> Wall:
    """The wall, of one group where it is named. Whoever sees only their own work sees it of themselves."""
    raise NotImplementedError
