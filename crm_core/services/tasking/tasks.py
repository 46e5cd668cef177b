"""Tasks: given, changed, done with a result in words. What is due and who is told follows; see `task_ladder`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm_core.errors import Conflict, InvalidInput, NotFound, Outdated
from crm_core.messages import EntryKind
from crm_core.model.records import ContactRecord, DealRecord, EntryRecord, LeadRecord
from crm_core.model.recurrence import checked_recurrence, next_time
from crm_core.model.rights import Right
from crm_core.model.selling import CompanyRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.services.clients.contacts import UNSET, Unset, clean_tags
from crm_core.services.clients.tagging import one_of_each_group
from crm_core.services.custom import fields
from crm_core.services.desk import Desk
from crm_core.services.tasking.task_files import TaskFile, keep_files
from crm_core.services.tasking.task_ladder import term
from crm_core.services.wording import Phrase
from crm_core.wording import Said, Sentence, plain

Json = Any
_LONGEST_RESULT = 10_000
_BY_ITSELF = "hub"


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be given. Its client is that of its deal or lead where none is named; `origin`, where given, makes it
    once whatever repeats; `author` is who acts where it is left empty."""

    title: str
    assignee: str | None = None
    due_at: datetime | None = None
    contact_id: int | None = None
    lead_id: int | None = None
    deal_id: int | None = None
    company_id: int | None = None
    text: str = ""
    kind: str = ""
    recurrence: str | None = None
    origin: str | None = None
    checklist: Sequence[str] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()
    author: str = ""


@dataclass(frozen=True, slots=True)
class TaskChange:
    """What is to be changed of a task; unset fields stay. `checklist` is `[{text, done}, …]`."""

    title: str | Unset = UNSET
    text: str | Unset = UNSET
    kind: str | Unset = UNSET
    assignee: str | Unset | None = UNSET
    due_at: datetime | Unset | None = UNSET
    contact_id: int | Unset | None = UNSET
    lead_id: int | Unset | None = UNSET
    deal_id: int | Unset | None = UNSET
    company_id: int | Unset | None = UNSET
    recurrence: str | Unset | None = UNSET
    checklist: Json | Unset = UNSET
    tags: Sequence[str] | Unset = UNSET
    fields: Mapping[str, Any] | Unset = UNSET


def make(desk: Desk, new: NewTask) -> TaskRecord:
    """Give a task; the one of its `origin` where that was given already.

    Raises InvalidInput for a person who can't be given work or a recurrence that makes no sense, NotFound for a client,
    deal, lead or company that is not there.
    """
    return make_all(desk, [new])[0]


def make_all(desk: Desk, wanted: Sequence[NewTask]) -> list[TaskRecord]:
    """The same of many, asking the database once for all."""
    desk.demand(Right.KEEP_SALES)
    origins = {each.origin for each in wanted if each.origin is not None}
    known = {each.origin: each for each in desk.work.related(TaskRecord, "origin", origins)} if origins else {}
    fresh = [each for each in wanted if each.origin is None or each.origin not in known]
    _read_ahead(desk, fresh)
    made: list[TaskRecord] = []
    for new in wanted:
        task = known.get(new.origin) if new.origin is not None else None
        if task is None:
            task = _made(desk, new)
            known[new.origin] = task
        made.append(task)
    return made


def change(desk: Desk, task_id: int, given: TaskChange, version: int | None = None) -> TaskRecord:
    """Correct an open task or give it to somebody else; raises NotFound, InvalidInput, Conflict for one that is over,
    Outdated where it is no longer the `version` that was seen."""
    desk.demand(Right.KEEP_SALES)
    before = _open(desk, task_id, version)
    plain = ("title", "text", "kind", "due_at", "checklist")
    changes: dict[str, Any] = {name: value for name in plain if not isinstance(value := getattr(given, name), Unset)}
    if not isinstance(given.assignee, Unset):
        changes["assignee"] = _doer(desk, given.assignee)
    if not isinstance(given.tags, Unset):
        changes["tags"] = one_of_each_group(desk, "task", before.tags, clean_tags(given.tags))
    if not isinstance(given.fields, Unset):
        changes["fields"] = fields.given(desk, "task", before.fields, given.fields)
    links = {
        name: value
        for name in ("contact_id", "lead_id", "deal_id", "company_id")
        if not isinstance(value := getattr(given, name), Unset)
    }
    if links:
        wanted = {name: getattr(before, name) for name in ("contact_id", "lead_id", "deal_id", "company_id")} | links
        if "contact_id" not in links and ("deal_id" in links or "lead_id" in links):
            wanted["contact_id"] = None  # whose deal or lead it is now
        changes |= wanted | {"contact_id": _client(desk, **wanted)}
    after = before._replace(**changes)
    if not isinstance(given.recurrence, Unset):
        after = after._replace(recurrence=_recurrence(desk, given.recurrence, after.due_at))
    elif after.recurrence is not None and after.due_at is None:
        raise InvalidInput("due_at: a task that recurs has a deadline")
    if not after.title:
        raise InvalidInput("title: a task has a title")
    if after != before:
        after = after._replace(updated_at=desk.now)
        desk.work.put(after)
    return after


