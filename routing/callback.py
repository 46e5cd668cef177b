"""Whom a robot rings for a client who is to be rung back, and whether it may now. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from crm_core.messages import Verdict
from crm_core.model.callback import CallbackReason, permitted_at
from crm_core.model.line import Line
from crm_core.model.office import Office
from crm_core.model.records import CallbackRecord
from crm_core.model.user import Role, Staff, User

# What passes soon enough to be waited for; of who does not want to be rung, or can't, somebody else takes the place.
_PASSING = frozenset({Verdict.BUSY, Verdict.WRAP_UP})
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
    """What is known of the client now: who looks after them (their manager, else who took their case or has their
    lead), the group that their lead is for, their clock, whether they stand on a special list, whether they talk."""

    manager: str | None
    zone: ZoneInfo
    listed: bool
    talking: bool
    group: str | None = None


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
    if callback.reason is CallbackReason.TAKEN:
        return _own(_first(floor, callback.manager, client.manager), floor)
    line = floor.office.line(floor.pbx, callback.line) if callback.line else None
    manager = _first(floor, callback.manager, client.manager)
    there = [user for user in _stand_ins(manager, floor) if _there(user, line, floor)] if manager is not None else []
    for user in there:
        state = _state(user, floor)
        if state is None:
            return Ring(user)
        if state in _PASSING:
            return Later(Wait.PERSON, user=user)
    choice = _anybody(callback, line, _group_of(manager, client, line), floor)
    return choice if isinstance(choice, Ring) or not there else Later(Wait.PERSON, user=there[0])


def _own(manager: User | None, floor: Floor) -> Choice:
    """Whoever took the lead, and nobody else, at whatever hour they took it."""
    if manager is None or floor.endpoint(manager) is None:
        return Later(Wait.NOBODY)
    ready = manager.present(floor.at) and _state(manager, floor) is None
    return Ring(manager) if ready else Later(Wait.PERSON, user=manager)


def _anybody(callback: CallbackRecord, line: Line | None, group: str | None, floor: Floor) -> Choice:
    """One of the group, else of all managers; another one with every attempt."""
    people = floor.staff.members(group) if group is not None else floor.staff.with_role(Role.MANAGER)
    there = [user for user in people if _there(user, line, floor)]
    ready = [user for user in there if _state(user, floor) is None]
    if ready:
        return Ring(ready[(callback.id + callback.attempts) % len(ready)])
    return Later(Wait.PERSON, user=there[0]) if there else Later(Wait.NOBODY)


def _first(floor: Floor, *logins: str | None) -> User | None:
    found = (floor.staff.get(login) for login in logins)
    return next((user for user in found if user is not None and user.active), None)


def _group_of(manager: User | None, client: Client, line: Line | None) -> str | None:
    """Whose business the client is where their manager and who stands in are away."""
    of_line = line.policy.group if line is not None else None
    return (manager.group if manager is not None else None) or client.group or of_line


def _stand_ins(manager: User, floor: Floor) -> Iterator[User]:
    """The manager, the deputy, the deputy's deputy, each once."""
    seen: set[str] = set()
    current: User | None = manager
    while current is not None and current.login not in seen:
        seen.add(current.login)
        yield current
        current = floor.staff.get(current.deputy)


def _there(user: User, line: Line | None, floor: Floor) -> bool:
    """Whether somebody is at work now: in their own hours, else in those of their group, else of the line."""
    hours = floor.office.hours_of(user) or (line.hours if line is not None else None)
    at_work = floor.office.calendar(hours).is_open(floor.at)
    return at_work and user.present(floor.at) and floor.endpoint(user) is not None


def _state(user: User, floor: Floor) -> Verdict | None:
    """Why somebody can't be rung now, None where they can."""
    endpoint = floor.endpoint(user)
    if endpoint is None:
        return Verdict.NO_EXTENSION
    return Verdict.DO_NOT_DISTURB if user.do_not_disturb else floor.telephones(floor.pbx, endpoint)
