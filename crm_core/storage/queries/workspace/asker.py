"""Who looks at the workspace, with what: whose work they see, what is today for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from crm_core.model.definitions import Catalogue
from crm_core.model.office import Office
from crm_core.model.user import Role, Staff, User

_WATCHING = frozenset({Role.ADMIN, Role.DIRECTOR, Role.HEAD, Role.CONTROLLER})


class Whose(StrEnum):
    """Whose work is wanted: one's own, that of one's group, everybody's. Nobody sees more than they may."""

    MINE = "mine"
    GROUP = "group"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who looks, and all that a query needs to know besides: the staff, what is configured, the moment.

    `hidden` are the pipelines that they do not work with; `everybody` says that they see the work of all.
    """

    user: User
    staff: Staff
    catalogue: Catalogue
    office: Office
    now: datetime
    hidden: frozenset[int]
    everybody: bool

    @classmethod
    def of(cls, user: User, staff: Staff, catalogue: Catalogue, office: Office, now: datetime) -> Asker:
        """Somebody, with the rights of their role."""
        hidden = frozenset(each.id for each in catalogue.pipelines if not each.admits(user))
        return cls(user, staff, catalogue, office, now, hidden, user.active and user.role in _WATCHING)

    @property
    def login(self) -> str:
        """Who looks."""
        return self.user.login

    @property
    def zone(self) -> ZoneInfo:
        """The office's zone."""
        return ZoneInfo(self.office.time_zone)

    def midnight(self, days: int = 0) -> datetime:
        """When the office's day began, or begins so many days later."""
        day = self.now.astimezone(self.zone).date() + timedelta(days=days)
        return datetime.combine(day, time.min, self.zone)

    def logins(self, whose: Whose = Whose.EVERYBODY, group: str | None = None) -> frozenset[str] | None:
        """The people whose work is shown, of a group only where one is named; None where it is everybody's."""
        if not self.everybody or whose is Whose.MINE:
            return frozenset({self.login})
        if group is None and whose is Whose.GROUP:
            group = self.user.group
        if group is None:
            return None
        return frozenset(each.login for each in self.staff.members(group))
