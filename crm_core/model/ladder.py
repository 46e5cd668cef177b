"""Ladders: who is told, and when, as long as nobody has truly answered a client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crm_core.model.calendar import ALWAYS, WorkingHours
from crm_core.model.case import CaseKind


class LadderEvent(StrEnum):
    """What sets a ladder up."""

    CALL_MISSED = "call.missed"
    MESSAGE_UNANSWERED = "message.unanswered"
    LEAD_UNTOUCHED = "lead.untouched"
    DEAL_OVERDUE = "deal.overdue"
    TASK_OVERDUE = "task.overdue"


class Told(StrEnum):
    """Whom a rung tells, seen from the client: their manager, that manager's deputy or controller, or a role. Of a task
    the manager is who is to do it."""

    MANAGER = "manager"
    DEPUTY = "deputy"
    CONTROLLER = "controller"
    HEAD = "head"
    DIRECTOR = "director"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One rung: `after` is measured from the opening of the case, in the ladder's hours."""

    after: timedelta
    tell: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs of one event, in order of time; rung 0 is the first."""

    on: LadderEvent
    steps: tuple[LadderStep, ...]
    hours: WorkingHours = ALWAYS

    def due(self, rung: int, opened_at: datetime) -> datetime | None:
        """When rung number `rung` is told; None after the last one."""
        if rung >= len(self.steps):
            return None
        return self.hours.add(opened_at, self.steps[rung].after)


_FIRST_TOLD = (Told.MANAGER, Told.CONTROLLER)
_DAY_LATER = (Told.CONTROLLER, Told.DIRECTOR)
# «Не перезвонили за сутки» is told to controller and director.
BUILT_IN_STEPS = (LadderStep(timedelta(0), _FIRST_TOLD), LadderStep(timedelta(hours=24), _DAY_LATER))
# A task that is not done: whoever is to do it at once, a day later the head of sales.
BUILT_IN_TASK_STEPS = (
    LadderStep(timedelta(0), (Told.MANAGER,)),
    LadderStep(timedelta(hours=24), (Told.MANAGER, Told.HEAD)),
)


@dataclass(frozen=True, slots=True)
class Ladders:
    """The ladders in force, at most one an event; unanswered clients and tasks always have one."""

    by_event: dict[LadderEvent, Ladder]

    @classmethod
    def of(cls, configured: tuple[Ladder, ...]) -> Ladders:
        """The configured ladders over the built-in ones for calls, messages and tasks."""
        return cls(_BUILT_IN | {ladder.on: ladder for ladder in configured})

    def get(self, event: LadderEvent) -> Ladder | None:
        """The ladder of an event, if there is one."""
        return self.by_event.get(event)

    def of_case(self, kind: CaseKind) -> Ladder:
        """The ladder that clients climb who wait for this."""
        return self.by_event[_OF_CASE[kind]]


_OF_CASE = {CaseKind.CALL: LadderEvent.CALL_MISSED, CaseKind.MESSAGE: LadderEvent.MESSAGE_UNANSWERED}
_BUILT_IN = {
    LadderEvent.CALL_MISSED: Ladder(LadderEvent.CALL_MISSED, BUILT_IN_STEPS),
    LadderEvent.MESSAGE_UNANSWERED: Ladder(LadderEvent.MESSAGE_UNANSWERED, BUILT_IN_STEPS),
    LadderEvent.TASK_OVERDUE: Ladder(LadderEvent.TASK_OVERDUE, BUILT_IN_TASK_STEPS),
}
