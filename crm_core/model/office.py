"""The office as configured: its accounts, lines, special lists and ladders. What people do is in `user.Staff`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from crm_core.model.answers import NO_ANSWERS, Answers
from crm_core.model.calendar import ALWAYS, WorkingHours
from crm_core.model.callback import RobotRules
from crm_core.model.channel import ChannelKey
from crm_core.model.ladder import Ladders
from crm_core.model.line import Group, Line
from crm_core.model.policy import AccountPolicy
from crm_core.model.user import Staff, User

__all__ = ["Line", "ListAction", "Office", "SpecialList", "WebhookTarget"]


class ListAction(StrEnum):
    """What a special list does with a client's facts; `no_lead` only opens no lead."""

    REJECT = "reject"
    ROUTE = "route"
    NO_LEAD = "no_lead"


@dataclass(frozen=True, slots=True)
class SpecialList:
    """A special list; `to` is the endpoint of `route`."""

    name: str
    action: ListAction
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Office:
    """Everything configured that decides what a fact changes.

    `dial` maps a PBX to the pattern that makes an endpoint of a bare extension. `staff_channel` tells staff by
    messenger, `mail_channel` by mail; None where there is none. `default_pipeline` takes deals of accounts without
    leads that name no pipeline of their own. `outward` are the PBXs through which clients can be dialled,
    `recorded` those whose recordings are looked for. `answers` holds the accounts that say something by themselves;
    `leave_link` makes the address by which a client leaves mailings.
    """

    region: str = "RU"
    language: str = "ru"
    time_zone: str = "Europe/Moscow"
    public_url: str = ""
    policies: dict[ChannelKey, AccountPolicy] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    lists: dict[str, SpecialList] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    calendars: dict[str, WorkingHours] = field(default_factory=dict)
    ladders: Ladders = field(default_factory=lambda: Ladders.of(()))
    short_abandon: timedelta = timedelta(seconds=3)
    dial: dict[str, str] = field(default_factory=dict)
    staff_channel: ChannelKey | None = None
    mail_channel: ChannelKey | None = None
    webhooks: tuple[WebhookTarget, ...] = ()
    outward: tuple[str, ...] = ()
    recorded: frozenset[str] = frozenset()
    robot: RobotRules = field(default_factory=RobotRules)
    _by_number: dict[str, tuple[Line, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    naming: frozenset[str] = frozenset()
    answers: dict[ChannelKey, Answers] = field(default_factory=dict)
    webhook_private: bool = False
    leave_link: Callable[[int], str] | None = field(default=None, repr=False, compare=False)

    def answers_of(self, key: ChannelKey) -> Answers:
        """What an account says to clients by itself."""
        return self.answers.get(key, NO_ANSWERS)

    def policy(self, key: ChannelKey) -> AccountPolicy:
        """The intake policy of an account."""
        return self.policies.get(key, _PLAIN)

    def all_policies(self) -> tuple[AccountPolicy, ...]:
        """Every intake policy in force, of accounts and lines."""
        return (*self.policies.values(), *(line.policy for line in self.lines))

    def line(self, pbx: str, dialled: str) -> Line | None:
        """The configured line of a dialled number; digits decide, so that `8495…` and `+7495…` are one."""
        if not self._by_number and self.lines:
            self._by_number.update(_by_number(self.lines))
        for line in self._by_number.get(_tail(dialled) or dialled, ()):
            if line.pbx in {None, pbx}:
                return line
        return None

    def group(self, name: str) -> Group:
        """How a group is rung; a group that is not configured rings all at once."""
        return self.groups.get(name) or Group(name)

    def calendar(self, name: str | None) -> WorkingHours:
        """A calendar; one that never closes where none is named, or the name is not configured (any more)."""
        return self.calendars.get(name, ALWAYS) if name is not None else ALWAYS

    def hours_of(self, user: User) -> str | None:
        """The name of the calendar in which somebody works: their own, else their group's."""
        if user.hours is not None:
            return user.hours
        group = self.groups.get(user.group) if user.group is not None else None
        return group.hours if group is not None else None

    def works(self, user: User, at: datetime) -> bool:
        """Whether this is somebody's working time."""
        return self.calendar(self.hours_of(user)).is_open(at)

    def endpoint(self, user: User, pbx: str) -> str | None:
        """How a person is dialled on a PBX; None where they have no extension."""
        if not user.extension:
            return None
        if "/" in user.extension:
            return user.extension
        return self.dial.get(pbx, "PJSIP/{extension}").replace("{extension}", user.extension)

    def user_of_endpoint(self, staff: Staff, pbx: str, endpoint: str) -> User | None:
        """Whose telephone an endpoint is; in a call of one of `naming`, who is named."""
        if pbx in self.naming:
            return _called(staff, endpoint)
        for user in staff.by_login.values():
            if user.active and self.endpoint(user, pbx) == endpoint:
                return user
        return None


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """An outgoing webhook: where to, what signs it, which events."""

    url: str
    secret: str = field(repr=False)
    events: frozenset[str] = frozenset()


def _called(staff: Staff, name: str) -> User | None:
    """Who is meant: by extension, login, mail address, then by name, where only one person has it."""
    wanted = _folded(name)
    people = [user for user in staff.by_login.values() if user.active] if wanted else []
    ways: tuple[Callable[[User], str | None], ...] = (
        lambda user: user.extension,
        lambda user: user.extension and user.extension.rpartition("/")[2],
        lambda user: user.login,
        lambda user: user.email,
        lambda user: user.name,
    )
    for way in ways:
        found = [user for user in people if (known := way(user)) and _folded(known) == wanted]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


_PLAIN = AccountPolicy()
_LOCAL_DIGITS = 10


def _tail(number: str) -> str:
    digits = "".join(char for char in number if char.isdigit())
    return digits[-_LOCAL_DIGITS:] if len(digits) >= _LOCAL_DIGITS else digits


def _by_number(lines: tuple[Line, ...]) -> dict[str, tuple[Line, ...]]:
    """Lines by the end of their number; by the whole of it where it has no digits."""
    found: dict[str, tuple[Line, ...]] = {}
    for line in lines:
        key = _tail(line.number) or line.number
        found[key] = (*found.get(key, ()), line)
    return found
