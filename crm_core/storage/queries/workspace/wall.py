"""The supervisor's wall: who waits and who was told, calls now, the people, what was missed today, where deals jam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, literal_column, select

from crm_core.model.access import Right
from crm_core.model.records import CallRecord, LeadRecord
from crm_core.storage.queries.pages import all_of
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.calls_now import CallNow, call_now, calls_now
from crm_core.storage.queries.workspace.clients import Client, clients_of
from crm_core.storage.queries.workspace.climbing import ClimbingCase, ToldPerson, climbing
from crm_core.storage.queries.workspace.inbox import (
    MOST_COUNTED,
    bounded,
    cases_statement,
    groups_of,
    leads_statement,
)
from crm_core.storage.queries.workspace.jams import Jam, jams
from crm_core.storage.queries.workspace.responses import SOON, Responses, responses
from crm_core.storage.reports.base import Wanted
from crm_core.storage.reports.waitings import OWED, Waiting, waitings
from crm_core.storage.tables import assignee_load, contact_case

__all__ = [
    "SOON",
    "CallNow",
    "ClimbingCase",
    "Jam",
    "PersonAtWork",
    "Responses",
    "ToldPerson",
    "UntouchedLead",
    "Waiting",
    "Wall",
    "wall",
]


@dataclass(frozen=True, slots=True)
class PersonAtWork:
    """Somebody of the office and what they have at hand: the call they are in, open cases, open leads. `away` until
    somebody says otherwise, `working` it is their working time. Whether they are free or busy their telephones tell:
    the hub puts that beside it (`hub.telephony.attendance.attendance`, by login)."""

    login: str
    name: str
    group: str | None
    away: bool
    working: bool
    call: CallNow | None
    cases: int
    leads: int


@dataclass(frozen=True, slots=True)
class UntouchedLead:
    """A lead that nobody took, and for how long the client waits."""

    lead: LeadRecord
    client: Client
    age: timedelta


@dataclass(frozen=True, slots=True)
class Wall:
    """All of it as of `at`; the lists hold the most urgent, the numbers how many there are, up to
    `inbox.MOST_COUNTED`. `missed` are clients who called today, were not answered, and with whom nobody spoke since,
    the last first; `missed_count` how many of them."""

    at: datetime
    cases: tuple[ClimbingCase, ...]
    cases_count: int
    calls: tuple[CallNow, ...]
    people: tuple[PersonAtWork, ...]
    responses: Responses
    responses_by: tuple[Responses, ...]
    missed: tuple[Waiting, ...]
    missed_count: int
    leads: tuple[UntouchedLead, ...]
    leads_count: int
    jams: tuple[Jam, ...]


def wall(conn: Connection, asker: Asker, group: str | None = None, *, limit: int = 50) -> Wall:
    """The wall, of one group where it is named; whoever oversees only themselves sees it of themselves. At most `limit`
    of each list. Nobody's cases and leads belong to everybody's. Sixteen statements at most. Raises
    Forbidden for whoever sees no figures."""
    asker.access.demand(Right.SEE_REPORTS)
    logins = asker.logins(group=group)
    groups = groups_of(asker, logins)
    cases_count, leads_count = conn.execute(
        select(bounded(cases_statement(logins)), bounded(leads_statement(logins, groups)))
    ).one()
    climbed = climbing(conn, asker, logins, limit=limit)
    calls = calls_now(conn, asker.access, asker.now)
    leads = all_of(conn, LeadRecord, leads_statement(logins, groups).limit(limit))
    ids = {*(each.contact_id for each in climbed.cases), *(each.contact_id for each in leads)}
    clients = clients_of(conn, {*ids, *(each.contact_id for each in calls)})
    going_on = _going_on(calls, clients, logins)
    together, by_person = responses(conn, asker, logins)
    missed = _missed_today(conn, asker, logins)
    return Wall(
        at=asker.now,
        cases=climbed.beside(clients, asker),
        cases_count=int(cases_count),
        calls=going_on,
        people=_people(conn, asker, logins, going_on),
        responses=together,
        responses_by=by_person,
        missed=tuple(missed[:limit]),
        missed_count=len(missed),
        leads=tuple(UntouchedLead(each, clients[each.contact_id], asker.now - each.first_fact_at) for each in leads),
        leads_count=int(leads_count),
        jams=jams(conn, asker, logins),
    )


def _going_on(
    calls: Sequence[CallRecord], clients: dict[int, Client], logins: frozenset[str] | None
) -> tuple[CallNow, ...]:
    found = (call_now(each, clients.get(each.contact_id or 0)) for each in calls)
    return tuple(each for each in found if logins is None or each.people & logins)


def _missed_today(conn: Connection, asker: Asker, logins: frozenset[str] | None) -> list[Waiting]:
    """Missed and not returned, as the report of that name counts them."""
    wanted = Wanted(asker.midnight(), asker.midnight(1), asker.now, asker.office, limit=MOST_COUNTED - 1)
    found = waitings(conn, wanted, OWED, order="last")
    return [each for each in found if logins is None or each.manager is None or each.manager in logins]


def people_statement() -> Select[Any]:
    """How many open cases everybody has."""
    return (
        select(contact_case.c.manager, func.count())
        .where(contact_case.c.state == literal_column("'open'"), contact_case.c.manager.is_not(None))
        .group_by(contact_case.c.manager)
    )


def _people(
    conn: Connection, asker: Asker, logins: frozenset[str] | None, calls: Sequence[CallNow]
) -> tuple[PersonAtWork, ...]:
    """Everybody active by name, with their load. Two statements."""
    cases = {login: int(count) for login, count in conn.execute(people_statement())}
    leads = {row[0]: row[1] for row in conn.execute(select(assignee_load.c.login, assignee_load.c.open_leads))}
    talking = {each.talking: each for each in calls if each.talking is not None}
    ringing = {login: each for each in calls for login in each.ringing}
    return tuple(
        PersonAtWork(
            login=user.login,
            name=user.name,
            group=user.group,
            away=not user.present(asker.now),
            working=asker.office.works(user, asker.now),
            call=talking.get(user.login) or ringing.get(user.login),
            cases=cases.get(user.login, 0),
            leads=leads.get(user.login, 0),
        )
        for user in sorted(asker.staff.by_login.values(), key=lambda each: (each.name, each.login))
        if user.active and (logins is None or user.login in logins)
    )
