"""What templates of messages and documents may name: the client, the record they are about, who looks after them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model.definitions.templates import TemplateBody
from crm_core.model.records import ContactRecord
from crm_core.model.templates import paths
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.services.scope import OWN_NAMES, Scope, unknown_paths

# Besides records: the manager, how to leave, and what a rule knows of what made it act.
_MORE: Mapping[str, type | None] = dict.fromkeys(
    ("manager", "unsubscribe", *(OWN_NAMES - {"deal", "contact", "company", "lead", "task", "payment", "client"}))
)


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


def check_names(desk: Desk, *texts: str) -> None:
    """Raise InvalidInput where a template of a message names what no client, record or fact of an office ever has: it
    would be empty in every letter. Fields of cards are not looked at: they differ from type to type."""
    for text in texts:
        problems = unknown_paths(desk.catalogue, paths(text), "", _MORE)
        if problems:
            raise InvalidInput(problems[0])


def check_template(desk: Desk, body: TemplateBody) -> None:
    """The same of all texts of a template."""
    check_names(desk, body.text, body.subject, *body.texts.values())


def _person(user: User | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"name": user.name, "login": user.login, "email": user.email, "extension": user.extension}
