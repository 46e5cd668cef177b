"""The forms of pipelines and their stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from crm_core.model.definitions.base import Body, Colour, Delay, Expression, Line, Name, Slug
from crm_core.model.records import PipelineRecord, StageKind, StageRecord
from crm_core.model.rights import Reach
from crm_core.model.user import Role, User
from crm_core.wording import Sentence

# More are allowed, with a warning: nobody oversees them.
ADVISED_STAGES = 15
_LEADING = frozenset({Role.ADMIN, Role.DIRECTOR, Role.HEAD})


class StageTask(Body):
    """A task that is given when a card enters the stage. `assignee` is `owner` (of the stage), `manager` (of the card),
    `head`, `controller`, `director` or a login; it is due after `delay`, counted in `hours` (a calendar's name, plain
    time where none is named), or has no deadline where that is null. With `lapses` it is cancelled when the card leaves
    the stage."""

    title: Name
    assignee: Name = "owner"
    delay: Delay | None = None
    hours: Name | None = None
    text: Line = ""
    kind: Line = ""
    checklist: Annotated[list[Line], Field(max_length=50)] = []
    lapses: bool = False


class StageSettings(Body):
    """What a stage asks for and shows.

    `owner` is the login of whoever is responsible for cards here; `enter_when` an expression over a card: where it
    holds, a card of an earlier stage moves here by itself; `deadline` how long a card may stay, counted in `hours` (a
    calendar's name, plain time where none is named); `probability` in per cent; `key` marks the stage at which the
    client really decides; `required` are the keys of fields without which no card enters this stage or a later one;
    `tasks` are given to people when a card enters.
    """

    goal: Line = ""
    criteria: Line = ""
    owner: Name | None = None
    enter_when: Expression = ""
    checklist: Annotated[list[Line], Field(max_length=50)] = []
    colour: Colour = ""
    deadline: Delay | None = None
    hours: Name | None = None
    probability: Annotated[int, Field(ge=0, le=100)] | None = None
    key: bool = False
    required: Annotated[list[Slug], Field(max_length=200)] = []
    forward_only: bool = False
    tasks: Annotated[list[StageTask], Field(max_length=20)] = []


class PipelineSettings(Body):
    """Who works with a pipeline, and how. It is for the people of `roles` and those of `groups`, for everybody where
    both are empty, and for administrators, directors and heads always; `reach` says by role whose cards its people see
    here: `own`, `group` (those of their group's people and nobody's) or `all`, which is the usual; `loss_reasons` are
    those to choose from, any text where there are none; `dial_list` says that its cards are numbers to be dialled one
    after another; `revenue` whether its won cards count as revenue."""

    goal: Line = ""
    colour: Colour = ""
    roles: Annotated[list[Name], Field(max_length=20)] = []
    groups: Annotated[list[Name], Field(max_length=100)] = []
    reach: dict[Role, Literal[Reach.OWN, Reach.GROUP, Reach.ALL]] = {}
    loss_reasons: Annotated[list[Name], Field(max_length=200)] = []
    forward_only: bool = False
    dial_list: bool = False
    revenue: bool = True

    @field_validator("reach", mode="before")
    @classmethod
    def _some_cards(cls, given: Any) -> Any:
        """Who is to see none of the cards does not work with the pipeline, and that is said elsewhere."""
        if isinstance(given, Mapping):
            for role, reach in given.items():
                if reach == Reach.NONE:
                    raise ValueError(
                        Sentence(
                            "reach.{role}: «none» can't be said here: name those who work with the pipeline in «roles» "
                            "or «groups» and leave the role out",
                            role=str(role),
                        )
                    )
        return given


_RESTRICTING = frozenset({"roles", "groups", "reach"})


def readable(settings: Any) -> tuple[PipelineSettings, ValidationError | None]:
    """What can be read of the settings that a record has, and what is wrong with the rest. Where it can't be read for
    whom a pipeline is, it is for those who lead alone: what was hidden is never shown by mistake."""
    try:
        return PipelineSettings.model_validate(settings), None
    except ValidationError as err:
        wrong = {str(each["loc"][0]) for each in err.errors(include_url=False, include_input=False) if each["loc"]}
        known = {key: value for key, value in settings.items() if key not in wrong} if wrong else {}
        found = PipelineSettings.model_validate(known)
        shut = not wrong or wrong & _RESTRICTING
        return found.model_copy(update={"roles": [Role.ADMIN.value], "groups": []}) if shut else found, err


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as it is worked with."""

    record: StageRecord
    settings: StageSettings

    @property
    def id(self) -> int:
        """The stage's id."""
        return self.record.id

    @property
    def name(self) -> str:
        """The stage's name."""
        return self.record.name

    @property
    def open(self) -> bool:
        """Whether cards here are neither won nor lost."""
        return self.record.kind is StageKind.OPEN


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline as it is worked with, its stages in order, also the archived ones."""

    record: PipelineRecord
    settings: PipelineSettings
    stages: tuple[Stage, ...] = field(default=())

    @property
    def id(self) -> int:
        """The pipeline's id."""
        return self.record.id

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.record.name

    def stage(self, named: str) -> Stage | None:
        """The stage of that name that takes cards."""
        return next((each for each in self.stages if each.name == named and not each.record.archived), None)

    @property
    def first(self) -> Stage | None:
        """Where cards begin."""
        return next((each for each in self.stages if not each.record.archived), None)

    @property
    def in_use(self) -> tuple[Stage, ...]:
        """The stages that take cards, in order."""
        return tuple(each for each in self.stages if not each.record.archived)

    def place(self, stage_id: int) -> int:
        """How far a stage stands from the beginning, also an archived one; -1 for a stage of another pipeline."""
        return next((index for index, each in enumerate(self.stages) if each.id == stage_id), -1)

    def admits(self, user: User | None) -> bool:
        """Whether somebody sees and works with this pipeline: those who lead do always, else people of the named roles
        and groups; everybody where none are named."""
        roles, groups = self.settings.roles, self.settings.groups
        if not roles and not groups:
            return True
        if user is None:
            return False
        return user.role in _LEADING or user.role.value in roles or (user.group is not None and user.group in groups)

    def reach(self, user: User | None) -> Reach:
        """Whose cards somebody sees here: everybody's, where nothing else is said of their role; administrators see
        all, whatever is said."""
        if not self.admits(user):
            return Reach.NONE
        if user is None or user.role is Role.ADMIN:
            return Reach.ALL
        return self.settings.reach.get(user.role, Reach.ALL)
