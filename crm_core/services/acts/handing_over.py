"""Handing over what is somebody's, all of it in one act: clients with everything of theirs that goes on stay together.

Done by the stretch, each in a transaction of its own: what was given is no longer the giver's, so that whoever does it
again goes on where it stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model.records import CallbackRecord, CaseRecord, ContactRecord, DealRecord, LeadRecord
from crm_core.model.rights import Right
from crm_core.model.selling import CompanyRecord
from crm_core.model.task import TaskRecord
from crm_core.services.desk import Desk
from crm_core.services.watching.telling import tell

AT_ONCE = 200
"""Records a transaction."""

_ASSIGNEE = "assignee"
# In this order: what a client has follows them.
KINDS: tuple[tuple[str, type[Any], str], ...] = (
    ("contacts", ContactRecord, "manager"),
    ("companies", CompanyRecord, "manager"),
    ("leads", LeadRecord, "manager"),
    ("deals", DealRecord, "manager"),
    ("tasks", TaskRecord, _ASSIGNEE),
    ("cases", CaseRecord, "manager"),
    ("callbacks", CallbackRecord, "manager"),
)
_TOLD = {
    "ru": "{giver} передаёт вам: {what}.",
    "en": "{giver} hands over to you: {what}.",
}
_WORDS = {
    "ru": {
        "contacts": "клиентов",
        "companies": "компаний",
        "leads": "лидов",
        "deals": "сделок",
        "tasks": "задач",
        "cases": "ждущих ответа",
        "callbacks": "обратных звонков",
    },
    "en": {name: name for name, _, _ in KINDS},
}


@dataclass(slots=True)
class HandOver:
    """From whom, to whom, and what was given so far, by person."""

    giver: str
    takers: tuple[str, ...]
    given: dict[str, Counter[str]] = field(default_factory=dict)
    _turn: int = 0

    @property
    def counts(self) -> Counter[str]:
        """How many of each kind were given."""
        return sum(self.given.values(), Counter[str]())

    def next(self) -> str:
        """Whose turn it is: everybody gets as much."""
        self._turn += 1
        return self.takers[self._turn % len(self.takers)]


def begin(desk: Desk, giver: str, to: Sequence[str] = (), group: str | None = None) -> HandOver:
    """Whom everything goes to: these people, or the active ones of a group, the giver apart. Raises InvalidInput,
    Forbidden."""
    staff = desk.work.staff
    desk.demand_of(Right.HAND_OVER, giver)
    if staff.get(giver) is None:
        raise InvalidInput("there is no user «{user}»", user=giver)
    if bool(to) == bool(group):
        raise InvalidInput("to: name the people who take it over, or a group")
    wanted = list(to) or [user.login for user in staff.members(group)]
    takers = tuple(dict.fromkeys(login for login in wanted if login != giver or to))
    for login in takers:
        user = staff.get(login)
        if user is None or not user.active:
            raise InvalidInput("to: there is no active user «{user}»", user=login)
    if giver in takers:
        raise InvalidInput("to: «{giver}» can't hand over to themselves", giver=giver)
    if not takers:
        raise InvalidInput("group: nobody of «{group}» can take it over", group=group)
    return HandOver(giver, takers)


def stretch(desk: Desk, act: HandOver, author: str) -> dict[str, Counter[str]] | None:
    """Give the next records; what was given now, by person; None where nothing is left."""
    desk.quiet = True
    desk.work.author = author
    given: dict[str, Counter[str]] = {}
    for name, kind, column in KINDS:
        ids = desk.work.of_person(kind, act.giver, AT_ONCE)
        if not ids:
            continue
        for record in _LOAD[kind](desk, ids):
            if getattr(record, column) != act.giver:
                continue
            taker = _taker(desk, act, record)
            changes: dict[str, Any] = {column: taker}
            if "updated_at" in record._fields:
                changes["updated_at"] = desk.now
            if kind is CaseRecord:
                changes["taken_at"] = None  # it was given, nobody has said that they look after it
            desk.work.put(record._replace(**changes))
            given.setdefault(taker, Counter())[name] += 1
        return given
    return None


def told(desk: Desk, act: HandOver, cause: str) -> None:
    """Tell everybody who took something over, once."""
    language = desk.office.language if desk.office.language in _TOLD else "ru"
    for login, counts in act.given.items():
        user = desk.work.staff.get(login)
        if user is not None and counts:
            words = ", ".join(f"{_WORDS[language][name]} {counts[name]}" for name, _, _ in KINDS if counts[name])
            text = _TOLD[language].format(giver=desk.name_of(act.giver), what=words)
            tell(desk, [user], f"hand-over:{act.giver}:{cause}", text)


def _taker(desk: Desk, act: HandOver, record: Any) -> str:
    """Whoever looks after the client already takes what is theirs too."""
    owner = getattr(record, "contact_id", None)
    contact = desk.work.peek(ContactRecord, owner) if owner is not None else None
    if contact is not None and contact.manager in act.takers:
        return str(contact.manager)
    return act.next()


def _contacts(desk: Desk, ids: Sequence[int]) -> list[Any]:
    return list(desk.work.contacts(ids).values())


def _plain(kind: type[Any]) -> Callable[[Desk, Sequence[int]], list[Any]]:
    def load(desk: Desk, ids: Sequence[int]) -> list[Any]:
        return list(desk.work.related(kind, "id", ids))

    return load


def _owned(kind: type[Any]) -> Callable[[Desk, Sequence[int]], list[Any]]:
    """Records of clients, the clients locked first."""

    def load(desk: Desk, ids: Sequence[int]) -> list[Any]:
        owners = desk.work.owners_of(kind, ids)
        desk.work.contacts(owners)
        return list(desk.work.related(kind, "id", ids))

    return load


_LOAD: dict[type[Any], Callable[[Desk, Sequence[int]], list[Any]]] = {
    ContactRecord: _contacts,
    CompanyRecord: _plain(CompanyRecord),
    LeadRecord: _owned(LeadRecord),
    DealRecord: lambda desk, ids: list(desk.work.deals(ids).values()),
    TaskRecord: _owned(TaskRecord),
    CaseRecord: _owned(CaseRecord),
    CallbackRecord: _owned(CallbackRecord),
}
