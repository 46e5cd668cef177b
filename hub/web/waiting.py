"""A client who waits, with what the ladder says: who was told, who is told next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_core.model.case import CaseKind
from crm_core.model.ladder import Told
from crm_core.model.office import Office
from crm_core.model.records import CaseRecord
from crm_core.storage.queries.contacts import ContactCard


@dataclass(frozen=True, slots=True)
class Rungs:
    """Where a case stands: `told` are those of the last rung told, `next_tells` those of the one to come."""

    told: tuple[Told, ...]
    next_tells: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A client who waits; `told` and `next_tells` as in `Rungs`."""

    case: CaseRecord
    client: ContactCard
    due_at: datetime | None
    told: tuple[Told, ...]
    next_tells: tuple[Told, ...]


def rungs_of(case: CaseRecord, due_at: datetime | None, office: Office) -> Rungs:
    """What the ladder says of a case."""
    steps = office.ladders.of_case(CaseKind(case.kind)).steps
    told = steps[case.rung].tell if case.rung is not None and case.rung < len(steps) else ()
    upcoming = 0 if case.rung is None else case.rung + 1
    return Rungs(told, steps[upcoming].tell if upcoming < len(steps) and due_at is not None else ())


def waiting_of(case: CaseRecord, client: ContactCard, due_at: datetime | None, office: Office) -> Waiting:
    """A case with its client and what its ladder says of it."""
    rungs = rungs_of(case, due_at, office)
    return Waiting(case, client, due_at, rungs.told, rungs.next_tells)
