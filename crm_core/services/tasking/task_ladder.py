"""What follows of a task: its deadline, who is told of it, and the ladder of one that is not done in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_core.model.history import Change
from crm_core.model.ladder import Ladder, LadderEvent, Told
from crm_core.model.records import ContactRecord, DeadlineKind, DeadlineRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.services.watching.ladders import key, still_due
from crm_core.services.watching.telling import tell
from crm_core.services.wording import Phrase
from crm_core.wording import Joined

# Of more than so many given to one person in one act they are told in one notice.
_EACH_TOLD = 5


def settle_tasks(desk: Desk, changes: Sequence[Change]) -> None:
    """Every open task with a deadline has its row, and whoever was given one by another is told."""
    given: dict[str, list[TaskRecord]] = {}
    for before, after in changes:
        if not isinstance(after, TaskRecord):
            if isinstance(before, TaskRecord):
                desk.work.remove(DeadlineRecord, key(DeadlineKind.TASK, before.id))
            continue
        task = _watched(desk, before, after)
        if before is None or before.assignee != task.assignee:
            by = task.author if before is None else desk.work.author
            if task.assignee is not None and task.assignee != by and _is_open(task):
                given.setdefault(task.assignee, []).append(task)
    for login, tasks in given.items():
        _tell_of_given(desk, login, tasks)


def task_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """A task's deadline has come (rung 0), or the time of a step of its ladder (rung n: step n - 1)."""
    task, contact = desk.work.task(deadline.subject_id)
    if not still_due(desk, deadline):
        return
    desk.work.remove(DeadlineRecord, deadline.key)
    if not _is_open(task) or task.due_at is None:
        return
    ladder = desk.office.ladders.get(LadderEvent.TASK_OVERDUE)
    if deadline.rung == 0:
        _came_due(desk, task, contact, ladder)
    elif ladder is not None and deadline.rung <= len(ladder.steps):
        _climb(desk, task, contact, ladder, deadline.rung - 1)


def term(desk: Desk, task: TaskRecord) -> str:
    """Until when a task is to be done, for people."""
    if task.due_at is None:
        return desk.say(Phrase.TASK_NO_TERM)
    return desk.say(Phrase.TASK_TERM, time=desk.local(task.due_at))


def _watched(desk: Desk, before: TaskRecord | None, task: TaskRecord) -> TaskRecord:
    """The task, its deadline set or taken away as its time and state ask for."""
    watched = before is not None and _is_open(before)
    if _is_open(task) == watched and before is not None and before.due_at == task.due_at:
        return task
    deadline_key = key(DeadlineKind.TASK, task.id)
    if not _is_open(task) or task.due_at is None:
        if before is not None:
            desk.work.remove(DeadlineRecord, deadline_key)
        return task
    desk.work.put(DeadlineRecord(deadline_key, DeadlineKind.TASK, task.id, task.due_at))
    if task.overdue_at is not None or task.rung is not None:
        task = task._replace(overdue_at=None, rung=None)
        desk.work.put(task)
    return task


def _tell_of_given(desk: Desk, login: str, tasks: list[TaskRecord]) -> None:
    user = desk.work.staff.get(login)
    if user is None or desk.quiet:
        return
    people = _with_deputy(desk, user)
    if len(tasks) > _EACH_TOLD:
        first = min(tasks, key=lambda each: (each.due_at is None, each.due_at or desk.now, each.id))
        words = {"count": len(tasks), "title": first.title, "term": term(desk, first)}
        cause = f"tasks:{desk.work.next_id()}:assigned"
        tell(desk, people, cause, desk.say(Phrase.TASKS_ASSIGNED, **words))
        return
    for task in tasks:
        contact = desk.work.contact(task.contact_id) if task.contact_id is not None else None
        text = desk.say(Phrase.TASK_ASSIGNED, title=task.title, term=term(desk, task), client=_client(desk, contact))
        # A task may come back to somebody: every time is told.
        cause = f"task:{task.id}:{desk.work.next_id()}:assigned"
        tell(desk, people, cause, _whole(text, task), contact_id=task.contact_id)


