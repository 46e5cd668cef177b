"""The form of rules: when something happens, if a condition holds, then this is done."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from crm_core.model.definitions.base import Body, Delay, Expression, Line, Name, Slug, Text
from crm_core.model.expressions import compiled
from crm_core.model.patterns import pattern
from crm_core.wording import Sentence


class Event(StrEnum):
    """When a rule looks. The first ones are facts of a client's timeline, then changes of a record, then time.

    `written` is any of message, mail and form; `reached` a conversation, or a person's answer.
    """

    MESSAGE_IN = "message_in"
    MESSAGE_OUT = "message_out"
    MAIL_IN = "mail_in"
    MAIL_OUT = "mail_out"
    FORM = "form"
    WRITTEN = "written"
    CALL_IN = "call_in"
    CALL_OUT = "call_out"
    CALL_MISSED = "call_missed"
    CALL_ANSWERED = "call_answered"
    CALL_UNANSWERED = "call_unanswered"
    REACHED = "reached"
    DELIVERY_FAILED = "delivery_failed"
    CREATED = "created"
    STAGE_ENTERED = "stage_entered"
    STAGE_LEFT = "stage_left"
    CHANGED = "changed"
    TAG_ADDED = "tag_added"
    IN_STAGE = "in_stage"
    SILENCE = "silence"
    DATE = "date"
    SCHEDULE = "schedule"


FACTS = frozenset(
    {
        *(Event.MESSAGE_IN, Event.MESSAGE_OUT, Event.MAIL_IN, Event.MAIL_OUT, Event.FORM, Event.WRITTEN),
        *(Event.CALL_IN, Event.CALL_OUT, Event.CALL_MISSED, Event.CALL_ANSWERED, Event.CALL_UNANSWERED),
        *(Event.REACHED, Event.DELIVERY_FAILED),
    }
)
TIMED = frozenset({Event.IN_STAGE, Event.SILENCE, Event.DATE})
_OF_STAGES = frozenset({Event.STAGE_ENTERED, Event.STAGE_LEFT, Event.IN_STAGE})
# Records that are no cards; any other kind is one of a pipeline.
PLAIN_KINDS = frozenset({"contact", "company", "lead", "task", "product", "payment"})


class Every(StrEnum):
    """How often a schedule comes."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def _listed(value: object) -> object:
    return value if isinstance(value, list) or value is None else [value]


def _moment(value: str) -> str:
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", value):
        raise ValueError(Sentence('«{value}» is no time of day: write "09:00"', value=value[:20]))
    return value.rjust(5, "0")


def _compiles(value: str) -> str:
    if value:
        compiled(value)
    return value


def _matches(value: str) -> str:
    if value:
        pattern(value)
    return value


