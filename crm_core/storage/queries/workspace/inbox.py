"""What waits for somebody: clients without an answer, leads that nobody took, tasks of today, deals without a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Integer, Select, and_, bindparam, exists, func, literal_column, not_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.access import Right, Sight
from crm_core.model.records import CaseRecord, DealRecord, EntryRecord, LeadRecord
from crm_core.model.task import TaskRecord
from crm_core.storage.queries.cases import due_of
from crm_core.storage.queries.pages import all_of, both
from crm_core.storage.queries.workspace.asker import Asker, Whose
from crm_core.storage.queries.workspace.clients import Client, clients_of
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import contact, contact_case, deal, lead, task, timeline
from crm_core.storage.types import UtcDateTime

Moment: TypeAlias = datetime | ColumnElement[datetime]

MOST_COUNTED = 1000
"""Where a number reaches this, there are at least so many."""
_KEPT = 500


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers for badges, each up to `MOST_COUNTED`. `broken` are cases whose promise has passed, `nobodys` those of
    clients without a manager; `overdue` and `today` are the asker's own tasks, `planless` their own deals."""

    cases: int
    broken: int
    nobodys: int
    leads: int
    overdue: int
    today: int
    planless: int

    @property
    def all(self) -> int:
        """All that is to be done now."""
        return self.cases + self.leads + self.overdue + self.today


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A client who waits. `due_at`: when the next rung is told or the promise runs out; `last`: what they wrote or did
    last; `broken`: the promise has passed."""

    case: CaseRecord
    client: Client
    due_at: datetime | None
    last: EntryRecord | None
    broken: bool


@dataclass(frozen=True, slots=True)
class NewLead:
    """An enquiry that nobody took yet, and what it began with or the client said last."""

    lead: LeadRecord
    client: Client
    last: EntryRecord | None


@dataclass(frozen=True, slots=True)
class DueTask:
    """An open task of today or earlier."""

    task: TaskRecord
    client: Client | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class PlanlessDeal:
    """An open deal for which nothing is planned: no open task of today or later."""

    deal: DealRecord
    client: Client | None
    stage: str
    pipeline: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """All of it, the most urgent of each first; `counts` say how many there are in all."""

    counts: Counts
    cases: tuple[WaitingCase, ...]
    leads: tuple[NewLead, ...]
    tasks: tuple[DueTask, ...]
    deals: tuple[PlanlessDeal, ...]


NOTHING = Inbox(Counts(0, 0, 0, 0, 0, 0, 0), (), (), (), ())
"""An inbox of nobody."""


def inbox(conn: Connection, asker: Asker, whose: Whose = Whose.EVERYBODY, *, limit: int = 50) -> Inbox:
    """What waits, at most `limit` of each. Cases: those who should have been answered longest ago first (the promised
    moment, else when they began to wait). `whose` widens cases and leads to the group or everybody, for those who see
    them; tasks and deals are always one's own. Nobody's cases and leads are shown to everybody. Nine statements. Raises
    Forbidden for whoever sees no cases."""
    asker.access.demand(Right.SEE_CASES)
    logins = asker.logins(whose)
    found = _counts(conn, asker, whose)
    leads_wanted = leads_statement(logins, groups_of(asker, logins)).limit(limit)
    tasks_wanted = tasks_statement(asker.login, asker.midnight(1)).limit(limit)
    deals_wanted = planless_statement(asker.login, asker.sight, asker.midnight()).limit(limit)
    cases = all_of(conn, CaseRecord, cases_statement(logins).limit(limit)) if found.cases else []
    leads = all_of(conn, LeadRecord, leads_wanted) if found.leads else []
    tasks = all_of(conn, TaskRecord, tasks_wanted) if found.overdue + found.today else []
    deals = all_of(conn, DealRecord, deals_wanted) if found.planless else []
    talked = {*(each.contact_id for each in cases), *(each.contact_id for each in leads)}
    clients = clients_of(conn, {*talked, *(each.contact_id for each in tasks), *(each.contact_id for each in deals)})
    last = last_words(conn, sorted(talked))
    due = due_of(conn, [each.id for each in cases])
    return Inbox(
        counts=found,
        cases=tuple(
            WaitingCase(
                each, clients[each.contact_id], due.get(each.id), last.get(each.contact_id), _passed(each, asker.now)
            )
            for each in cases
        ),
        leads=tuple(NewLead(each, clients[each.contact_id], last.get(each.contact_id)) for each in leads),
        tasks=tuple(
            DueTask(each, clients.get(each.contact_id or 0), each.due_at is not None and each.due_at < asker.now)
            for each in tasks
        ),
        deals=tuple(_planless(each, clients.get(each.contact_id or 0), asker) for each in deals),
    )


def counts(conn: Connection, asker: Asker, whose: Whose = Whose.EVERYBODY) -> Counts:
    """The numbers alone, for badges. One statement, which counts no further than `MOST_COUNTED` of each. Raises
    Forbidden for whoever sees no cases."""
    asker.access.demand(Right.SEE_CASES)
    return _counts(conn, asker, whose)


def _counts(conn: Connection, asker: Asker, whose: Whose) -> Counts:
    logins = asker.logins(whose)
    statement = counts_statement(logins, groups_of(asker, logins), asker.login, asker.sight)
    moments = {"now": asker.now, "midnight": asker.midnight(), "tomorrow": asker.midnight(1)}
    return Counts(*(int(each) for each in conn.execute(statement, moments).one()))


@lru_cache(maxsize=_KEPT)
def counts_statement(logins: frozenset[str] | None, groups: frozenset[str], login: str, sight: Sight) -> Any:
    """The query behind `counts`; `now`, `midnight` and `tomorrow` are given with it. Kept, for putting it together
    takes longer than the database to answer it."""
    now = bindparam("now", type_=UtcDateTime())
    cases, tasks = cases_statement(logins), tasks_statement(login, bindparam("tomorrow", type_=UtcDateTime()))
    parts = (
        cases,
        cases.where(contact_case.c.promised_at < now),
        cases.where(contact_case.c.manager.is_(None)),
        leads_statement(logins, groups),
        tasks.where(task.c.due_at < now),
        tasks.where(task.c.due_at >= now),
        planless_statement(login, sight, bindparam("midnight", type_=UtcDateTime())),
    )
    return select(*(bounded(each) for each in parts))


def bounded(statement: Select[Any], most: int = MOST_COUNTED) -> ColumnElement[int]:
    """How many rows a statement finds, counted up to `most`, as a column of another."""
    rows = statement.with_only_columns(literal_column("1").label("one")).order_by(None).limit(most).subquery()
    return select(func.count(type_=Integer)).select_from(rows).scalar_subquery()


def cases_statement(logins: frozenset[str] | None) -> Select[Any]:
    """Open cases of these people and of nobody; of everybody where they are None."""
    conditions = [contact_case.c.state == literal_column("'open'")]
    if logins is not None:
        conditions.append(or_(contact_case.c.manager.in_(sorted(logins)), contact_case.c.manager.is_(None)))
    should = func.coalesce(contact_case.c.promised_at, contact_case.c.opened_at)
    return select(contact_case).where(*conditions).order_by(should, contact_case.c.id)


def groups_of(asker: Asker, logins: frozenset[str] | None) -> frozenset[str]:
    """The groups of these people; none where it is everybody, of whom no group needs to be asked for."""
    found = (asker.staff.get(each) for each in logins or ())
    return frozenset(user.group for user in found if user is not None and user.group is not None)


def leads_statement(logins: frozenset[str] | None, groups: frozenset[str]) -> Select[Any]:
    """Leads that nobody took, the oldest first: those given to these people or to these groups of theirs, and nobody's;
    everybody's where the people are None."""
    conditions = [lead.c.status == literal_column("'new'"), lead.c.deleted_at.is_(None)]
    if logins is not None:
        open_to = or_(lead.c.group_name.is_(None), lead.c.group_name.in_(sorted(groups)))
        conditions.append(or_(lead.c.manager.in_(sorted(logins)), and_(lead.c.manager.is_(None), open_to)))
    return select(lead).where(*conditions).order_by(lead.c.id)


