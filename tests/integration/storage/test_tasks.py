"""Tasks: given once, done with a result, recurring, told when they are due, and climbing while they are not done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert

from crm_core.errors import Conflict, InvalidInput, NotFound, Outdated
from crm_core.model.records import DeadlineRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.services.clients.contacts import ContactChange, create
from crm_core.services.desk import Desk
from crm_core.services.firing import fire
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask, TaskChange
from crm_core.storage import queues, tables
from crm_core.storage.queries.pages import Slice
from crm_core.storage.queries.tasks import TaskFilter, tasks_statement
from tests.integration.storage.world import World, at


async def by(world: World, login: str, service: Callable[[Desk], Any]) -> Any:
    """Somebody does something."""

    def acting(desk: Desk) -> Any:
        desk.work.author = login
        return service(desk)

    return await world.store.run(acting)


async def client(world: World, name: str = "Мария Орлова") -> int:
    """A client's id."""
    contact, _ = await world.store.run(lambda desk: create(desk, ContactChange(name=name)))
    return contact.id


async def given(world: World, **more: Any) -> TaskRecord:
    """A task that the head gives to Petr."""
    new = NewTask(**{"title": "Позвонить", "assignee": "petr", **more})
    made: TaskRecord = await by(world, "head", lambda desk: tasks.make(desk, new))
    return made


async def pass_to(world: World, seconds: float) -> None:
    """Time passes; what comes due is fired."""
    world.clock.set(at(seconds))
    for _ in range(20):
        due = await world.store.read(partial(queues.due_deadlines, now=world.clock.now(), limit=50))
        if not due:
            return
        for each in due:
            await world.store.run(partial(fire, deadline=each))
    raise AssertionError("deadlines without an end")


def _closed(task_id: int, result: str, desk: Desk) -> TaskRecord:
    return tasks.close(desk, task_id, "petr", result)


async def notices(world: World) -> list[tuple[str, str]]:
    """Who was told what."""
    rows = await world.rows("outbox", kind="notification")
    return [(row.payload["login"], row.payload["text"]) for row in rows]


async def test_a_task_stands_on_the_timeline_and_its_doer_is_told(world: World) -> None:
    contact_id = await client(world)
    task = await given(world, contact_id=contact_id, due_at=at(3600), text="ул. Ленина, 5")
    assert (task.state, task.author, task.version) == (TaskState.OPEN, "head", 1)
    entry = await world.row("timeline", kind="task")
    assert entry.text == "Задача «Позвонить»: Petr, до 02.03 13:00"
    assert (entry.contact_id, entry.author, entry.by_person) == (contact_id, "head", True)
    assert await notices(world) == [
        ("petr", "Вам задача: «Позвонить», до 02.03 13:00. Мария Орлова\nул. Ленина, 5"),
    ]
    assert [(each.key, each.due_at, each.rung) for each in await world.deadlines()] == [
        (f"task:{task.id}", at(3600), 0)
    ]


async def test_whoever_gives_themselves_a_task_is_not_told_and_a_deputy_is(world: World) -> None:
    await by(world, "petr", lambda desk: tasks.make(desk, NewTask("Своя", assignee="petr")))
    assert await notices(world) == []

    def away(conn: Any) -> None:
        from crm_core.storage.staff import touch_staff  # the office's own way of telling

        conn.exec_driver_sql("UPDATE app_user SET absent_since = created_at WHERE login = 'ivan'")
        touch_staff(conn)

    await world.store.database.write(away)
    await given(world, assignee="ivan")
    assert [login for login, _ in await notices(world)] == ["ivan", "petr"]


async def test_an_origin_makes_one_task(world: World) -> None:
    first = await given(world, origin="rule:x:1")
    again = await given(world, origin="rule:x:1", title="Другая")
    assert again.id == first.id

    def both(desk: Desk) -> list[TaskRecord]:
        return tasks.make_all(desk, [NewTask("a", origin="o"), NewTask("b", origin="o"), NewTask("c")])

    one, same, other = await world.store.run(both)
    assert one.id == same.id != other.id
    assert len(await world.rows("task")) == 3