Names = Annotated[list[Name], BeforeValidator(_listed), Field(max_length=200)]
Moment = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_moment)]
Condition = Annotated[Expression, AfterValidator(_compiles)]
# The record's `manager`, the `responsible` of its stage, a role (`head`, `director` …), `group:name`, `field:key` of
# the record that names a person, or a login.
Who = Name
# A text filled in by Liquid: «Позвонить: {{ contact.name }}».
Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class When(Body):
    """What a rule waits for.

    `pipelines` and `stages` narrow a card's events; `field` is the column or `fields.key` that is `changed` (`to` a
    value, where given) or holds the `date`; `tags` are those of `tag_added`. `after` is the time in the stage, or
    since the client was last reached (of `hours`, a calendar, where named), or after the date; `before` before it; `at`
    the hour of that day, or of the schedule, which comes `every` day, week (on `weekdays`, 1 is Monday) or month (on
    `days`; one that the month has not is its last) for the records of a `segment` or `filter`, all where none is named.
    """

    event: Event
    pipelines: Names = []
    stages: Names = []
    field: Line = ""
    to: Any = None
    tags: Names = []
    after: Delay | None = None
    before: Delay | None = None
    hours: Name | None = None
    at: Moment | None = None
    every: Every | None = None
    weekdays: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(max_length=7)] = []
    days: Annotated[list[Annotated[int, Field(ge=1, le=31)]], Field(max_length=31)] = []
    segment: Name | None = None
    filter: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        event = self.event
        if event in {Event.CHANGED, Event.DATE} and not self.field:
            raise ValueError(Sentence("field: «{event}» needs to know which, e.g. «fields.until»", event=event.value))
        if event in {Event.IN_STAGE, Event.SILENCE} and self.after is None:
            raise ValueError(Sentence("after: «{event}» needs to know how long, e.g. «24h»", event=event.value))
        if event in {Event.IN_STAGE, Event.SILENCE} and self.after == timedelta(0):
            raise ValueError(Sentence("after: longer than nothing; what is due at once is «stage_entered»"))
        if event is Event.SILENCE and self.after is not None and self.after < timedelta(minutes=1):
            raise ValueError(Sentence("after: a minute at least"))
        if event is Event.SCHEDULE and (self.every is None or self.at is None):
            raise ValueError(Sentence("every, at: a schedule comes every day, week or month at an hour, e.g. «09:00»"))
        if event is Event.DATE and self.after is not None and self.before is not None:
            raise ValueError(Sentence("after, before: give one of the two"))
        if self.segment is not None and self.filter is not None:
            raise ValueError(Sentence("segment, filter: give one of the two"))
        for name in ("before", "every", "segment", "filter"):
            allowed = {Event.DATE} if name == "before" else {Event.SCHEDULE}
            if getattr(self, name) is not None and event not in allowed:
                raise ValueError(Sentence("{name}: «{event}» knows nothing of it", name=name, event=event.value))
        if self.after is not None and event not in TIMED:
            raise ValueError(
                Sentence(
                    "after: «{event}» happens at once; for later take in_stage, silence or date", event=event.value
                )
            )
        return self


class Only(Body):
    """Conditions that need no expression; all that are given must hold, of a list any value.

    `sources`, `channels`, `accounts` and `utm` are those of the fact, else of the record; `words` (whole ones; «курс*»
    begins so) and `pattern` (a regular expression, RE2) are looked for in the text of the fact, else in the record's
    title and texts; `hours` is a calendar in which it must be now (with `outside` in which it must not);
    `load_below` and `load_from` compare how many open leads the record's manager has.
    """

    pipelines: Names = []
    stages: Names = []
    sources: Names = []
    channels: Names = []
    accounts: Names = []
    utm: dict[Literal["source", "medium", "campaign", "content", "term"], Names] = {}
    words: Names = []
    pattern: Annotated[Line, AfterValidator(_matches)] = ""
    tags: Names = []
    without_tags: Names = []
    managers: Names = []
    hours: Name | None = None
    outside: bool = False
    load_below: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    load_from: Annotated[int, Field(ge=0, le=1_000_000)] | None = None


class Tag(Body):
    """Add tags, or take them off with `untag`."""

    do: Literal["tag", "untag"]
    tags: Annotated[Names, Field(min_length=1)]


class SetField(Body):
    """Give a column or a field a `value`, or what an `expression` gives; with `empty` only where nothing stands there.
    Without either the value is taken away."""

    do: Literal["set"]
    field: Name
    value: Any = None
    expression: Condition = ""
    empty: bool = False


class MakeTask(Body):
    """Give somebody a task, to be done within `due` (of `hours`, a calendar, where named)."""

    do: Literal["task"]
    title: Filled
    text: Text = ""
    to: Who = "manager"
    due: Delay | None = None
    hours: Name | None = None
    kind: Line = ""
    checklist: Annotated[list[Line], Field(max_length=50)] = []


class CloseTasks(Body):
    """Close the open tasks of a lead, a card or a client with a `result`: those of a `kind` where one is named."""

    do: Literal["close_tasks"]
    result: Filled
    kind: Line = ""


class Move(Body):
    """Move the card to a stage, of another `pipeline` where one is named."""

    do: Literal["move"]
    stage: Name | None = None
    pipeline: Name | None = None
    reason: Line = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.stage is None and self.pipeline is None:
            raise ValueError(Sentence("stage: where is the card to go?"))
        return self


