"""The forms of what decides about calls and unanswered clients: ladders, special lists, calendars, groups, lines.

They are written as in hub.toml, whose tables win over those of the same name here.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from crm_core.model.definitions.base import Body, Delay, Line, Name
from crm_core.model.ladder import LadderEvent, Told
from crm_core.model.line import Anonymous, Audience, Recorded, RingStrategy
from crm_core.model.office import ListAction
from crm_core.wording import Sentence

Short = Annotated[Line, Field(max_length=500)]


class StepBody(Body):
    """A rung: how long after the beginning, in the ladder's hours, and who is told."""

    after: Delay
    tell: Annotated[list[Told], Field(min_length=1, max_length=10)]


class LadderBody(Body):
    """Who is told when nobody answered; the definition's name is the event. `hours` names a calendar."""

    on: LadderEvent
    steps: Annotated[list[StepBody], Field(min_length=1, max_length=50)]
    hours: Name = "any"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if any(later.after < earlier.after for earlier, later in zip(self.steps, self.steps[1:], strict=False)):
            raise ValueError(Sentence("steps: put them in order of time"))
        return self


class ListBody(Body):
    """A special list; `to` is where calls go with action `route`."""

    action: ListAction
    to: Line | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.action is ListAction.ROUTE) != (self.to is not None):
            raise ValueError(Sentence('to: action "route" needs one, like "PJSIP/150", and no other action has one'))
        return self


class HoursBody(Body):
    """A calendar: openings by days («mon-fri = "09:00-18:00"»), days off by country or date."""

    days: Annotated[dict[Name, Line], Field(min_length=1, max_length=7)]
    holidays: Line | Annotated[list[Line], Field(max_length=400)] | None = None
    time_zone: Name | None = None


class GroupBody(Body):
    """How a group of people is rung, and when it works."""

    strategy: RingStrategy = RingStrategy.ALL
    ring_s: Annotated[int, Field(ge=1, le=600)] | None = None
    hours: Name | None = None


class LineBody(Body):
    """A number that clients dial and what becomes of its calls; the definition's name is the number. `menu` are keys
    and where they lead: `callback`, `reject`, `manager`, `group:NAME`, `user:LOGIN`, a telephone such as `PJSIP/150`;
    `night` says the same for the time outside of `hours`."""

    number: Name
    pbx: Name | None = None
    source: Name | None = None
    group: Name | None = None
    hours: Name | None = None
    night: Name = "callback"
    night_sound: Short = ""
    greeting: Short = ""
    menu: Annotated[dict[Name, Name], Field(max_length=20)] = {}
    menu_sound: Short = ""
    menu_for: Audience = Audience.STRANGERS
    anonymous: Anonymous = Anonymous.RING
    record: Recorded = Recorded.PBX
    enquiry: bool = False
    leads: bool = True
    pipeline: Name | None = None
    silence: bool = True
