"""Who may do what, as the API says it."""

from __future__ import annotations

from crm_core.model.user import User
from hub.http.problems import Problem
from hub.rights import RIGHTS, Right, may

__all__ = ["RIGHTS", "Right", "demand", "may"]


def demand(user: User, right: Right) -> None:
    """Raise a Problem 403 where a person has not a right."""
    if not may(user, right):
        raise Problem(403, f"the role «{user.role}» may not {right}", kind="forbidden")
