"""The list of tasks and the page of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from aiohttp import web

from crm_core.model.definitions.fields import FieldType
from crm_core.model.fields import Field, fields_of
from crm_core.model.records import AttachmentRecord, DealRecord, IdentityRecord
from crm_core.model.task import TaskState
from crm_core.model.user import Staff, User
from crm_core.storage.queries.contacts import identities_of
from crm_core.storage.queries.pages import Page, Reading, Slice
from crm_core.storage.queries.tasks import TaskCard, TaskFilter, files_of_task, list_tasks, one_task
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.cards import card_about
from hub.web.board.words import value_text
from hub.web.live.topics import of_client
from hub.web.pages import Answer, Pages, number_in, user_here
from hub.web.tongues import NP_, pgettext

_ROWS = 50
_PARTS: Final = frozenset({"facts", "acts"})


class When(StrEnum):
    """Which tasks are shown, by their deadline; or those that are done."""

    OPEN = "open"
    OVERDUE = "overdue"
    TODAY = "today"
    LATER = "later"
    NONE = "none"
    DONE = "done"


WHEN: Final[Mapping[When, str]] = {
    When.OPEN: NP_("tasks", "all open"),
    When.OVERDUE: NP_("tasks", "overdue"),
    When.TODAY: NP_("tasks", "for today"),
    When.LATER: NP_("tasks", "later"),
    When.NONE: NP_("tasks", "without a deadline"),
    When.DONE: NP_("tasks", "done"),
}


@dataclass(frozen=True, slots=True)
class TasksView:
    """The list; `person` is whose tasks they are, None: everybody's. `people` are those who can be chosen; `oversees`
    says that everybody's can."""

    page: Page[TaskCard]
    staff: Staff
    people: tuple[User, ...]
    person: str | None
    oversees: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task with what whoever does it needs: how to reach the client, the card, the fields that hold something;
    and of one that is done the files that came of it."""

    card: TaskCard
    identities: tuple[IdentityRecord, ...]
    deal: DealRecord | None
    fields: tuple[tuple[str, str], ...]
    staff: Staff
    people: tuple[User, ...]
    overdue: bool
    files: tuple[AttachmentRecord, ...]


def tasks_view(conn: Reading, asker: Asker, when: When, person: str, after: str | None) -> TasksView:
    """The tasks of one person; of everybody (`person` is `*`) where the asker oversees them. Three statements."""
    logins = asker.logins()
    people = tuple(
        each for each in asker.staff.by_login.values() if each.active and (logins is None or each.login in logins)
    )
    everybody = person == "*" and asker.everybody
    known = {each.login for each in people}
    whose = None if everybody else person if person in known else asker.login
    since, until = _span(asker, when)
    wanted = TaskFilter(
        state=TaskState.DONE if when is When.DONE else TaskState.OPEN,
        assignee=whose,
        since=since,
        until=until,
        undated=when is When.NONE,
    )
    page = list_tasks(conn, asker.access, wanted, Slice(after, _ROWS))
    return TasksView(
        page, asker.staff, tuple(sorted(people, key=lambda each: each.name)), whose, asker.everybody, asker.now
    )


def task_view(conn: Reading, asker: Asker, task_id: int) -> TaskView:
    """One task; raises NotFound. Eight statements at most."""
    card = one_task(conn, asker.access, task_id)
    task, contact = card.task, card.contact
    seen = card_about(conn, asker, task.deal_id)
    held = identities_of(conn, [contact.id]).get(contact.id, ()) if contact is not None else ()
    known: list[tuple[str, str]] = []
    for kind, values in (("contact", contact.fields if contact else {}), ("deal", seen.fields if seen else {})):
        declared = fields_of(asker.catalogue, kind).by_key.values()
        held_values = ((each, values.get(each.key)) for each in declared)
        known.extend(
            (each.title, _said(each, value, asker.staff)) for each, value in held_values if value not in (None, "", [])
        )
    people = tuple(sorted((each for each in asker.staff.by_login.values() if each.active), key=lambda each: each.name))
    overdue = task.state is TaskState.OPEN and task.due_at is not None and task.due_at < asker.now
    files = files_of_task(conn, task) if contact is not None else ()
    return TaskView(card, held, seen, tuple(known), asker.staff, people, overdue, files)


class TaskPages:
    """The pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show_all(self, request: web.Request) -> Answer:
        """The list; with `?part=live` only what refreshes by itself."""
        hub, user, query = self._pages.hub, user_here(request), request.query
        when = When(query["when"]) if query.get("when") in set(When) else When.OPEN
        person, after = query.get("person", "")[:64], query.get("after")
        view = await hub.store.read(lambda conn: tasks_view(conn, hub.store.asker(conn, user), when, person, after))
        context: dict[str, Any] = {
            "view": view,
            "when": when,
            "whens": [(each, pgettext("tasks", word)) for each, word in WHEN.items()],
            "address": _address(when, person),
            "paged": after is not None,
        }
        if query.get("part") == "live":
            return self._pages.fragment(request, "tasks/live.html", **context)
        return self._pages.render(request, "tasks/page.html", **context)

    async def show(self, request: web.Request) -> Answer:
        """One task; with `?part=facts` what it is about, with `?part=acts` what came of it or is yet to be done: each
        refreshes by itself, so that what is half written holds up its own part alone."""
        hub, user, task_id = self._pages.hub, user_here(request), number_in(request)
        view = await hub.store.read(lambda conn: task_view(conn, hub.store.asker(conn, user), task_id))
        context: dict[str, Any] = {"view": view, "task": view.card.task, "topics": _topics(view)}
        if (part := request.query.get("part", "")) in _PARTS:
            return self._pages.fragment(request, f"tasks/{part}.html", **context)
        return self._pages.render(request, "tasks/task.html", **context)


def _span(asker: Asker, when: When) -> tuple[datetime | None, datetime | None]:
    match when:
        case When.OVERDUE:
            return datetime(1970, 1, 1, tzinfo=asker.now.tzinfo), asker.now
        case When.TODAY:
            return asker.midnight(), asker.midnight(1)
        case When.LATER:
            return asker.midnight(1), None
        case _:
            return None, None


def _topics(view: TaskView) -> str:
    """What a task's page shows: the task, and its client with whom a deal and a task of theirs are told of."""
    if view.card.contact is not None:
        return of_client(view.card.contact.id)
    return "tasks" if view.deal is None else "tasks deals"


def _address(when: When, person: str) -> str:
    return f"/tasks?when={when.value}" + (f"&person={person}" if person else "")


def _said(field: Field, value: Any, staff: Staff) -> str:
    """A field's value for people; of somebody of the office their name."""
    person = staff.get(value) if field.type is FieldType.USER and isinstance(value, str) else None
    return person.name if person is not None else value_text(field, value)
