"""Tasks as they are listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, and_, literal_column, or_, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import NotFound
from crm_core.messages import EntryKind
from crm_core.model.access import Access, Right
from crm_core.model.records import AttachmentRecord, ContactRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.storage.queries.pages import (
    Page,
    Slice,
    all_of,
    both,
    moment_cursor,
    number_cursor,
    one_of,
    page_of,
    parse_moment_cursor,
)
from crm_core.storage.queries.seeing import seen_among, seen_task
from crm_core.storage.queries.sorting import EVERYTHING, More, listed
from crm_core.storage.tables import attachment, contact, task, timeline


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks are wanted. `since` <= deadline < `until`; `undated` those without any deadline."""

    state: TaskState = TaskState.OPEN
    assignee: str | None = None
    unassigned: bool = False
    contact_id: int | None = None
    deal_id: int | None = None
    lead_id: int | None = None
    company_id: int | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    undated: bool = False


@dataclass(frozen=True, slots=True)
class TaskCard:
    """A task, and whose it is."""

    task: TaskRecord
    contact: ContactRecord | None


def list_tasks(
    conn: Connection, access: Access, wanted: TaskFilter, where: Slice, more: More = EVERYTHING
) -> Page[TaskCard]:
    """Open tasks, the most urgent first, those without a deadline last; tasks that are over the newest first. About
    cards that somebody does not see only their own. Two statements. Raises Forbidden for whoever sees no sales."""
    access.demand(Right.SEE_SALES)
    also = both((more.condition, seen_task(task, access.sight)))
    statement = tasks_statement(wanted, where, *also)
    if more.sort is not None:
        whole = tasks_statement(wanted, Slice(limit=where.limit), *also).whereclause
        page = listed(conn, "task", TaskRecord, both((whole,)), where, more)
    elif wanted.state is TaskState.OPEN:
        page = page_of(all_of(conn, TaskRecord, statement), where.limit, task_cursor)
    else:
        page = page_of(all_of(conn, TaskRecord, statement), where.limit, lambda record: str(record.id))
    cards = {card.task.id: card for card in _cards(conn, page.items)}
    return page.map(lambda record: cards[record.id])


def tasks_statement(wanted: TaskFilter, where: Slice, *also: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    """The query behind `list_tasks`, in its own order; raises InvalidInput for a bad cursor."""
    conditions = both(
        (
            # written out, or the index of open tasks would not be known to fit
            task.c.state == literal_column(f"'{wanted.state.value}'"),
            task.c.deleted_at.is_(None),
            task.c.assignee == wanted.assignee if wanted.assignee is not None else None,
            task.c.assignee.is_(None) if wanted.unassigned else None,
            task.c.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
            task.c.deal_id == wanted.deal_id if wanted.deal_id is not None else None,
            task.c.lead_id == wanted.lead_id if wanted.lead_id is not None else None,
            task.c.company_id == wanted.company_id if wanted.company_id is not None else None,
            task.c.kind == wanted.kind if wanted.kind is not None else None,
            task.c.due_at >= wanted.since if wanted.since is not None else None,
            task.c.due_at < wanted.until if wanted.until is not None else None,
            task.c.due_at.is_(None) if wanted.undated else None,
            *also,
        )
    )
    statement = select(task).limit(where.limit + 1)
    if wanted.state is TaskState.OPEN:
        behind = _behind(where.after) if where.after is not None else None
        order = (task.c.id,) if wanted.undated else (task.c.due_at.asc().nulls_last(), task.c.id)
        return statement.where(*conditions, *both((behind,))).order_by(*order)
    after = number_cursor(where.after)
    return statement.where(*conditions, *both((task.c.id < after if after is not None else None,))).order_by(
        task.c.id.desc()
    )


def one_task(conn: Connection, access: Access, task_id: int) -> TaskCard:
    """One task; raises NotFound, also where it is about a card that they don't see, and not theirs; Forbidden."""
    access.demand(Right.SEE_SALES)
    found = one_of(conn, TaskRecord, task_id)
    if found is None or found.deleted_at is not None:
        raise NotFound("there is no task {task}", task=task_id)
    theirs = access.login in {found.assignee, found.author}
    if found.deal_id is not None and not theirs and not seen_among(conn, [found.deal_id], access.sight):
        raise NotFound("there is no task {task}", task=task_id)
    return _cards(conn, [found])[0]


def files_of_task(conn: Connection, done: TaskRecord) -> tuple[AttachmentRecord, ...]:
    """The files that came of a task that is over, in their order: they hang on the line of its client that tells of its
    end, which stands at that very moment."""
    if done.contact_id is None or done.done_at is None:
        return ()
    of_client = and_(timeline.c.contact_id == done.contact_id, timeline.c.occurred_at == done.done_at)
    told = and_(of_client, timeline.c.kind == EntryKind.TASK, timeline.c.author == done.done_by)
    files = select(attachment).join(timeline, timeline.c.id == attachment.c.entry_id).where(told)
    return tuple(all_of(conn, AttachmentRecord, files.order_by(attachment.c.entry_id, attachment.c.position)))


def _cards(conn: Connection, tasks: Sequence[TaskRecord]) -> list[TaskCard]:
    ids = {each.contact_id for each in tasks if each.contact_id is not None}
    known = all_of(conn, ContactRecord, select(contact).where(contact.c.id.in_(ids))) if ids else []
    by_id = {each.id: each for each in known}
    return [TaskCard(each, by_id.get(each.contact_id) if each.contact_id is not None else None) for each in tasks]


def task_cursor(record: TaskRecord) -> str:
    """The place of an open task, behind which the next page begins."""
    dated = record.due_at is not None
    return moment_cursor(record.due_at or record.created_at, record.id, int(dated))


def _behind(after: str) -> ColumnElement[bool]:
    """What stands behind a cursor: later ones, then those without a deadline."""
    at, (number, dated) = parse_moment_cursor(after, 2)
    if not dated:
        return and_(task.c.due_at.is_(None), task.c.id > number)
    return or_(task.c.due_at > at, and_(task.c.due_at == at, task.c.id > number), task.c.due_at.is_(None))
