"""Whom a robot rings for a client who is to be rung back, and whether it may now. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from crm_core.messages import Verdict
from crm_core.model.callback import CallbackReason, permitted_at
from crm_core.model.office import Office
from crm_core.model.records import CallbackRecord
from crm_core.model.user import Role, Staff, User

# What a PBX says of a telephone: None where it may be rung.
Telephones = Callable[[str, str], Verdict | None]


class Wait(StrEnum):
    """What a callback waits for."""

    HOURS = "hours"
    TALKING = "talking"
    PERSON = "person"
    NOBODY = "nobody"


class Stop(StrEnum):
    """Why a client is not rung back any more."""

    UNWANTED = "unwanted"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring this person now, then the client."""

    user: User


@dataclass(frozen=True, slots=True)
class Later:
    """Not now. `until` is when to look again, None for as soon as something changes; `user` who is waited for."""

    why: Wait
    until: datetime | None = None
    user: User | None = None


Choice = Ring | Later | Stop


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of the client: their manager, their clock, the special list they stand on, whether they talk."""

    manager: str | None
    zone: ZoneInfo
    listed: bool
    talking: bool


@dataclass(frozen=True, slots=True)
class Floor:
    """The office at one moment. `pbx` is the one through which the client is dialled."""

    office: Office
    staff: Staff
    pbx: str
    telephones: Telephones
    at: datetime

    def endpoint(self, user: User) -> str | None:
        """A person's telephone on this PBX."""
        return self.office.endpoint(user, self.pbx)


def choose(callback: CallbackRecord, client: Client, floor: Floor) -> Choice:
    """What to do about a callback that is due."""
    rules = floor.office.robot
    if not rules.wants(callback.reason):
        return Stop.UNWANTED
    if client.listed:
        return Stop.LISTED
    permitted = permitted_at(rules, client.zone, floor.at)
    if permitted > floor.at:
        return Later(Wait.HOURS, permitted)
    if client.talking:
        return Later(Wait.TALKING)
    people = candidates(callback, client, floor)
    ready = [user for user in people if _ready(user, floor)]
    if ready:
        # several wait for several: not all for the same one
        return Ring(ready[callback.id % len(ready)])
    return Later(Wait.PERSON, user=people[0]) if people else Later(Wait.NOBODY)


def candidates(callback: CallbackRecord, client: Client, floor: Floor) -> Sequence[User]:
    """Who may be rung for the client: their manager, while away the deputy; without one the line's group, else every
    manager. Who is absent or outside their hours is none, nor is who has no telephone."""
    named = (floor.staff.get(callback.manager), floor.staff.get(client.manager))
    manager = next((user for user in named if user is not None and user.active), None)
    if manager is not None:
        if callback.reason is CallbackReason.TAKEN:
            return (manager,) if floor.endpoint(manager) is not None else ()
        stand_in = _present(manager, floor)
        return (stand_in,) if stand_in is not None else ()
    line = floor.office.line(floor.pbx, callback.line) if callback.line else None
    group = line.policy.group if line is not None else None
    people = floor.staff.members(group) if group is not None else floor.staff.with_role(Role.MANAGER)
    return [user for user in people if _there(user, floor)]


def _present(manager: User, floor: Floor) -> User | None:
    """The manager, or whoever stands in while they are away."""
    seen: set[str] = set()
    current: User | None = manager
    while current is not None and current.login not in seen:
        if _there(current, floor):
            return current
        seen.add(current.login)
        current = floor.staff.get(current.deputy)
    return None


def _there(user: User, floor: Floor) -> bool:
    return user.present(floor.at) and floor.office.works(user, floor.at) and floor.endpoint(user) is not None


def _ready(user: User, floor: Floor) -> bool:
    endpoint = floor.endpoint(user)
    return (
        endpoint is not None
        and user.present(floor.at)
        and not user.do_not_disturb
        and floor.telephones(floor.pbx, endpoint) is None
    )
