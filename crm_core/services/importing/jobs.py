"""Lines of tasks: who is to do what until when, for whom."""

from __future__ import annotations

from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.importing import Became
from crm_core.model.records import ContactRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.services.importing.batch import Batch, Given
from crm_core.services.importing.clients import Clients
from crm_core.services.importing.words import Fault
from crm_core.services.recognising.cleaning import clean_name

TASK = "task"
DEAL = "deal"
_DONE = frozenset({"done", "completed", "выполнена", "выполнено", "завершена", "завершено", "закрыта"})
_CANCELLED = frozenset({"cancelled", "canceled", "отменена", "отменено", "отклонена"})


def take(batch: Batch, lines: list[Given]) -> None:
    """Take lines of tasks in. A fixed number of statements."""
    keys = {each.line.number: batch.key_of(each) or f"{TASK}:line:{each.digest}" for each in lines}
    clients = Clients(batch)
    batch.look_up([*keys.values(), *clients.name_keys(lines)])
    batch.look_up(batch.key_of(each, kind=DEAL, target="deal_id") for each in lines)
    clients.read(lines)
    known = [batch.refs[key] for key in keys.values() if key in batch.refs]
    own = [number for each in lines if (number := batch.hub_id(each)) is not None]
    work = batch.desk.work
    if known or own:
        work.related(TaskRecord, "id", [*known, *own])
    for given in lines:
        key = keys[given.line.number]
        number = batch.refs.get(key) or batch.hub_id(given)
        before = work.peek(TaskRecord, number) if number is not None else None
        _take_one(batch, clients, given, key, batch.verified(given, before))
    clients.settle()


def _take_one(batch: Batch, clients: Clients, given: Given, key: str, before: TaskRecord | None) -> None:
    title = clean_name(given.text("title"))
    if before is not None and before.deleted_at is not None:
        batch.refuse(given, Fault.ERASED)
        return
    if before is None and not title:
        batch.refuse(given, Fault.NO_NAME)
        return
    seen = batch.seen([key])
    contact = clients.of_line(given)
    task = before if before is not None else _new(batch, given, title)
    after = _filled(batch, given, task, contact, title)
    batch.remember(key, TASK, after.id)
    if before is None or after != before:
        batch.desk.work.put(after if before is None else after._replace(updated_at=batch.desk.now))
    if before is None:
        batch.became(given, Became.UPDATED if seen else Became.CREATED, after.id)
    else:
        batch.became(given, Became.UPDATED if after != before else Became.UNCHANGED, after.id)


def _new(batch: Batch, given: Given, title: str) -> TaskRecord:
    desk = batch.desk
    state = _state(given.text("state"))
    created = min(batch.moment(given, "created_at") or desk.now, desk.now)
    return TaskRecord(
        id=desk.work.next_id(),
        title=title,
        state=state,
        created_at=created,
        updated_at=desk.now,
        author=batch.how.author,
        result=given.text("result") if state is not TaskState.OPEN else "",
        done_at=desk.now if state is TaskState.DONE else None,
    )


def _state(text: str) -> TaskState:
    given = written.one_form(text)
    if given in _CANCELLED:
        return TaskState.CANCELLED
    try:
        done = given in _DONE or (bool(given) and written.flag(given))
    except InvalidInput:
        done = False
    return TaskState.DONE if done else TaskState.OPEN


def _filled(batch: Batch, given: Given, task: TaskRecord, contact: ContactRecord | None, title: str) -> TaskRecord:
    key = batch.key_of(given, kind=DEAL, target="deal_id")
    changes: dict[str, Any] = {
        "title": title,
        "assignee": batch.manager(given) or (contact.manager if contact is not None else None),
        "due_at": batch.moment(given, "due_at"),
        "contact_id": contact.id if contact is not None else None,
        "deal_id": batch.refs.get(key) if key is not None else None,
        "text": given.text("text"),
        "kind": clean_name(given.text("kind")),
    }
    after: TaskRecord = batch.with_tags(batch.merged(task, changes), batch.tags(given))
    fields = batch.fields(given, after.fields)
    return after._replace(fields=fields) if fields != after.fields else after
