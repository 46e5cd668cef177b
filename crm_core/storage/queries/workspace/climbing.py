"""Open cases on their ladders: which rung they stand on, who was told, when the next one is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from crm_core.model.case import CaseKind
from crm_core.model.ladder import Ladder, Told
from crm_core.model.records import CaseRecord, OutboxState
from crm_core.model.user import Role, Staff
from crm_core.storage.queries.cases import due_of
from crm_core.storage.queries.pages import all_of
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.clients import Client
from crm_core.storage.queries.workspace.inbox import cases_statement
from crm_core.storage.tables import outbox

_ROLE_OF = {
    Told.CONTROLLER: Role.CONTROLLER,
    Told.HEAD: Role.HEAD,
    Told.DIRECTOR: Role.DIRECTOR,
    Told.ADMIN: Role.ADMIN,
}
_MOST_KEYS = 8_000


@dataclass(frozen=True, slots=True)
class ToldPerson:
    """Somebody who was told on a rung, how, and whether it reached them."""

    login: str
    rung: int
    channel: str
    state: OutboxState
    at: datetime


def once_each(told: Iterable[ToldPerson]) -> tuple[ToldPerson, ...]:
    """Everybody who was told, once each, whatever they were told through: on the last rung that told them, as one who
    was reached where anything of it arrived. `told`: the last rung first."""
    found: dict[str, ToldPerson] = {}
    for each in told:
        known = found.get(each.login)
        if known is None or (known.rung == each.rung and known.state is OutboxState.FAILED):
            found[each.login] = each
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class ClimbingCase:
    """An open case on its ladder: `case.rung` is the last rung told (None: none yet), of `rungs` in all; `told` who was
    told so far, the last rung first. `next_at` is when the next rung is told, or the promise runs out; `next_tells`
    whom that rung tells, empty after the last one."""

    case: CaseRecord
    client: Client
    rungs: int
    told: tuple[ToldPerson, ...]
    next_at: datetime | None
    next_tells: tuple[Told, ...]

    @property
    def told_people(self) -> tuple[ToldPerson, ...]:
        """Everybody who was told, once each (`once_each`)."""
        return once_each(self.told)


@dataclass(frozen=True, slots=True)
class Climbing:
    """Cases as they were read, before their clients are put beside them."""

    cases: tuple[CaseRecord, ...]
    told: dict[int, tuple[ToldPerson, ...]]
    due: dict[int, datetime]

    def beside(self, clients: dict[int, Client], asker: Asker) -> tuple[ClimbingCase, ...]:
        """With their clients and their ladders: those first whose ladder is at its end, the longest waiting before the
        others: nobody more will be told of them. Then by the moment of the next rung; those without a ladder last."""
        found = [
            _climbing(each, clients[each.contact_id], self.told.get(each.id, ()), self.due.get(each.id), asker)
            for each in self.cases
        ]
        return tuple(sorted(found, key=_urgency))


def _urgency(each: ClimbingCase) -> tuple[int, datetime]:
    if each.next_at is not None:
        return 1, each.next_at
    return (0 if each.rungs else 2), each.case.opened_at


def climbing(conn: Connection, asker: Asker, logins: frozenset[str] | None, *, limit: int) -> Climbing:
    """Open cases of these people and of nobody, those first who should have been answered longest ago. Three
    statements."""
    cases = all_of(conn, CaseRecord, cases_statement(logins).limit(limit))
    return Climbing(tuple(cases), told_of(conn, cases, asker), due_of(conn, [each.id for each in cases]))


def ladder_of(case: CaseRecord, asker: Asker) -> Ladder:
    """The ladder of a case."""
    return asker.office.ladders.of_case(CaseKind(case.kind))


def told_statement(keys: Sequence[str]) -> Select[Any]:
    """The notifications with these causes."""
    return select(outbox.c.dedupe, outbox.c.state, outbox.c.created_at).where(outbox.c.dedupe.in_(keys))


def told_of(conn: Connection, cases: Sequence[CaseRecord], asker: Asker) -> dict[int, tuple[ToldPerson, ...]]:
    """Who was told of each case, the last rung first, looked up by the keys of the notifications that there may be. One
    statement; none where nobody can have been told."""
    keys = dict(_keys(cases, asker))
    if not keys:
        return {}
    found: dict[int, list[ToldPerson]] = {}
    for key, state, at in conn.execute(told_statement(list(keys)[:_MOST_KEYS])):
        case_id, rung, login, channel = keys[key]
        found.setdefault(case_id, []).append(ToldPerson(login, rung, channel, state, at))
    return {case: tuple(sorted(people, key=lambda each: (-each.rung, each.login))) for case, people in found.items()}


def _keys(cases: Sequence[CaseRecord], asker: Asker) -> Iterator[tuple[str, tuple[int, int, str, str]]]:
    """The last rung of every case first, so that it is the early ones that are left out where there are too many."""
    office = asker.office
    channels = sorted({each.channel for each in (office.staff_channel, office.mail_channel) if each is not None})
    back = 0
    while any(case.rung is not None and case.rung >= back for case in cases):
        for case in cases:
            ladder, rung = ladder_of(case, asker), (case.rung if case.rung is not None else -1) - back
            if not 0 <= rung < len(ladder.steps):
                continue
            for login in _candidates(ladder.steps[rung].tell, case.manager, asker.staff):
                for channel in channels:
                    yield f"tell:case:{case.id}:{rung}:{login}:{channel}", (case.id, rung, login, channel)
        back += 1


def _candidates(tell: Iterable[Told], manager: str | None, staff: Staff) -> set[str]:
    """Everybody whom a rung may have told: those it names, who stands in for them, and, where it names nobody that
    exists, those who are told then."""
    found = {manager} if manager is not None else set()
    user = staff.get(manager)
    if user is not None:
        found |= {each for each in (user.deputy, user.controller) if each is not None}
    for told in tell:
        if told in _ROLE_OF:
            found |= {each.login for each in staff.with_role(_ROLE_OF[told])}
    for login in tuple(found):
        known = staff.get(login)
        if known is not None and known.deputy is not None:
            found.add(known.deputy)
    return found or {each.login for role in (Role.CONTROLLER, Role.HEAD) for each in staff.with_role(role)}


def _climbing(
    case: CaseRecord, client: Client, told: tuple[ToldPerson, ...], next_at: datetime | None, asker: Asker
) -> ClimbingCase:
    ladder = ladder_of(case, asker)
    steps = ladder.steps
    upcoming = 0 if case.rung is None else case.rung + 1
    tells = steps[upcoming].tell if upcoming < len(steps) and next_at is not None else ()
    return ClimbingCase(case, client, len(steps), told, next_at, tells)
