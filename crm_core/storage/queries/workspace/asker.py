"""Who looks at the workspace, with what: whose work they see, what is today for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from crm_core.model.access import Access, Reach, Right, Sight
from crm_core.model.definitions import Catalogue
from crm_core.model.office import Office
from crm_core.model.user import Staff, User


class Whose(StrEnum):
    """Whose work is wanted: one's own, that of one's group, everybody's. Nobody sees more than they may."""

    MINE = "mine"
    GROUP = "group"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who looks, and all that a query needs to know besides: the staff, what is configured, the moment."""

    access: Access
    staff: Staff
    catalogue: Catalogue
    office: Office
    now: datetime

    @property
    def user(self) -> User:
        """Who looks."""
        return self.access.user

    @property
    def login(self) -> str:
        """Their login."""
        return self.access.login

    @property
    def sight(self) -> Sight:
        """Which cards they see."""
        return self.access.sight

    @property
    def reach(self) -> Reach:
        """Whose work they oversee: whoever sees somebody's figures sees also what that person has at hand."""
        return self.access.reach(Right.SEE_REPORTS)

    @property
    def everybody(self) -> bool:
        """Whether they oversee everybody."""
        return self.reach is Reach.ALL

    @property
    def zone(self) -> ZoneInfo:
        """The office's zone."""
        return ZoneInfo(self.office.time_zone)

    def midnight(self, days: int = 0) -> datetime:
        """When the office's day began, or begins so many days later."""
        day = self.now.astimezone(self.zone).date() + timedelta(days=days)
        return datetime.combine(day, time.min, self.zone)

    @property
    def own(self) -> frozenset[str]:
        """Those whose work is theirs today: themselves, and those who are away and whose deputy they are."""
        away = {
            each.login
            for each in self.staff.by_login.values()
            if each.deputy == self.login and not each.present(self.now)
        }
        return frozenset({self.login, *away})

    def logins(self, whose: Whose = Whose.EVERYBODY, group: str | None = None) -> frozenset[str] | None:
        """The people whose work is shown, of a group only where one is named; None where it is everybody's.

        Of a group also those count who left: their clients are still there.
        """
        if whose is Whose.MINE or self.reach in {Reach.NONE, Reach.OWN}:
            return self.own
        if whose is Whose.GROUP and group is None:
            group = self.user.group
        wanted = {each.login for each in self.staff.by_login.values() if each.group == group} if group else None
        if self.everybody:
            return frozenset(wanted) if wanted is not None else None
        return self.access.people.group & wanted if wanted is not None else self.access.people.group
