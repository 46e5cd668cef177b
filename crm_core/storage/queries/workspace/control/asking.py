"""A view's first page and the next, and how many lines each view has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from crm_core.model.access import Right
from crm_core.model.records import CallRecord, DealRecord, LeadRecord
from crm_core.model.task import TaskRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, moment_cursor, page_of, parse_moment_cursor
from crm_core.storage.queries.tasks import task_cursor
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.clients import Client, clients_of
from crm_core.storage.queries.workspace.control import figures, lists
from crm_core.storage.queries.workspace.control.lists import Wish
from crm_core.storage.queries.workspace.control.required import lacked
from crm_core.storage.queries.workspace.control.views import ControlRow, ControlView, Figure, Limits, SubjectKind, Unit
from crm_core.storage.queries.workspace.inbox import MOST_COUNTED, bounded
from crm_core.storage.reports.base import Wanted, Words
from crm_core.storage.reports.waitings import OWED, Waiting, waitings
from crm_core.storage.tables import call, lead, task
from crm_core.wording import Joined

USUAL = Limits()
"""The limits that the views' words tell of."""

_AMOUNT = Words("Сумма", "Amount")
_TALK = Words("Разговор", "Conversation")
_MISSES = Words("Пропущено", "Missed")


def control_page(
    conn: Connection,
    asker: Asker,
    view: ControlView,
    where: Slice,
    *,
    group: str | None = None,
    person: str | None = None,
    limits: Limits = USUAL,
) -> Page[ControlRow]:
    """A page of a view, of one group or one person where they are named; figures stand on one page. Raises InvalidInput
    for a bad cursor. Three statements for a list, five for figures at most."""
    wish = _wish(asker, group, person, limits)
    if view in figures.FIGURES:
        return Page(figures.rows(conn, view, wish), None)
    if view is ControlView.MISSED_CALLS:
        return _missed(conn, wish, where)
    statement = lists.page(view, wish, where)
    table = lists.table_of(view)
    if table is call:
        calls = all_of(conn, CallRecord, statement)
        return _shown(conn, page_of(calls, where.limit, lambda each: moment_cursor(each.started_at, each.id)), _call)
    if table is task:
        return _shown(conn, page_of(all_of(conn, TaskRecord, statement), where.limit, task_cursor), _task)
    if table is lead:
        leads = all_of(conn, LeadRecord, statement)
        return _shown(conn, page_of(leads, where.limit, lambda each: str(each.id)), _lead)
    deals = page_of(all_of(conn, DealRecord, statement), where.limit, lambda each: str(each.id))
    return _shown(conn, deals, lambda each, client: _deal(each, client, view, asker))


def control_counts(
    conn: Connection, asker: Asker, *, group: str | None = None, person: str | None = None, limits: Limits = USUAL
) -> dict[ControlView, int]:
    """How many lines each list has, up to `inbox.MOST_COUNTED`; figures are left out. Two statements."""
    wish = _wish(asker, group, person, limits)
    views = [view for view in ControlView if view in lists.LISTS]
    row = conn.execute(select(*(bounded(lists.records(view, wish)) for view in views))).one()
    found = {ControlView.MISSED_CALLS: len(_waitings(conn, wish))}
    found |= {view: int(count) for view, count in zip(views, row, strict=True)}
    return {view: found[view] for view in ControlView if view in found}


def _wish(asker: Asker, group: str | None, person: str | None, limits: Limits) -> Wish:
    """Of whom: nobody sees more than they may, so that somebody whom they don't oversee has nothing. Raises Forbidden
    for whoever sees no figures."""
    asker.access.demand(Right.SEE_REPORTS)
    logins = asker.logins(group=group)
    if person is None:
        return Wish(asker, logins, limits)
    return Wish(asker, frozenset({person}) & (logins if logins is not None else {person}), limits, alone=True)


def _shown(conn: Connection, page: Page[Any], row: Callable[[Any, Client | None], ControlRow]) -> Page[ControlRow]:
    clients = clients_of(conn, {each.contact_id for each in page.items})
    return page.map(lambda each: row(each, clients.get(each.contact_id)))


def _missed(conn: Connection, wish: Wish, where: Slice) -> Page[ControlRow]:
    """By the last missed call, the newest first; nobody misses more within a week than can be counted."""
    found: Sequence[Waiting] = sorted(
        _waitings(conn, wish), key=lambda each: (each.last, each.contact_id), reverse=True
    )
    if where.after is not None:
        at, (contact_id,) = parse_moment_cursor(where.after, 1)
        found = [each for each in found if (each.last, each.contact_id) < (at, contact_id)]
    page = page_of(found[: where.limit + 1], where.limit, lambda each: moment_cursor(each.last, each.contact_id))
    return _shown(conn, page, _waiting)


def _waitings(conn: Connection, wish: Wish) -> list[Waiting]:
    asker = wish.asker
    since = asker.midnight(-int(wish.limits.lately / timedelta(days=1)))
    wanted = Wanted(since, asker.midnight(1), asker.now, asker.office, limit=MOST_COUNTED - 1)
    found = waitings(conn, wanted, OWED, order="last")
    if wish.logins is None:
        return found
    return [each for each in found if (each.manager is None and not wish.alone) or each.manager in wish.logins]


def _waiting(each: Waiting, client: Client | None) -> ControlRow:
    misses = (Figure(_MISSES, each.misses, Unit.COUNT),)
    title = each.name or each.number
    return ControlRow(SubjectKind.CONTACT, each.contact_id, title, client, each.manager, each.last, each.line, misses)


def _call(each: CallRecord, client: Client | None) -> ControlRow:
    lasted = (Figure(_TALK, int(each.talk_s), Unit.SECONDS),)
    title = client.title if client is not None else each.number
    way = each.direction.value
    return ControlRow(SubjectKind.CALL, each.id, title, client, each.answered_by, each.started_at, way, lasted, each)


def _task(each: TaskRecord, client: Client | None) -> ControlRow:
    return ControlRow(SubjectKind.TASK, each.id, each.title, client, each.assignee, each.due_at, each.kind)


def _lead(each: LeadRecord, client: Client | None) -> ControlRow:
    at = each.closed_at or each.taken_at or each.first_fact_at
    return ControlRow(SubjectKind.LEAD, each.id, each.title, client, each.manager, at, each.reason or "")


def _deal(each: DealRecord, client: Client | None, view: ControlView, asker: Asker) -> ControlRow:
    place = asker.catalogue.place(each.stage_id)
    stage = f"{place[0].name}: {place[1].name}" if place is not None else ""
    note = Joined(lacked(asker, each), ", ") if view is ControlView.BAD_FIELDS else stage
    worth = (Figure(_AMOUNT, each.amount, Unit.MONEY, each.currency),)
    return ControlRow(SubjectKind.DEAL, each.id, each.title, client, each.manager, each.stage_since, note, worth)
