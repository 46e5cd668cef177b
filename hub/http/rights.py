"""Who may do what, as the API says it."""

from __future__ import annotations

from crm_core.model.access import Access, Right
from crm_core.wording import Sentence
from hub.http.problems import Problem

__all__ = ["Right", "demand"]


def demand(access: Access, right: Right) -> None:
    """Raise a Problem 403 where a person has not a right."""
    if not access.may(right):
        text = Sentence("the role «{role}» may not {right}", role=access.user.role.value, right=right.value)
        raise Problem(403, text, kind="forbidden")
