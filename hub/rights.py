"""Who may do what by their role alone, for pages that ask before the catalogue is at hand."""

from __future__ import annotations

from crm_core.model.rights import TABLE, Reach, Right
from crm_core.model.user import User

__all__ = ["Right", "may"]


def may(user: User, right: Right) -> bool:
    """Whether a person has a right."""
    return user.active and TABLE[right][user.role] is not Reach.NONE
