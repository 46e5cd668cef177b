"""What templates of messages and documents may name: the client, the record they are about, who looks after them."""

from __future__ import annotations

from typing import Any

from crm_core.model.records import ContactRecord
from crm_core.model.user import User
from crm_core.services.desk import Desk


def letter_scope(desk: Desk, contact: ContactRecord | None, about: tuple[Any, ...] | None = None) -> dict[str, Any]:
    """The variables of a template: `contact`, `deal`, `lead`, `company` …, `manager`, `office`, `now`."""
    scope: dict[str, Any] = {}
    if contact is not None:
        scope["contact"] = contact._asdict()
    keeper = getattr(about, "manager", None) or (contact.manager if contact is not None else None)
    scope["manager"] = _person(desk.work.staff.get(keeper))
    scope["now"] = desk.now
    return scope


def _person(user: User | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"name": user.name, "login": user.login, "email": user.email, "extension": user.extension}