def tasks_statement(login: str, before: Moment) -> Select[Any]:
    """Somebody's open tasks that are due before a moment, the most urgent first."""
    return (
        select(task)
        .where(
            task.c.state == literal_column("'open'"),
            task.c.assignee == login,
            task.c.due_at < before,
            task.c.deleted_at.is_(None),
        )
        .order_by(task.c.due_at, task.c.id)
    )


def planless_statement(login: str, sight: Sight, since: Moment) -> Select[Any]:
    """Somebody's open deals for which nothing is planned from a moment on, the oldest first."""
    return (
        select(deal)
        .where(
            deal.c.manager == login,
            deal.c.closed_at.is_(None),
            deal.c.deleted_at.is_(None),
            deal.c.type == "deal",
            not_(planned(since)),
            *both((seen_card(sight),)),
        )
        .order_by(deal.c.id)
    )


def planned(since: Moment) -> ColumnElement[bool]:
    """That a deal has an open task with a deadline at this moment or later."""
    return exists().where(
        task.c.deal_id == deal.c.id,
        task.c.state == literal_column("'open'"),
        task.c.deleted_at.is_(None),
        task.c.due_at >= since,
    )


def last_words(conn: Connection, contact_ids: Sequence[int]) -> dict[int, EntryRecord]:
    """What each of these clients wrote or did last. One statement; one look into an index a client."""
    if not contact_ids:
        return {}
    found = all_of(conn, EntryRecord, _last_words(), {"owners": contact_ids})
    return {each.contact_id: each for each in found}


@cache
def _last_words() -> Select[Any]:
    newest = timeline.alias("newest")
    told = timeline.alias("told")
    owner = select(contact.c.id).where(contact.c.id.in_(bindparam("owners", expanding=True))).subquery("owner")
    last = (
        select(newest.c.id)
        .where(newest.c.contact_id == owner.c.id, newest.c.direction == "in")
        .order_by(newest.c.occurred_at.desc(), newest.c.sequence.desc(), newest.c.id.desc())
        .limit(1)
        .correlate(owner)
        .scalar_subquery()
    )
    ids = select(last).select_from(owner)
    return select(told).where(told.c.id.in_(ids))


def _passed(case: CaseRecord, now: datetime) -> bool:
    return case.promised_at is not None and case.promised_at < now


def _planless(record: DealRecord, client: Client | None, asker: Asker) -> PlanlessDeal:
    place = asker.catalogue.place(record.stage_id)
    return PlanlessDeal(record, client, place[1].name if place else "", place[0].name if place else "")