def close(
    desk: Desk,
    task_id: int,
    login: str,
    result: str,
    version: int | None = None,
    files: Sequence[TaskFile] = (),
) -> TaskRecord:
    """The task is done, with this result; the next of a series is made in the same transaction, once. `files` stand
    beside the result on the timeline of its client and deal.

    Raises InvalidInput without a result, or with files of a task that is about no client, NotFound, Conflict for one
    that is over, Outdated.
    """
    desk.demand(Right.KEEP_SALES)
    before = _open(desk, task_id, version)
    if files and before.contact_id is None:
        raise InvalidInput("attachments: the task is about no client, there is no timeline to keep them on")
    told = _told(result, Sentence("a task is closed with a result: give «result»"))
    return _ended(desk, before, TaskState.DONE, login, told, files=files)


def cancel(desk: Desk, task_id: int, login: str, reason: str, version: int | None = None) -> TaskRecord:
    """The task is not to be done, for this reason; a series ends with it. Raises as `close` does."""
    desk.demand(Right.KEEP_SALES)
    before = _open(desk, task_id, version)
    return _ended(
        desk, before, TaskState.CANCELLED, login, _told(reason, Sentence("say why it is cancelled: give «reason»"))
    )


def reopen(desk: Desk, task_id: int, login: str, version: int | None = None) -> TaskRecord:
    """It is not done after all; one that is open stays so. Raises NotFound, Outdated."""
    desk.demand(Right.KEEP_SALES)
    before, contact = desk.work.task(task_id)
    _same_version(before, version)
    if before.state is TaskState.OPEN:
        return before
    after = before._replace(state=TaskState.OPEN, done_at=None, done_by=None, result="", updated_at=desk.now)
    desk.work.put(after)
    _note(desk, after, contact, desk.say(Phrase.TASK_REOPENED, title=after.title), login)
    return after


def lapse(desk: Desk, tasks: Sequence[TaskRecord], why: str) -> None:
    """Tasks that nobody has to do any more, for a reason that is not a person's."""
    for task in tasks:
        contact = desk.work.contact(task.contact_id) if task.contact_id is not None else None
        _ended(desk, task, TaskState.CANCELLED, desk.work.author or _BY_ITSELF, why, contact)


# ---------------------------------------------------------------- inside


def _made(desk: Desk, new: NewTask) -> TaskRecord:
    title = " ".join(new.title.split())
    if not title:
        raise InvalidInput("title: a task has a title")
    contact_id = _client(desk, new.contact_id, new.lead_id, new.deal_id, new.company_id)
    task_id = desk.work.next_id()
    recurrence = _recurrence(desk, new.recurrence, new.due_at)
    task = TaskRecord(
        id=task_id,
        title=title,
        state=TaskState.OPEN,
        created_at=desk.now,
        updated_at=desk.now,
        author=new.author or desk.work.author or _BY_ITSELF,
        assignee=_doer(desk, new.assignee),
        due_at=new.due_at,
        contact_id=contact_id,
        lead_id=new.lead_id,
        deal_id=new.deal_id,
        company_id=new.company_id,
        text=new.text,
        kind=new.kind,
        recurrence=recurrence,
        series_id=task_id if recurrence is not None else None,
        origin=new.origin,
        checklist=[{"text": text, "done": False} for text in new.checklist],
        fields=fields.given(desk, "task", {}, new.fields),
        tags=one_of_each_group(desk, "task", (), clean_tags(new.tags)),
    )
    return _begun(desk, task)


def _begun(desk: Desk, task: TaskRecord) -> TaskRecord:
    desk.work.put(task)
    contact = desk.work.contact(task.contact_id) if task.contact_id is not None else None
    words = {"title": task.title, "assignee": desk.name_of(task.assignee), "term": term(desk, task)}
    _note(desk, task, contact, desk.say(Phrase.TASK_MADE, **words), task.author)
    desk.emit("task.created", task.id, _data(task))
    return task


def _ended(
    desk: Desk,
    before: TaskRecord,
    state: TaskState,
    login: str,
    result: str,
    contact: ContactRecord | None = None,
    files: Sequence[TaskFile] = (),
) -> TaskRecord:
    after = before._replace(state=state, result=plain(result), done_at=desk.now, done_by=login, updated_at=desk.now)
    desk.work.put(after)
    if contact is None and after.contact_id is not None:
        contact = desk.work.contact(after.contact_id)
    phrase = Phrase.TASK_DONE if state is TaskState.DONE else Phrase.TASK_CANCELLED
    entry = _note(desk, after, contact, desk.say(phrase, title=after.title, result=result), login)
    if entry is not None:
        keep_files(desk, entry, files)
    desk.emit("task.closed", after.id, {**_data(after), "state": state.value, "result": result})
    if state is TaskState.DONE and after.recurrence is not None and after.due_at is not None:
        _next_of_series(desk, after, after.due_at, after.recurrence)
    return after


