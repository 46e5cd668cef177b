"""What one person may do, and which cards they see: worked out of their role, the catalogue and the staff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from crm_core.errors import Forbidden
from crm_core.model.definitions import Catalogue, RoleBody, Section
from crm_core.model.rights import CONFIGURABLE, REACHING, TABLE, Reach, Right
from crm_core.model.user import Role, Staff, User
from crm_core.wording import Sentence

__all__ = [
    "CONFIGURABLE",
    "REACHING",
    "TABLE",
    "Access",
    "People",
    "Reach",
    "Right",
    "Sight",
    "demand",
    "reaches_of",
]


class Card(Protocol):
    """What of a card decides who sees it."""

    @property
    def pipeline_id(self) -> int:
        """Where it stands."""

    @property
    def manager(self) -> str | None:
        """Whose it is; None: nobody's."""


@dataclass(frozen=True, slots=True)
class People:
    """Whose records count as somebody's own (theirs, and those of people whose deputy they are), and whose as their
    group's, which are also the own ones."""

    login: str
    own: frozenset[str]
    group: frozenset[str]

    @classmethod
    def of(cls, user: User, staff: Staff) -> People:
        """Those of one person; of a group also people who left count, for their records are still there."""
        own = {user.login, *(each.login for each in staff.by_login.values() if each.deputy == user.login)}
        of_group = {each.login for each in staff.by_login.values() if user.group and each.group == user.group}
        return cls(user.login, frozenset(own), frozenset(own | of_group))

    def within(self, reach: Reach, login: str | None) -> bool:
        """Whether what is a person's (None: nobody's) is within a reach: what is nobody's is the group's too."""
        match reach:
            case Reach.ALL:
                return True
            case Reach.GROUP:
                return login is None or login in self.group
            case Reach.OWN:
                return login in self.own
            case Reach.NONE:
                return False


@dataclass(frozen=True, slots=True)
class Sight:
    """Which cards somebody sees, by pipeline (ids): of `none` no card, of `own` their own, of `group` those of their
    group's people and nobody's, of `all` every one. `crm_core.storage.queries.seeing` says the same in SQL."""

    people: People
    none: frozenset[int] = frozenset()
    own: frozenset[int] = frozenset()
    group: frozenset[int] = frozenset()
    all: frozenset[int] = frozenset()

    @classmethod
    def of(cls, user: User, catalogue: Catalogue, people: People) -> Sight:
        """What one person sees of the pipelines there are, the archived too."""
        by_reach: dict[Reach, set[int]] = {reach: set() for reach in Reach}
        for pipeline in catalogue.pipelines:
            by_reach[pipeline.reach(user)].add(pipeline.id)
        none, own, group, whole = (frozenset(by_reach[reach]) for reach in Reach)
        return cls(people, none, own, group, whole)

    @property
    def everything(self) -> bool:
        """Whether nothing is hidden."""
        return not (self.none or self.own or self.group)

    def reach(self, pipeline_id: int) -> Reach:
        """How much of a pipeline is seen."""
        for reach, ids in ((Reach.NONE, self.none), (Reach.OWN, self.own), (Reach.GROUP, self.group)):
            if pipeline_id in ids:
                return reach
        return Reach.ALL

    def sees(self, card: Card) -> bool:
        """Whether somebody sees a card."""
        return self.people.within(self.reach(card.pipeline_id), card.manager)


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody may do; made anew for every request and transaction."""

    user: User
    people: People
    sight: Sight
    reaches: Mapping[Right, Reach]

    @classmethod
    def of(cls, user: User, catalogue: Catalogue, staff: Staff) -> Access:
        """The access of a person as things are configured now; a disabled one may nothing."""
        people = People.of(user, staff)
        reaches = reaches_of(user.role, catalogue) if user.active else dict.fromkeys(Right, Reach.NONE)
        return cls(user, people, Sight.of(user, catalogue, people), reaches)

    @property
    def login(self) -> str:
        """Whose access this is."""
        return self.user.login

    def reach(self, right: Right) -> Reach:
        """Of whose records somebody may do this."""
        return self.reaches[right]

    def may(self, right: Right) -> bool:
        """Whether somebody may do this at all, if only with their own."""
        return self.reaches[right] is not Reach.NONE

    def within(self, right: Right, login: str | None) -> bool:
        """Whether somebody may do this with what is a person's; None: nobody's."""
        return self.people.within(self.reaches[right], login)

    def covers(self, right: Right, other: Right) -> bool:
        """Whether somebody may do one thing with the records of everybody with whose they may do another."""
        return self.reaches[right].covers(self.reaches[other])

    def demand(self, right: Right) -> None:
        """Raise Forbidden where somebody may not do this at all."""
        if not self.may(right):
            raise Forbidden("the role «{role}» may not {right}", role=self.user.role, right=right)

    def demand_of_others(self, right: Right, login: str) -> None:
        """Raise Forbidden where somebody may not do this with what is somebody else's; with their own they may."""
        if self.login != login:
            self.demand(right)

    def demand_of(self, right: Right, login: str | None) -> None:
        """Raise Forbidden where somebody may not do this with what is a person's (None: nobody's)."""
        self.demand(right)
        if not self.within(right, login):
            whose = Sentence("their own") if self.reaches[right] is Reach.OWN else Sentence("their group's")
            raise Forbidden(
                "the role «{role}» may {right} only where they are {whose}",
                role=self.user.role,
                right=right,
                whose=whose,
            )


def demand(access: Access | None, right: Right) -> None:
    """Raise Forbidden where whoever asks may not do this at all; None: the hub itself, which may everything."""
    if access is not None:
        access.demand(right)


def reaches_of(role: Role, catalogue: Catalogue) -> Mapping[Right, Reach]:
    """What a role may do as configured; administrators keep all, so that nobody locks the office out."""
    usual = {right: TABLE[right][role] for right in Right}
    body = catalogue.body(Section.ROLE, role.value, RoleBody) if role is not Role.ADMIN else None
    return {**usual, **body.reaches()} if body is not None else usual