class Copy(Body):
    """Copy the card to a pipeline; it knows its source. `items` copies its lines too; with `debt` the copy's amount is
    what is still to be paid, and the open instalments go over to it."""

    do: Literal["copy"]
    pipeline: Name
    stage: Name | None = None
    items: bool = False
    debt: bool = False


class Assign(Body):
    """Give the record to a login, or to whoever of a group has least new work; with `empty` only where it is
    nobody's."""

    do: Literal["assign"]
    login: Name | None = None
    group: Name | None = None
    empty: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.login is None) == (self.group is None):
            raise ValueError(Sentence("login, group: give one of the two"))
        return self


class Send(Body):
    """Write to the client by a template: where they wrote last, or by the first of `channels` that reaches them. Never
    at night, never to whoever wants none or stands on a special list."""

    do: Literal["message"]
    template: Name
    channels: Annotated[list[Slug], Field(max_length=20)] = []


class Notify(Body):
    """Tell people of the office."""

    do: Literal["notify"]
    text: Filled
    to: Annotated[list[Who], BeforeValidator(_listed), Field(min_length=1, max_length=50)] = ["manager"]


class RingBack(Body):
    """Let the callback robot ring the client and their manager, after a while."""

    do: Literal["callback"]
    after: Delay = timedelta(0)


class Emit(Body):
    """Tell outgoing webhooks of an event of this name; `data` are texts filled in by Liquid."""

    do: Literal["webhook"]
    event: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,100}$")]
    data: Annotated[dict[Slug, Annotated[str, StringConstraints(max_length=2000)]], Field(max_length=50)] = {}


class StartChain(Body):
    """Begin a chain of messages, unless it runs for this client."""

    do: Literal["start_chain"]
    chain: Name


class StopChain(Body):
    """End a chain of messages to this client, all of them where none is named."""

    do: Literal["stop_chain"]
    chain: Name | None = None


class Create(Body):
    """Open a card for the client: a deal, or a record of the pipeline's type; `fields` are texts filled in by Liquid.
    With `unless_open` only where the client has no open card in that pipeline."""

    do: Literal["create"]
    pipeline: Name
    stage: Name | None = None
    title: Filled = "{{ contact.name }}"
    fields: Annotated[dict[Slug, Annotated[str, StringConstraints(max_length=2000)]], Field(max_length=200)] = {}
    unless_open: bool = False


Action = Annotated[
    Tag
    | SetField
    | MakeTask
    | CloseTasks
    | Move
    | Copy
    | Assign
    | Send
    | Notify
    | RingBack
    | Emit
    | StartChain
    | StopChain
    | Create,
    Field(discriminator="do"),
]


class RuleBody(Body):
    """A rule about records of one kind: `when` one of these happens, and `only` those and the `condition` (CEL) hold,
    `then` this is done, in order. `on` is `deal`, `lead`, `contact`, `company`, `task`, or a custom type.

    `once` lets it act once a record for ever, `per_hour` so often a record and hour. `enabled` puts it to rest.
    """

    on: Slug = "deal"
    when: Annotated[list[When], BeforeValidator(_listed), Field(min_length=1, max_length=20)]
    only: Only = Only()
    condition: Condition = ""
    then: Annotated[list[Action], BeforeValidator(_listed), Field(min_length=1, max_length=30)]
    help: Line = ""
    once: bool = False
    per_hour: Annotated[int, Field(ge=1, le=1000)] | None = None
    enabled: bool = True

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.on in PLAIN_KINDS:
            if any(each.event in _OF_STAGES or each.pipelines or each.stages for each in self.when):
                raise ValueError(Sentence("when: a {on} stands on no stage, only cards do", on=self.on))
            if self.only.pipelines or self.only.stages:
                raise ValueError(Sentence("only: a {on} stands on no stage, only cards do", on=self.on))
            moving = next((each.do for each in self.then if isinstance(each, Move | Copy)), None)
            if moving is not None:
                raise ValueError(Sentence("then: «{moving}» is for cards, not for a {on}", moving=moving, on=self.on))
        return self
