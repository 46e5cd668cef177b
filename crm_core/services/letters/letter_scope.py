"""What templates of messages and documents may name: the client, the record they are about, who looks after them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_core.model.records import ContactRecord
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.services.scope import Scope


def letter_scope(
    desk: Desk, contact: ContactRecord | None, about: tuple[Any, ...] | None = None, **more: Any
) -> Mapping[str, Any]:
    """The variables of a template: all that expressions may name of the record (`crm_core.services.scope`), `manager`
    (who looks after it: `name`, `email`, `extension`) and whatever is given besides. Worked out when it is named."""
    keeper = getattr(about, "manager", None) or (contact.manager if contact is not None else None)
    given = dict(more)
    given.setdefault("manager", _person(desk.work.staff.get(keeper)))
    if contact is not None:
        given.setdefault("contact", contact)
    record = about if about is not None else contact
    return Scope(desk, record, given) if record is not None else given


def _person(user: User | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"name": user.name, "login": user.login, "email": user.email, "extension": user.extension}
