"""Tasks: listed, given, changed, closed with a result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from crm_core.errors import NotFound
from crm_core.model.records import DealRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.services.cards.pipelines import demand_access, place_of
from crm_core.services.desk import Desk
from crm_core.services.settling import settle
from crm_core.services.tasking import tasks as services
from crm_core.services.tasking.task_files import TaskFile
from crm_core.services.tasking.tasks import NewTask, TaskChange
from crm_core.storage.queries import files as file_queries
from crm_core.storage.queries import tasks as queries
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.tasks import TaskCard, TaskFilter
from hub.http.filtering import FilterQuery
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import (
    Fields,
    Given,
    Id,
    Login,
    Long,
    Moment,
    Named,
    NoBody,
    Paged,
    Query,
    QueryId,
    Short,
    Tags,
    Taken,
)
from hub.http.versions import or_as_it_is

_TAG = "tasks"
_FIRST_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class TaskTime(StrEnum):
    """Which open tasks by their deadline: passed, on this day of the office, on a later one, none."""

    OVERDUE = "overdue"
    TODAY = "today"
    LATER = "later"
    NONE = "none"


class TaskQuery(FilterQuery):
    """Which tasks; `mine` those of who asks, `nobodys` those that nobody is to do. `when` is of open ones."""

    mine: bool = False
    nobodys: bool = False
    assignee: Login | None = None
    state: TaskState = TaskState.OPEN
    when: TaskTime | None = None
    kind: Short | None = None
    contact_id: QueryId | None = None
    deal_id: QueryId | None = None
    lead_id: QueryId | None = None
    company_id: QueryId | None = None


class CheckItem(Taken):
    """A line to be ticked off."""

    text: Named
    done: bool = False


class TaskBody(Taken):
    """What a task is to have. `recurrence` is an RRULE of RFC 5545 (`FREQ=WEEKLY;BYDAY=MO`), daily at most; it asks for
    a deadline. Its client is that of the deal or lead where none is named."""

    title: Short = ""
    text: Long = ""
    kind: Short = ""
    assignee: Login | None = None
    due_at: Moment | None = None
    contact_id: Id | None = None
    lead_id: Id | None = None
    deal_id: Id | None = None
    company_id: Id | None = None
    recurrence: Short | None = None
    checklist: Annotated[list[CheckItem], Field(max_length=100)] = Field(default_factory=list)
    tags: Tags = Field(default_factory=list)
    fields: Fields = Field(default_factory=dict)


class NewTaskBody(TaskBody):
    """A task; its author's where nobody is named (null: nobody's). `origin`, where given, makes it once."""

    origin: Named | None = None


class TaskPatch(TaskBody):
    """What is not named stays; `version`, where given, is the one that was seen: 409 where it changed meanwhile."""

    version: Id | None = None


class CloseBody(Taken):
    """What came of it, in words; `attachments`, ids from `/api/v1/files`, stand beside it on the timeline of the
    client and of the deal."""

    result: Annotated[str, Field(max_length=10_000)]
    attachments: Annotated[list[Id], Field(max_length=20)] = Field(default_factory=list)
    version: Id | None = None


class CancelBody(Taken):
    """Why it is not to be done."""

    reason: Annotated[str, Field(max_length=10_000)]
    version: Id | None = None


class ReopenBody(Taken):
    """Nothing but the version that was seen, where one is given."""

    version: Id | None = None


class Task(Given):
    """Something that somebody is to do. `overdue`: it is open and its deadline has passed."""

    id: int
    title: str
    text: str
    kind: str
    state: TaskState
    assignee: str | None
    author: str
    due_at: datetime | None
    overdue: bool
    contact_id: int | None
    client: str | None
    lead_id: int | None
    deal_id: int | None
    company_id: int | None
    recurrence: str | None
    series_id: int | None
    checklist: list[CheckItem]
    result: str
    done_at: datetime | None
    done_by: str | None
    fields: dict[str, Any]
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    version: int


class Tasks(Paged[Task]):
    """A page of tasks."""


def task_json(record: TaskRecord, client: str | None, now: datetime) -> Task:
    """A task on the wire."""
    overdue = record.state is TaskState.OPEN and record.due_at is not None and record.due_at < now
    plain = set(Task.model_fields) - {"overdue", "client", "checklist"}
    checklist = [CheckItem(text=each["text"], done=each["done"]) for each in record.checklist]
    return Task(**{name: getattr(record, name) for name in plain}, overdue=overdue, client=client, checklist=checklist)


def _of(card: TaskCard, now: datetime) -> Task:
    return task_json(card.task, card.contact.name if card.contact is not None else None, now)


def _listed(conn: Reading, call: Call[TaskQuery, NoBody]) -> Tasks:
    query, now = call.query, call.hub.clock.now()
    since, until = _period(query.when, now, call.hub.store.office.time_zone)
    wanted = TaskFilter(
        state=query.state,
        assignee=call.user.login if query.mine else query.assignee,
        unassigned=query.nobodys,
        contact_id=query.contact_id,
        deal_id=query.deal_id,
        lead_id=query.lead_id,
        company_id=query.company_id,
        kind=query.kind,
        since=since,
        until=until,
        undated=query.when is TaskTime.NONE,
    )
    more = query.more(conn, call.hub.store, "task", call.access.sight)
    page = queries.list_tasks(conn, call.access, wanted, query.where, more)
    return Tasks(items=[_of(card, now) for card in page.items], next=page.next)


def _period(when: TaskTime | None, now: datetime, zone_name: str) -> tuple[datetime | None, datetime | None]:
    zone = ZoneInfo(zone_name)
    day = now.astimezone(zone).date()
    midnight, next_midnight = (
        datetime.combine(each, time(0), zone).astimezone(UTC) for each in (day, day + timedelta(days=1))
    )
    match when:
        case TaskTime.OVERDUE:
            return _FIRST_OF_TIME, now
        case TaskTime.TODAY:
            return midnight, next_midnight
        case TaskTime.LATER:
            return next_midnight, None
        case _:
            return None, None


def _one(conn: Reading, call: Call[Query, NoBody]) -> Task:
    return _of(queries.one_task(conn, call.access, call.number()), call.hub.clock.now())


def _made(desk: Desk, call: Call[Any, NewTaskBody]) -> Task:
    body = call.body
    _demand_card(desk, body.deal_id)
    plain = (
        "title",
        "text",
        "kind",
        "due_at",
        "contact_id",
        "lead_id",
        "deal_id",
        "company_id",
        "recurrence",
        "origin",
    )
    new = NewTask(
        **{name: getattr(body, name) for name in plain},
        assignee=body.assignee if "assignee" in body.model_fields_set else call.user.login,
        checklist=[each.text for each in body.checklist],
        tags=body.tags,
        fields=body.fields,
        author=call.user.login,
    )
    return _shown(desk, services.make(desk, new))


def _changed(desk: Desk, call: Call[Any, TaskPatch]) -> Task:
    body = call.body
    _demand_seen(desk, call)
    _demand_card(desk, body.deal_id)
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set & set(TaskBody.model_fields)}
    if "checklist" in given:
        given["checklist"] = [each.model_dump() for each in body.checklist]
    return _kept(desk, lambda: services.change(desk, call.number(), TaskChange(**given), body.version))


def _closed(desk: Desk, call: Call[Any, CloseBody]) -> Task:
    body = call.body
    _demand_seen(desk, call)
    files = [
        TaskFile(each.name, each.content_type, each.size, each.sha256)
        for each in file_queries.uploads(desk, body.attachments, by=call.user.login)
    ]
    return _kept(desk, lambda: services.close(desk, call.number(), call.user.login, body.result, body.version, files))


def _cancelled(desk: Desk, call: Call[Any, CancelBody]) -> Task:
    body = call.body
    _demand_seen(desk, call)
    return _kept(desk, lambda: services.cancel(desk, call.number(), call.user.login, body.reason, body.version))


def _reopened(desk: Desk, call: Call[Any, ReopenBody]) -> Task:
    _demand_seen(desk, call)
    return _kept(desk, lambda: services.reopen(desk, call.number(), call.user.login, call.body.version))


def _demand_seen(desk: Desk, call: Call[Any, Any]) -> None:
    """Raise NotFound for a task about a card that whoever acts does not see, unless the task is theirs."""
    task, _ = desk.work.task(call.number())
    if call.user.login not in {task.assignee, task.author}:
        try:
            _demand_card(desk, task.deal_id)
        except NotFound as err:
            raise NotFound("there is no task {task}", task=task.id) from err


def _demand_card(desk: Desk, deal_id: int | None) -> None:
    """Raise NotFound where whoever acts does not see a card."""
    for card in desk.work.related(DealRecord, "id", [deal_id]) if deal_id is not None else ():
        demand_access(desk, place_of(desk, card.stage_id)[0], card)


def _kept(desk: Desk, act_on: Callable[[], TaskRecord]) -> Task:
    """What an act leaves; a refused one shows the task as it is."""
    return or_as_it_is(lambda: _shown(desk, act_on()), TaskRecord, lambda task: _as_it_is(desk, task))


def _shown(desk: Desk, task: TaskRecord) -> Task:
    settle(desk)
    return _as_it_is(desk, desk.work.peek(TaskRecord, task.id) or task)


def _as_it_is(desk: Desk, task: TaskRecord) -> Task:
    client = desk.work.contact(task.contact_id).name if task.contact_id is not None else None
    return task_json(task, client, desk.now)


def _act(path: str, handler: Any, body: type[Taken], summary: str) -> Operation:
    return act("POST", path, handler, tag=_TAG, summary=summary, right=Right.KEEP_SALES, body=body, response=Task)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/tasks",
        _listed,
        tag=_TAG,
        summary="Tasks, the most urgent first",
        right=Right.SEE_SALES,
        query=TaskQuery,
        response=Tasks,
    ),
    act(
        "POST",
        "/tasks",
        _made,
        tag=_TAG,
        summary="Give a task",
        right=Right.KEEP_SALES,
        body=NewTaskBody,
        response=Task,
        status=201,
    ),
    read("/tasks/{id}", _one, tag=_TAG, summary="One task", right=Right.SEE_SALES, response=Task),
    act(
        "PATCH",
        "/tasks/{id}",
        _changed,
        tag=_TAG,
        summary="Change an open task or give it to somebody else: what is not named stays",
        right=Right.KEEP_SALES,
        body=TaskPatch,
        response=Task,
    ),
    _act("/tasks/{id}/close", _closed, CloseBody, "Close a task with its result"),
    _act("/tasks/{id}/cancel", _cancelled, CancelBody, "A task is not to be done after all: say why"),
    _act("/tasks/{id}/reopen", _reopened, ReopenBody, "A task is not done after all"),
)
