"""A client who waits, with what the ladder says: who was told, who is told next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_core.model.case import CaseKind
from crm_core.model.ladder import Told
from crm_core.model.records import CaseRecord
from crm_core.storage.queries.contacts import ContactCard
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.climbing import ToldPerson, once_each


@dataclass(frozen=True, slots=True)
class Rungs:
    """Where a case stands: `climbed` rungs were told, to `people`, once each; `next_tells` are those of the one to
    come."""

    climbed: int
    people: tuple[ToldPerson, ...]
    next_tells: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A client who waits, and what the ladder says."""

    case: CaseRecord
    client: ContactCard
    due_at: datetime | None
    rungs: Rungs


def rungs_of(case: CaseRecord, due_at: datetime | None, told: Sequence[ToldPerson], asker: Asker) -> Rungs:
    """What the ladder says of a case; `told`: who was told of it, the last rung first."""
    steps = asker.office.ladders.of_case(CaseKind(case.kind)).steps
    climbed = 0 if case.rung is None else case.rung + 1
    upcoming = steps[climbed].tell if climbed < len(steps) and due_at is not None else ()
    return Rungs(climbed, once_each(told), upcoming)
