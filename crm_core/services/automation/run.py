"""A run of a rule as its actions see it: the record as it is now, the client, texts filled in, who is meant by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crm_core.model.history import KIND_OF
from crm_core.model.records import ContactRecord, DealRecord
from crm_core.model.templates import rendered
from crm_core.model.user import Role, User
from crm_core.services.automation.conditions import scope_for
from crm_core.services.automation.matching import Occasion
from crm_core.services.desk import Desk
from crm_core.services.letters.letter_scope import letter_scope
from crm_core.services.watching.responsible import responsible
from crm_core.wording import Worded


class HeldAction(Worded):
    """An action was left out on purpose, and why, in words: no failure of the rule."""


@dataclass(slots=True)
class Run:
    """A run of a rule. `touched` are the records that it made or changed besides its own, as (kind, id)."""

    desk: Desk
    occasion: Occasion
    touched: list[tuple[str, int]] = field(default_factory=list)

    @property
    def record(self) -> Any:
        """The record as it is after what was done so far."""
        record = self.occasion.record
        return self.desk.work.peek(type(record), record[0]) or record

    @property
    def rule(self) -> str:
        """The rule's name."""
        return self.occasion.rule.name

    @property
    def contact_id(self) -> int | None:
        """The client that the record is about."""
        record = self.record
        return record.id if isinstance(record, ContactRecord) else getattr(record, "contact_id", None)

    @property
    def contact(self) -> ContactRecord:
        """The client; raises HeldAction where there is none."""
        if self.contact_id is None:
            raise HeldAction("the record has no client")
        return self.desk.work.contact(self.contact_id)

    def scope(self) -> Mapping[str, Any]:
        """The variables of the rule's texts and expressions."""
        current = self.occasion if self.record is self.occasion.record else replace(self.occasion, record=self.record)
        return scope_for(self.desk, current)

    def text(self, template: str) -> str:
        """A text filled in, as one line."""
        return " ".join(self._filled(template).split()) if "{" in template else template

    def lines(self, template: str) -> str:
        """The same with the lines it has."""
        if "{" not in template:
            return template
        return "\n".join(" ".join(line.split()) for line in self._filled(template).strip().splitlines())

    def _filled(self, template: str) -> str:
        contact = self.desk.work.contacts([self.contact_id]).get(self.contact_id) if self.contact_id else None
        scope = letter_scope(self.desk, contact, self.record, **self.occasion.more)
        return rendered(template, scope)

    def touch(self, record: Any) -> None:
        """The run made or changed this record."""
        kind = record.type if isinstance(record, DealRecord) else KIND_OF.get(type(record))
        if kind is not None:
            self.touched.append((kind, record[0]))


def people_of(desk: Desk, record: Any, wanted: list[str]) -> list[User]:
    """The people who are meant: the record's manager, who answers for its stage, a role, a group, logins."""
    found: dict[str, User] = {}
    for each in wanted:
        for user in _people(desk, record, each):
            if user.active:
                found.setdefault(user.login, user)
    return list(found.values())


def _people(desk: Desk, record: Any, who: str) -> list[User]:
    staff = desk.work.staff
    if who in {"manager", "responsible"}:
        login = getattr(record, "assignee", None) or getattr(record, "manager", None)
        if who == "responsible" and isinstance(record, DealRecord):
            login = responsible(desk, record)
        if login is None and getattr(record, "contact_id", None) is not None:
            contact = desk.work.contacts([record.contact_id]).get(record.contact_id)
            login = contact.manager if contact is not None else None
        user = staff.get(login)
        return [user] if user is not None else list(staff.with_role(Role.HEAD)[:1])
    if who in _ROLES:
        return list(staff.with_role(Role(who)))
    if who.startswith("field:"):
        named = staff.get((getattr(record, "fields", None) or {}).get(who.removeprefix("field:").strip()))
        return [named] if named is not None else []
    if who.startswith("group:"):
        return list(staff.members(who.removeprefix("group:").strip()))
    user = staff.get(who.removeprefix("login:").strip())
    return [user] if user is not None else []


_ROLES = frozenset(Role) - {Role.MANAGER}
