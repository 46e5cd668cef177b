"""Ladders: who is told, and when, as long as nobody has truly answered a client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crm_core.model.calendar import ALWAYS, WorkingHours


class LadderEvent(StrEnum):
    """What sets a ladder up."""

    CALL_MISSED = "call.missed"
    MESSAGE_UNANSWERED = "message.unanswered"
    LEAD_UNTOUCHED = "lead.untouched"
    DEAL_OVERDUE = "deal.overdue"


class Told(StrEnum):
    """Whom a rung tells, seen from the client: their manager, that manager's deputy or controller, or a role."""

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


@dataclass(frozen=True, slots=True)
class Ladders:
    """The ladders in force, at most one an event; unanswered clients always have one."""

    by_event: dict[LadderEvent, Ladder]

    @classmethod
    def of(cls, configured: tuple[Ladder, ...]) -> Ladders:
        """The configured ladders over the built-in ones for calls and messages."""
        built_in = {
            event: Ladder(event, BUILT_IN_STEPS) for event in (LadderEvent.CALL_MISSED, LadderEvent.MESSAGE_UNANSWERED)
        }
        return cls(built_in | {ladder.on: ladder for ladder in configured})

    def get(self, event: LadderEvent) -> Ladder | None:
        """The ladder of an event, if there is one."""
        return self.by_event.get(event)