async def test_a_task_is_closed_with_a_result_and_its_deadline_goes(world: World) -> None:
    contact_id = await client(world)
    task = await given(world, contact_id=contact_id, due_at=at(3600))
    for empty in ("", "   \n"):
        with pytest.raises(InvalidInput, match="result"):
            await by(world, "petr", partial(_closed, task.id, empty))
    done = await by(world, "petr", lambda desk: tasks.close(desk, task.id, "petr", " Договорились на среду "))
    assert (done.state, done.result, done.done_by, done.done_at) == (
        TaskState.DONE,
        "Договорились на среду",
        "petr",
        world.clock.now(),
    )
    assert await world.deadlines() == []
    texts = [row.text for row in await world.rows("timeline", kind="task")]
    assert texts[-1] == "Задача «Позвонить» выполнена. Договорились на среду"
    with pytest.raises(Conflict, match="over"):
        await by(world, "ivan", lambda desk: tasks.close(desk, task.id, "ivan", "и я"))
    reopened = await by(world, "petr", lambda desk: tasks.reopen(desk, task.id, "petr"))
    assert (reopened.state, reopened.result, reopened.done_by) == (TaskState.OPEN, "", None)
    assert [each.due_at for each in await world.deadlines()] == [at(3600)]
    cancelled = await by(world, "head", lambda desk: tasks.cancel(desk, task.id, "head", "не нужно"))
    assert cancelled.state is TaskState.CANCELLED
    assert await world.deadlines() == []
    with pytest.raises(NotFound):
        await by(world, "head", lambda desk: tasks.close(desk, 999, "head", "x"))


async def test_a_task_is_changed_by_who_saw_it_as_it_is(world: World) -> None:
    task = await given(world, due_at=at(3600))
    await by(world, "petr", lambda desk: tasks.change(desk, task.id, TaskChange(title="Написать"), version=1))
    with pytest.raises(Outdated) as refused:
        await by(world, "ivan", lambda desk: tasks.change(desk, task.id, TaskChange(title="Нет"), version=1))
    assert isinstance(refused.value.current, TaskRecord)
    assert refused.value.current.version == 2
    with pytest.raises(InvalidInput, match="nobody"):
        await by(world, "ivan", lambda desk: tasks.change(desk, task.id, TaskChange(assignee="nobody")))
    moved = TaskChange(assignee="ivan", due_at=at(7200))
    await by(world, "petr", lambda desk: tasks.change(desk, task.id, moved))
    assert [login for login, _ in await notices(world)] == ["petr", "ivan"]
    assert [each.due_at for each in await world.deadlines()] == [at(7200)]
    await by(world, "petr", lambda desk: tasks.change(desk, task.id, TaskChange(due_at=None)))
    assert await world.deadlines() == []
    row = await world.row("task")
    assert row.version == 4
    assert [each.author for each in await world.rows("change", kind="task")][-1] == "petr"


async def test_a_task_that_is_not_done_climbs(world: World) -> None:
    contact_id = await client(world)
    task = await given(world, contact_id=contact_id, due_at=at(3600))
    await pass_to(world, 3599)
    assert len(await notices(world)) == 1
    await pass_to(world, 3600)
    assert [login for login, _ in await notices(world)] == ["petr", "petr"]
    assert (await notices(world))[-1][1] == "Срок задачи «Позвонить»: 02.03 13:00. Мария Орлова"
    row = await world.row("task")
    assert (row.overdue_at, row.rung, row.version) == (at(3600), 0, 1)
    await pass_to(world, 3600 + 86_400)
    assert [login for login, _ in await notices(world)][2:] == ["petr", "head"]
    assert "Просрочена задача «Позвонить», срок был 02.03 13:00, исполнитель: Petr" in (await notices(world))[-1][1]
    assert (await world.row("task")).rung == 1
    assert await world.deadlines() == []
    # A new deadline begins anew.
    await by(world, "petr", lambda desk: tasks.change(desk, task.id, TaskChange(due_at=at(200_000)), version=1))
    row = await world.row("task")
    assert (row.overdue_at, row.rung) == (None, None)
    assert [(each.due_at, each.rung) for each in await world.deadlines()] == [(at(200_000), 0)]
    await pass_to(world, 200_000)
    assert (await world.row("task")).rung == 0


async def test_a_deadline_that_was_claimed_too_early_is_not_fired(world: World) -> None:
    task = await given(world, due_at=at(3600))
    [deadline] = await world.deadlines()
    await by(world, "petr", lambda desk: tasks.change(desk, task.id, TaskChange(due_at=at(7200))))
    world.clock.set(at(3600))
    await world.store.run(lambda desk: fire(desk, deadline))
    assert len(await notices(world)) == 1
    await by(world, "petr", lambda desk: tasks.close(desk, task.id, "petr", "готово"))
    await world.store.run(lambda desk: desk.work.put(DeadlineRecord(*deadline)))
    await world.store.run(lambda desk: fire(desk, deadline))
    assert await world.deadlines() == []
    assert len(await notices(world)) == 1


