"""The numbers clients dial, and what happens there: greeting, voice menu, night; and how a group is rung."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from crm_core.model.policy import AccountPolicy


class RingStrategy(StrEnum):
    """Who of a group is rung: all at once, or one person an attempt: in turn, whoever has not talked for longest,
    whoever has answered the fewest calls today."""

    ALL = "all"
    IN_TURN = "in_turn"
    LONGEST_IDLE = "longest_idle"
    LEAST_CALLS = "least_calls"


@dataclass(frozen=True, slots=True)
class Group:
    """How the people of a group are rung: `ring_s` seconds each attempt (None: as everybody), `hours` the calendar in
    which they work, where they have none of their own."""

    name: str
    strategy: RingStrategy = RingStrategy.ALL
    ring_s: int | None = None
    hours: str | None = None


class Goal(StrEnum):
    """Where a key of a menu or the night sends a call. `RING`: as by day. `MANAGER`: the caller's own, and on from
    there. The last three name somebody."""

    CALLBACK = "callback"
    REJECT = "reject"
    RING = "ring"
    MANAGER = "manager"
    GROUP = "group"
    USER = "user"
    ENDPOINT = "endpoint"


NAMED_GOALS = frozenset({Goal.GROUP, Goal.USER})


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call is sent; `name` is the group, the login or the endpoint, empty for the other goals."""

    goal: Goal
    name: str = ""

    def __str__(self) -> str:
        """As it is written in the configuration: `callback`, `group:sales`, `PJSIP/150`."""
        if self.goal is Goal.ENDPOINT:
            return self.name
        return f"{self.goal.value}:{self.name}" if self.name else self.goal.value


class Audience(StrEnum):
    """Whom a line speaks to: everybody, or only who has no personal manager."""

    STRANGERS = "strangers"
    ALL = "all"


class Anonymous(StrEnum):
    """What becomes of callers who hide their number. Nobody can ring them back, so that a callback is no choice."""

    RING = "ring"
    REJECT = "reject"


class Recorded(StrEnum):
    """Whether the conversations of a line are recorded: as the PBX does with all, always, never."""

    PBX = "pbx"
    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Menu:
    """A voice menu: the sound that is played, where each key leads, who hears it."""

    keys: tuple[tuple[str, Target], ...]
    sound: str = ""
    audience: Audience = Audience.STRANGERS

    @property
    def digits(self) -> str:
        """All keys, one character each."""
        return "".join(key for key, _ in self.keys)

    def target(self, key: str) -> Target | None:
        """Where a key leads."""
        return next((target for each, target in self.keys if each == key), None)


AT_NIGHT = Target(Goal.CALLBACK)


@dataclass(frozen=True, slots=True)
class Line:
    """A number that clients dial, E.164 where it is one, else as dialled; `pbx` None where every PBX may bring it.

    `hours` names the calendar outside of which `night` decides (None: always open). Sounds are names of Asterisk's, or
    several joined by `&`. `greeting` is played before anybody rings. `record`: whether
    conversations are recorded, None: as the PBX does.
    `silence`: administrators are told when the line is silent for unusually long.
    """

    number: str
    pbx: str | None
    policy: AccountPolicy
    hours: str | None = None
    greeting: str = ""
    menu: Menu | None = None
    night: Target = AT_NIGHT
    night_sound: str = ""
    anonymous: Anonymous = Anonymous.RING
    record: bool | None = None
    silence: bool = True
