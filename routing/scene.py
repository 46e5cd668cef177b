"""What a decision on a call follows from: the caller, the office, its people and telephones at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from crm_core.messages import RouteStage, Verdict
from crm_core.model.office import Office
from crm_core.model.user import Staff, User


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of a number: whose it is, who looks after them, the special list they stand on."""

    contact_id: int | None = None
    manager: str | None = None
    list_name: str | None = None


@dataclass(frozen=True, slots=True)
class DispatchRules:
    """The stages after the own manager, in order; how long each rings, in seconds; after how many attempts of one call
    nobody else is rung."""

    fallback: tuple[RouteStage, ...] = (
        RouteStage.DEPUTY,
        RouteStage.GROUP,
        RouteStage.DUTY,
        RouteStage.CALLBACK,
    )
    ring_s: int = 20
    most_attempts: int = 20


@dataclass(frozen=True, slots=True)
class Figures:
    """How much somebody talked: when their last conversation ended, how many calls they answered today."""

    last_talk: datetime | None = None
    answered: int = 0


class Telephones(Protocol):
    """The telephones of the asking PBX."""

    def passed_over(self, endpoint: str, at: datetime) -> Verdict | None:
        """Why a telephone may not ring; None where it may, or nothing is known of it."""

    def call_ended(self, endpoint: str) -> datetime | None:
        """When its last call ended, as far as its PBX told."""

    def offered(self, endpoint: str) -> bool:
        """Whether it was given a call just now, of which its PBX could not tell yet."""


class Roster:
    """The people of an office with what decisions ask of them again and again, worked out once."""

    def __init__(self, office: Office, staff: Staff) -> None:
        self.staff = staff
        self.duty = tuple(
            sorted((each for each in staff.by_login.values() if each.active and each.extension), key=_by_id)
        )
        self.hours = {user.login: office.hours_of(user) for user in staff.by_login.values()}
        self._office = office
        self._endpoints: dict[str, dict[str, str | None]] = {}

    def endpoints(self, pbx: str) -> Mapping[str, str | None]:
        """How each person is dialled on a PBX, by login; None for those without a telephone."""
        known = self._endpoints.get(pbx)
        if known is None:
            known = {user.login: self._office.endpoint(user, pbx) for user in self.staff.by_login.values()}
            if pbx in self._office.dial:  # others are not kept: their names may come from anywhere
                self._endpoints[pbx] = known
        return known


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment: the office, its people, what the telephones of the asking PBX do.

    `figures` are by login; `turns` names for a group the id of the person whose turn it was last.
    """

    office: Office
    roster: Roster
    rules: DispatchRules
    phones: Telephones
    at: datetime
    figures: Mapping[str, Figures] = field(default_factory=dict)
    turns: Mapping[str, int] = field(default_factory=dict)

    @property
    def staff(self) -> Staff:
        """Everybody."""
        return self.roster.staff


def _by_id(user: User) -> int:
    return user.id
