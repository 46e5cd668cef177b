"""The views that are lists of records: of each the records that it shows, and the order of its pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Select, Table, and_, exists, literal, literal_column, not_, or_, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.call import CallState
from crm_core.model.records import StageKind
from crm_core.storage import tables
from crm_core.storage.queries.pages import Slice, both, number_cursor, parse_moment_cursor
from crm_core.storage.queries.seeing import seen_task
from crm_core.storage.queries.tasks import TaskFilter, tasks_statement
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.control.required import lacking
from crm_core.storage.queries.workspace.control.views import ControlView, Limits
from crm_core.storage.queries.workspace.inbox import planned
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import call, contact, deal, lead, task
from crm_core.storage.types import UtcDateTime

_WRONG = timedelta(days=180)
_LOST = timedelta(days=30)
_OPEN_TASK = (task.c.state == literal_column("'open'"), task.c.deleted_at.is_(None))


@dataclass(frozen=True, slots=True)
class Wish:
    """What a list is asked for: by whom, of whose work (None: everybody's), from where on; `alone` is of one person,
    so that what is nobody's is left out."""

    asker: Asker
    logins: frozenset[str] | None
    limits: Limits
    alone: bool = False

    def whose(self, column: Any, *, nobodys: bool = True) -> ColumnElement[bool] | None:
        """That a record is one of these people's; what is nobody's is everybody's."""
        if self.logins is None:
            return None
        theirs: ColumnElement[bool] = column.in_(sorted(self.logins))
        return or_(theirs, column.is_(None)) if nobodys and not self.alone else theirs


def records(view: ControlView, wish: Wish) -> Select[Any]:
    """The records of a view, in no order."""
    return _LISTS[view](wish)


def page(view: ControlView, wish: Wish, where: Slice) -> Select[Any]:
    """The records of a view behind a cursor, one more than asked for; raises InvalidInput for a bad cursor.

    Tasks stand by their deadlines, calls by their time, the newest first; leads the oldest first, else the newest.
    """
    if view in _TASKS:
        return _TASKS[view](wish, where)
    statement = records(view, wish).limit(where.limit + 1)
    if view in CALLS:
        place = (call.c.started_at, call.c.id)
        if where.after is not None:
            at, (number,) = parse_moment_cursor(where.after, 1)
            mark = tuple_(literal(at, UtcDateTime()), literal(number, BigInteger()))
            statement = statement.where(tuple_(*place) < mark)
        return statement.order_by(*(column.desc() for column in place))
    column, after = table_of(view).c.id, number_cursor(where.after)
    if view is ControlView.STUCK_LEADS:
        return (statement.where(column > after) if after is not None else statement).order_by(column)
    return (statement.where(column < after) if after is not None else statement).order_by(column.desc())


def table_of(view: ControlView) -> Table:
    """What a view lists."""
    if view in CALLS:
        return call
    if view in _TASKS:
        return task
    return lead if view in {ControlView.STUCK_LEADS, ControlView.REJECTIONS} else deal


# ---------------------------------------------------------------- leads


def _stuck_leads(wish: Wish) -> Select[Any]:
    now, limits = wish.asker.now, wish.limits
    untaken = and_(lead.c.status == literal_column("'new'"), lead.c.created_at <= now - limits.take)
    undecided = and_(lead.c.status == literal_column("'taken'"), lead.c.taken_at <= now - limits.qualify)
    conditions = both((lead.c.deleted_at.is_(None), wish.whose(lead.c.manager)))
    return select(lead).where(or_(untaken, undecided), *conditions)


def _rejections(wish: Wish) -> Select[Any]:
    checked = exists().where(
        task.c.lead_id == lead.c.id,
        task.c.state == literal_column("'done'"),
        task.c.created_at >= lead.c.closed_at,
    )
    conditions = (
        lead.c.status == literal_column("'rejected'"),
        lead.c.deleted_at.is_(None),
        lead.c.closed_at >= wish.asker.now - wish.limits.lately,
        not_(checked),
        *both((wish.whose(lead.c.manager),)),
    )
    return select(lead).where(*conditions)


# ---------------------------------------------------------------- deals


def _deals(wish: Wish, *more: ColumnElement[bool], open_only: bool = True) -> Select[Any]:
    conditions = both(
        (
            deal.c.closed_at.is_(None) if open_only else None,
            deal.c.deleted_at.is_(None),
            deal.c.type == "deal",
            wish.whose(deal.c.manager),
            seen_card(wish.asker.sight),
        )
    )
    return select(deal).where(*conditions, *more)


def _large(wish: Wish) -> Select[Any]:
    return _deals(wish, deal.c.amount >= wish.limits.large)


def _with_overdue(wish: Wish) -> Select[Any]:
    return _deals(wish, exists().where(task.c.deal_id == deal.c.id, *_OPEN_TASK, task.c.due_at < wish.asker.now))


def _taskless(wish: Wish) -> Select[Any]:
    return _deals(wish, not_(exists().where(task.c.deal_id == deal.c.id, *_OPEN_TASK)))


def _planless(wish: Wish) -> Select[Any]:
    return _deals(wish, not_(planned(wish.asker.midnight())))


def _bad_fields(wish: Wish) -> Select[Any]:
    return _deals(wish, lacking(wish.asker))


def _wrong_stage(wish: Wish) -> Select[Any]:
    won = [
        stage.id
        for pipeline in wish.asker.catalogue.pipelines
        for stage in pipeline.stages
        if stage.record.kind is StageKind.WON
    ]
    unpaid = and_(deal.c.stage_id.in_(won), deal.c.paid < deal.c.amount)
    still_open = and_(deal.c.closed_at.is_(None), deal.c.amount > 0, deal.c.paid >= deal.c.amount)
    lately = deal.c.created_at >= wish.asker.now - _WRONG
    return _deals(wish, lately, or_(unpaid, still_open), open_only=False)


# ---------------------------------------------------------------- tasks


def _my_tasks(wish: Wish, where: Slice) -> Select[Any]:
    return tasks_statement(TaskFilter(assignee=wish.asker.login), where)


def _undated(wish: Wish, where: Slice) -> Select[Any]:
    also = both((wish.whose(task.c.assignee), seen_task(task, wish.asker.sight)))
    return tasks_statement(TaskFilter(undated=True), where, *also)


_TASKS: Mapping[ControlView, Callable[[Wish, Slice], Select[Any]]] = {
    ControlView.MY_TASKS: _my_tasks,
    ControlView.UNDATED_TASKS: _undated,
}


# ---------------------------------------------------------------- calls to listen to


def _talks(wish: Wish, since: timedelta, *more: ColumnElement[bool]) -> Select[Any]:
    conditions = both((wish.whose(call.c.answered_by, nobodys=False),))
    return select(call).where(
        call.c.started_at >= wish.asker.now - since,
        call.c.state == CallState.ANSWERED,
        call.c.finished_at.is_not(None),
        *conditions,
        *more,
    )


def _long_calls(wish: Wish) -> Select[Any]:
    return _talks(wish, wish.limits.lately, call.c.talk_s >= wish.limits.long_call.total_seconds())


def _short_calls(wish: Wish) -> Select[Any]:
    return _talks(wish, wish.limits.lately, call.c.talk_s <= wish.limits.short_call.total_seconds())


def _first_calls(wish: Wish) -> Select[Any]:
    """Of clients who came to be known lately: what was before the telephone was connected nobody can tell."""
    earlier = call.alias("earlier")
    spoken = exists().where(
        earlier.c.contact_id == call.c.contact_id,
        earlier.c.started_at < call.c.started_at,
        earlier.c.state == CallState.ANSWERED,
    )
    new = exists().where(
        contact.c.id == call.c.contact_id, contact.c.created_at >= wish.asker.now - 2 * wish.limits.lately
    )
    return _talks(wish, wish.limits.lately, new, not_(spoken))


def _lost_after(wish: Wish) -> Select[Any]:
    lost = tables.stage.alias("lost")
    gone = exists().where(
        deal.c.contact_id == call.c.contact_id,
        deal.c.closed_at >= call.c.started_at,
        deal.c.deleted_at.is_(None),
        lost.c.id == deal.c.stage_id,
        lost.c.kind == StageKind.LOST,
        *both((seen_card(wish.asker.sight),)),
    )
    later = call.alias("later")
    spoken = exists().where(
        later.c.contact_id == call.c.contact_id,
        later.c.started_at > call.c.started_at,
        later.c.state == CallState.ANSWERED,
    )
    return _talks(wish, _LOST, gone, not_(spoken))


_LISTS: Mapping[ControlView, Callable[[Wish], Select[Any]]] = {
    ControlView.STUCK_LEADS: _stuck_leads,
    ControlView.REJECTIONS: _rejections,
    ControlView.LARGE_DEALS: _large,
    ControlView.MY_TASKS: lambda wish: _my_tasks(wish, Slice()),
    ControlView.OVERDUE_DEALS: _with_overdue,
    ControlView.TASKLESS_DEALS: _taskless,
    ControlView.PLANLESS_DEALS: _planless,
    ControlView.UNDATED_TASKS: lambda wish: _undated(wish, Slice()),
    ControlView.BAD_FIELDS: _bad_fields,
    ControlView.WRONG_STAGE: _wrong_stage,
    ControlView.LONG_CALLS: _long_calls,
    ControlView.SHORT_CALLS: _short_calls,
    ControlView.FIRST_CALLS: _first_calls,
    ControlView.LOST_AFTER: _lost_after,
}
LISTS = frozenset(_LISTS)
CALLS = frozenset({ControlView.LONG_CALLS, ControlView.SHORT_CALLS, ControlView.FIRST_CALLS, ControlView.LOST_AFTER})