async def test_the_next_of_a_series_is_made_once(world: World) -> None:
    contact_id = await client(world)
    task = await given(world, contact_id=contact_id, due_at=at(0), recurrence="FREQ=WEEKLY", checklist=["счёт"])
    assert task.series_id == task.id
    ticked = TaskChange(checklist=[{"text": "счёт", "done": True}])
    await by(world, "petr", lambda desk: tasks.change(desk, task.id, ticked))
    await by(world, "petr", lambda desk: tasks.close(desk, task.id, "petr", "раз"))
    await by(world, "petr", lambda desk: tasks.reopen(desk, task.id, "petr"))
    await by(world, "petr", lambda desk: tasks.close(desk, task.id, "petr", "ещё раз"))
    _, following = await world.rows("task")
    assert (following.due_at, following.series_id, following.state) == (at(7 * 86_400), task.id, TaskState.OPEN)
    assert (following.result, following.checklist) == ("", [{"text": "счёт", "done": False}])
    # Closed three weeks late: the times that passed meanwhile are left out, the day stays.
    world.clock.set(at(28.5 * 86_400))
    await by(world, "petr", lambda desk: tasks.close(desk, following.id, "petr", "поздно"))
    assert [row.due_at for row in await world.rows("task", state="open")] == [at(35 * 86_400)]
    [last] = await world.rows("task", state="open")
    await by(world, "petr", lambda desk: tasks.cancel(desk, last.id, "petr", "хватит"))
    assert await world.rows("task", state="open") == []


@pytest.mark.parametrize("bad", ["x", "FREQ=HOURLY", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;INTERVAL=0"])
async def test_a_bad_recurrence_is_refused(sqlite_world: World, bad: str) -> None:
    with pytest.raises(InvalidInput, match="recurrence"):
        await given(sqlite_world, due_at=at(0), recurrence=bad)
    with pytest.raises(InvalidInput, match="due_at"):
        await given(sqlite_world, recurrence="FREQ=DAILY")


async def test_of_several_tasks_that_are_given_at_once_one_notice_tells(world: World) -> None:
    many = [await given(world, title=f"Дело {number}", due_at=at(3600 * (number + 1))) for number in range(7)]
    before = len(await notices(world))

    def give(desk: Desk) -> None:
        for each in many:
            tasks.change(desk, each.id, TaskChange(assignee="ivan"))

    await by(world, "head", give)
    assert (await notices(world))[before:] == [("ivan", "Вам передано задач: 7. Ближайшая: «Дело 0», до 02.03 13:00")]


async def test_a_client_is_found_by_the_deal_or_lead(world: World) -> None:
    from tests.integration.storage.world import message

    await world.take(message(1, "m", at(0)))
    lead = await world.row("lead")
    task = await given(world, lead_id=lead.id)
    assert task.contact_id == lead.contact_id
    with pytest.raises(NotFound):
        await given(world, lead_id=77)
    with pytest.raises(NotFound):
        await given(world, deal_id=77)
    with pytest.raises(NotFound):
        await given(world, contact_id=77)


async def test_two_who_close_at_once_make_one_next(world: World, second: World) -> None:
    import asyncio

    task = await given(world, due_at=at(timedelta(days=1).total_seconds()), recurrence="FREQ=DAILY")
    closing = [by(each, "petr", lambda desk: tasks.close(desk, task.id, "petr", "готово")) for each in (world, second)]
    ends = await asyncio.gather(*closing, return_exceptions=True)
    assert sum(isinstance(each, Conflict) for each in ends) == 1
    assert len(await world.rows("task", state="open")) == 1


@pytest.mark.parametrize(
    "wanted",
    [
        TaskFilter(assignee="petr"),
        TaskFilter(assignee="petr", until=at(0)),
        TaskFilter(until=at(0)),
        TaskFilter(undated=True),
        TaskFilter(deal_id=5),
        TaskFilter(contact_id=5),
        TaskFilter(state=TaskState.DONE),
    ],
)
async def test_lists_of_tasks_ask_an_index(world: World, wanted: TaskFilter) -> None:
    rows = [
        {
            **TaskRecord(
                10_000 + n, f"t{n}", TaskState.OPEN if n % 10 == 0 else TaskState.DONE, at(0), at(0), "x"
            )._asdict(),
            "assignee": ("ivan", "petr", "olga", None)[n // 10 % 4],
            "due_at": at(n * 60 - 100_000) if n % 50 else None,
            "deal_id": n % 997,
            "contact_id": None,
        }
        for n in range(6000)
    ]

    def asked(conn: Any) -> str:
        statement = tasks_statement(wanted, Slice(limit=10))
        plain = statement.compile(conn, compile_kwargs={"literal_binds": True}).string
        prefix = "EXPLAIN QUERY PLAN " if world.store.database.sqlite else "EXPLAIN "
        return "\n".join(str(row[-1]) for row in conn.exec_driver_sql(prefix + plain))

    def fill(conn: Any) -> None:
        conn.execute(insert(tables.task), rows)
        conn.exec_driver_sql("ANALYZE")

    await world.store.database.write(fill)
    plan = await world.store.read(asked)
    assert "Index" in plan or "USING INDEX" in plan, plan
    assert "Seq Scan" not in plan, plan