def _next_of_series(desk: Desk, done: TaskRecord, due_at: datetime, recurrence: str) -> None:
    """The next task of a series: due at its next time, those passed over that lie behind already."""
    origin = f"next:{done.id}"
    if desk.work.related(TaskRecord, "origin", [origin]):
        return
    first = desk.work.get(TaskRecord, done.series_id) if done.series_id is not None else done
    begun = first.due_at if first.due_at is not None else due_at
    due = next_time(recurrence, min(begun, due_at), max(due_at, desk.now), _zone(desk))
    if due is None:
        return
    user = desk.work.staff.get(done.assignee)
    following = done._replace(
        id=desk.work.next_id(),
        state=TaskState.OPEN,
        created_at=desk.now,
        updated_at=desk.now,
        due_at=due,
        assignee=done.assignee if user is not None and user.active else None,
        origin=origin,
        series_id=done.series_id or done.id,
        result="",
        done_at=None,
        done_by=None,
        overdue_at=None,
        rung=None,
        checklist=[{**each, "done": False} for each in done.checklist],
        version=1,
    )
    _begun(desk, following)


def _open(desk: Desk, task_id: int, version: int | None) -> TaskRecord:
    task, _ = desk.work.task(task_id)
    _same_version(task, version)
    if task.state is not TaskState.OPEN:
        raise Conflict(
            "the task is over: {state} since {time}",
            state=task.state.value,
            time=desk.local(task.done_at or task.updated_at),
        )
    return task


def _same_version(task: TaskRecord, version: int | None) -> None:
    if version is not None and version != task.version:
        raise Outdated(
            "the task was changed meanwhile: it is at version {now}, not {version}",
            task,
            now=task.version,
            version=version,
        )


def _told(text: str, missing: Sentence) -> str:
    if not text.strip():
        raise InvalidInput(missing)
    if len(text) > _LONGEST_RESULT:
        raise InvalidInput("at most {most} characters", most=_LONGEST_RESULT)
    return text if isinstance(text, Said) else text.strip()


def _doer(desk: Desk, login: str | None) -> str | None:
    user = desk.work.staff.get(login)
    if login is not None and (user is None or not user.active):
        raise InvalidInput("assignee: there is no active user «{user}»", user=login)
    return login


def _recurrence(desk: Desk, given: str | None, due_at: datetime | None) -> str | None:
    if given is None or not given.strip():
        return None
    if due_at is None:
        raise InvalidInput("due_at: a task that recurs has a deadline")
    try:
        return checked_recurrence(given, due_at, _zone(desk))
    except ValueError as err:
        raise InvalidInput("recurrence: {why}", why=err) from err


def _read_ahead(desk: Desk, wanted: Sequence[NewTask]) -> None:
    """What the tasks are about, all at once; clients first, for they are locked first."""
    clients = {each.contact_id for each in wanted if each.contact_id is not None}
    unread = {each for each in clients if desk.work.peek(ContactRecord, each) is None}
    if unread:
        desk.work.contacts(unread)
    cards = {each.deal_id for each in wanted if each.deal_id is not None and each.contact_id is None}
    if cards:
        desk.work.cards(cards)


def _client(
    desk: Desk, contact_id: int | None, lead_id: int | None, deal_id: int | None, company_id: int | None
) -> int | None:
    """Whose task it is: the client named, else that of the deal or the lead; raises NotFound for what is not there."""
    found: list[int | None] = []
    if deal_id is not None:
        found.append((desk.work.peek(DealRecord, deal_id) or desk.work.card(deal_id)[0]).contact_id)
    if lead_id is not None:
        found.append((desk.work.peek(LeadRecord, lead_id) or desk.work.owned(LeadRecord, lead_id)[0]).contact_id)
    if company_id is not None and desk.work.get(CompanyRecord, company_id).deleted_at is not None:
        raise NotFound("there is no company {company}", company=company_id)
    client = contact_id if contact_id is not None else next((each for each in found if each is not None), None)
    if client is None:
        return None
    contact = desk.work.contact(client)
    if contact.merged_into is not None:
        contact = desk.work.contact(contact.merged_into)
    if contact.deleted_at is not None:
        raise NotFound("there is no contact {contact}", contact=client)
    return contact.id


def _note(desk: Desk, task: TaskRecord, contact: ContactRecord | None, text: str, author: str) -> EntryRecord | None:
    if contact is None:
        return None
    by_person = desk.work.staff.get(author) is not None
    links = {"deal_id": task.deal_id, "lead_id": task.lead_id}
    return desk.note(contact.id, text, kind=EntryKind.TASK, author=author, by_person=by_person, **links)


def _data(task: TaskRecord) -> dict[str, Any]:
    names = ("id", "title", "kind", "assignee", "contact_id", "deal_id", "lead_id", "company_id")
    due = task.due_at.isoformat() if task.due_at is not None else None
    return {**{name: getattr(task, name) for name in names}, "due_at": due}


def _zone(desk: Desk) -> ZoneInfo:
    return ZoneInfo(desk.office.time_zone)
