"""The decisions that services ask for; `routing` implements them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from crm_core.model.ladder import Told
from crm_core.model.user import Staff, User


class Assigner(Protocol):
    """Who takes a new lead."""

    def assign(self, group: str | None, staff: Staff, loads: dict[str, Load], at: datetime) -> User | None:
        """The least loaded of the group's present people, longest without a new lead first; None if nobody is there.

        Without a group, everybody with the role manager shares.
        """


@dataclass(frozen=True, slots=True)
class Load:
    """How much of new work somebody has: open leads, and a number that grows with each assignment (0 never)."""

    open_leads: int = 0
    last_assigned: int = 0


class LadderPolicy(Protocol):
    """Who is told on a rung."""

    def recipients(self, tell: Sequence[Told], manager: User | None, staff: Staff, at: datetime) -> tuple[User, ...]:
        """Everybody the rung names, each once; an absent person's deputy is told too.

        Never empty while the office has anybody who may be told: without anyone named, heads, directors and
        administrators stand in.
        """


@dataclass(frozen=True, slots=True)
class Policies:
    """The decisions that services ask for, so that one transaction can hold their outcome."""

    assigner: Assigner
    ladder: LadderPolicy
