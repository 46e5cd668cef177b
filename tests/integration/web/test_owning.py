"""Whom a change concerns: lists of one's own work are asked anew by those alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_core.model.user import Role
from crm_core.services.desk import Desk
from crm_core.services.tasking.tasks import NewTask, TaskChange, change, make
from crm_core.storage.users import UserChange, update_user
from hub.web.live.owning import Owners
from tests.integration.web.conftest import Workspace
from tests.integration.web.test_inbox import following
from tests.patience import PATIENCE_S

OWN = {"own_tasks"}


@pytest.fixture
async def owners(workspace: Workspace) -> Owners:
    for login in ("ivan", "olga", "pyotr"):
        await workspace.hire(login, Role.MANAGER)
    _done, position = await workspace.hub.store.run_at(
        lambda desk: update_user(desk, "olga", UserChange(deputy="pyotr"))
    )
    assert await workspace.hub.live.reached(position, PATIENCE_S)
    found = Owners(workspace.hub)
    workspace.clock.set(workspace.clock.now() + timedelta(minutes=5))
    return found


async def made(workspace: Workspace, assignee: str | None = "ivan") -> int:
    new = NewTask("Замер", assignee=assignee, author="root")
    return await workspace.hub.store.run(lambda desk: make(desk, new).id)


async def given(workspace: Workspace, task: int, assignee: str) -> None:
    def service(desk: Desk) -> None:
        change(desk, task, TaskChange(assignee=assignee))

    await workspace.hub.store.run(service)


async def test_whoever_has_it_now_and_had_it_before(workspace: Workspace, owners: Owners) -> None:
    task = await made(workspace)
    changes = [("task", task, None)]
    assert await owners.concerned(changes, OWN) == {"own_tasks": frozenset({"ivan"})}
    await given(workspace, task, "olga")
    assert await owners.concerned(changes, OWN) == {"own_tasks": frozenset({"ivan", "olga", "pyotr"})}, (
        "olga's deputy, too"
    )
    assert await owners.concerned(changes, OWN) == {"own_tasks": frozenset({"olga", "pyotr"})}


async def test_what_was_given_on_twice_at_once_concerns_everybody(workspace: Workspace, owners: Owners) -> None:
    """Somebody had it in between, whose list may have been asked for just then: nobody knows who it was."""
    task = await made(workspace)
    once = [("task", task, None)]
    assert await owners.concerned(once, OWN) == {"own_tasks": frozenset({"ivan"})}
    await given(workspace, task, "olga")
    await given(workspace, task, "pyotr")
    assert await owners.concerned([*once, *once], OWN) == {"own_tasks": None}
    assert await owners.concerned(once, OWN) == {"own_tasks": frozenset({"pyotr"})}
    await given(workspace, task, "olga")
    await given(workspace, task, "pyotr")
    assert await owners.concerned([*once, *once], OWN) == {"own_tasks": None}, "also where it came back"


async def test_a_client_who_writes_twice_at_once_is_the_matter_of_whom_they_wait_for(
    workspace: Workspace, owners: Owners
) -> None:
    await workspace.write("Добрый день")
    case = int(str(await workspace.scalar("SELECT id FROM contact_case")))
    once, cases = [("contact_case", case, None)], {"own_cases"}
    first = await owners.concerned(once, cases)
    await workspace.write("Вы здесь?", number="2")
    await workspace.write("Ау", number="3")
    assert await owners.concerned([*once, *once], cases) == first

    had = await workspace.scalar("SELECT manager FROM contact_case")
    other = next(login for login in ("ivan", "olga", "pyotr") if login != had)

    def given_away(desk: Any) -> None:
        desk.work.conn.exec_driver_sql(f"UPDATE contact_case SET manager = '{other}'")

    await workspace.hub.store.run(given_away)
    assert await owners.concerned([*once, *once], cases) == {"own_cases": None}


async def test_what_a_group_may_take_concerns_it_and_its_deputies(workspace: Workspace, owners: Owners) -> None:
    def hired(desk: Desk) -> int:
        update_user(desk, "ivan", UserChange(group="окна"))
        update_user(desk, "olga", UserChange(group="окна"))
        return 0

    _done, position = await workspace.hub.store.run_at(hired)
    assert await workspace.hub.live.reached(position, PATIENCE_S)
    await workspace.write("Добрый день")

    def nobodys(desk: Any) -> None:
        desk.work.conn.exec_driver_sql("UPDATE lead SET manager = NULL, group_name = 'окна'")

    await workspace.hub.store.run(nobodys)
    lead = int(str(await workspace.scalar("SELECT id FROM lead")))
    found = await owners.concerned([("lead", lead, None)], {"own_leads"})
    assert found == {"own_leads": frozenset({"ivan", "olga", "pyotr"})}


async def test_what_was_there_before_concerns_everybody_once(workspace: Workspace, owners: Owners) -> None:
    task = await made(workspace)
    late = Owners(workspace.hub)
    assert await late.concerned([("task", task, None)], OWN) == {"own_tasks": None}
    assert await late.concerned([("task", task, None)], OWN) == {"own_tasks": frozenset({"ivan"})}


async def test_what_nobody_looked_at_is_not_taken_for_new(workspace: Workspace, owners: Owners) -> None:
    task = await made(workspace)
    changes = [("task", task, None)]
    assert await owners.concerned(changes, {"cases"}) == {}, "nobody follows such a list: nothing is asked"
    await given(workspace, task, "olga")
    assert await owners.concerned(changes, OWN) == {"own_tasks": None}


async def test_what_is_gone_concerns_whoever_had_it(workspace: Workspace, owners: Owners) -> None:
    task = await made(workspace)
    await owners.concerned([("task", task, None)], OWN)

    def delete(desk: Any) -> None:
        desk.work.conn.exec_driver_sql("DELETE FROM task")

    await workspace.hub.store.run(delete)
    assert await owners.concerned([("task", task, None)], OWN) == {"own_tasks": frozenset({"ivan"})}
    assert await owners.concerned([("task", 404, None)], OWN) == {"own_tasks": None}


async def test_a_word_of_a_client_is_asked_for_by_whom_they_wait_for(workspace: Workspace) -> None:
    people = {login: await workspace.visitor(login, Role.MANAGER) for login in ("ivan", "olga")}
    workspace.clock.set(workspace.clock.now() + timedelta(minutes=5))
    for login, browser in people.items():
        page = await browser.get("/")
        assert 'data-topic="own_cases own_leads own_tasks own_deals alarms"' in page, login
    topics = "own_cases,own_leads,happening"
    async with following(people["ivan"], topics) as his, following(people["olga"], topics) as hers:
        await workspace.write("Добрый день")
        manager = await workspace.scalar("SELECT manager FROM contact_case")
        concerned, other = (his, hers) if manager == "ivan" else (hers, his)
        await concerned.of("own_cases", "own_leads", "happening")
        name, told = await other.one_of("stale", "piece")
        assert (name, told["topic"]) == ("piece", "happening")
        await workspace.write("Вы здесь?", number="2")
        name, told = await other.one_of("stale", "piece")
        assert (name, told["topic"]) == ("piece", "happening")