def _came_due(desk: Desk, task: TaskRecord, contact: ContactRecord | None, ladder: Ladder | None) -> None:
    """It is due: whoever is to do it hears of it, and those of a ladder's step that comes at once."""
    due_at = task.due_at or desk.now
    first = ladder.due(0, due_at) if ladder is not None else None
    at_once = ladder is not None and first is not None and first <= due_at
    tell_whom = (Told.MANAGER, *(ladder.steps[0].tell if ladder is not None and at_once else ()))
    text = desk.say(Phrase.TASK_DUE, title=task.title, time=desk.local(due_at), client=_client(desk, contact))
    tell(desk, _people(desk, task, tell_whom), _cause(task, 0), _whole(text, task), contact_id=task.contact_id)
    desk.work.put(task._replace(overdue_at=due_at, rung=0 if at_once else None))
    desk.emit("task.due", task.id, _data(task))
    _next_step(desk, task, ladder, 1 if at_once else 0)


def _climb(desk: Desk, task: TaskRecord, contact: ContactRecord | None, ladder: Ladder, step: int) -> None:
    due_at = task.due_at or desk.now
    words = {"title": task.title, "time": desk.local(due_at), "assignee": desk.name_of(task.assignee)}
    text = desk.say(Phrase.TASK_OVERDUE, **words, client=_client(desk, contact))
    people = _people(desk, task, ladder.steps[step].tell)
    told = tell(desk, people, _cause(task, step + 1), _whole(text, task), contact_id=task.contact_id)
    desk.work.put(task._replace(rung=step))
    if contact is not None:
        names = ", ".join(user.name for user in told) or "—"
        line = Joined((desk.say(Phrase.RUNG_TOLD, rung=step, names=names), f"«{task.title}»"), " ")
        desk.note(contact.id, line, author="hub", deal_id=task.deal_id, lead_id=task.lead_id)
    data = {**_data(task), "rung": step, "told": [user.login for user in told]}
    desk.emit("task.overdue", task.id, data)
    _next_step(desk, task, ladder, step + 1)


def _next_step(desk: Desk, task: TaskRecord, ladder: Ladder | None, step: int) -> None:
    due = ladder.due(step, task.due_at) if ladder is not None and task.due_at is not None else None
    if due is not None:
        desk.work.put(DeadlineRecord(key(DeadlineKind.TASK, task.id), DeadlineKind.TASK, task.id, due, step + 1))


def _people(desk: Desk, task: TaskRecord, whom: Sequence[Told]) -> tuple[User, ...]:
    staff = desk.work.staff
    return desk.policies.ladder.recipients(tuple(dict.fromkeys(whom)), staff.get(task.assignee), staff, desk.now)


def _with_deputy(desk: Desk, user: User) -> tuple[User, ...]:
    return desk.policies.ladder.recipients((Told.MANAGER,), user, desk.work.staff, desk.now)


def _is_open(task: TaskRecord) -> bool:
    return task.state is TaskState.OPEN and task.deleted_at is None


def _cause(task: TaskRecord, number: int) -> str:
    at = int(task.due_at.timestamp()) if task.due_at is not None else 0
    return f"task:{task.id}:{at}:{number}"


def _client(desk: Desk, contact: ContactRecord | None) -> str:
    return desk.client(contact) if contact is not None else ""


def _whole(text: str, task: TaskRecord) -> str:
    """The notice with what is to be done in detail: it is read on a telephone."""
    return f"{text.strip()}\n{task.text}" if task.text else text.strip()


def _data(task: TaskRecord) -> dict[str, Any]:
    names = ("id", "title", "assignee", "contact_id", "deal_id", "lead_id")
    due = task.due_at.isoformat() if task.due_at is not None else None
    return {**{name: getattr(task, name) for name in names}, "due_at": due}
