"""What people can type and nobody can mean: moments beyond all calendars, letters that no database keeps."""

from __future__ import annotations

import pytest

from crm_core.model.user import Role
from tests.integration.web.conftest import Browser, Workspace
from tests.integration.web.test_in_russian import fill

DATED = ("task WHERE due_at", "deal WHERE due_at", "app_user WHERE absent_since")
BEYOND = ("0001-01-01T00:00", "0202-11-23T10:00", "9999-12-31T23:59")


async def office(workspace: Workspace) -> tuple[Browser, list[str]]:
    """An administrator in an office that works; where its client and its deal are."""
    await workspace.hire("ivan", Role.MANAGER)
    root = await workspace.visitor()
    return root, await fill(workspace, root)


@pytest.mark.parametrize("moment", BEYOND)
async def test_a_moment_beyond_all_calendars_is_refused_wherever_it_is_typed(workspace: Workspace, moment: str) -> None:
    root, (card, deal, _trace, task, board, _search) = await office(workspace)
    kept = [f"SELECT count(*) FROM {each} IS NOT NULL" for each in DATED]
    before = [await workspace.scalar(each) for each in kept]
    for address, page, fields in (
        (f"{card}/tasks", card, {"title": "Замер", "due": moment}),
        (f"{deal}/tasks", deal, {"title": "Замер", "due_at": moment}),
        ("/tasks/new", "/tasks", {"title": "Замер", "due": moment}),
        (f"{task}/change", task, {"due": moment, "assignee": "ivan"}),
        (f"{deal}/edit", deal, {"due_at": moment}),
        ("/office/people/ivan", "/office/people/ivan", {"absent_from": moment, "absent_until": moment}),
    ):
        response = await root.send(address, page=page, **fields)
        assert response.status < 500, (address, await response.text())
    assert [await workspace.scalar(each) for each in kept] == before
    for page in ("/", "/tasks", card, deal, board, "/office/people"):
        await root.get(page)


async def test_a_letter_that_no_database_keeps_is_refused_wherever_it_comes(workspace: Workspace) -> None:
    root, (card, _deal, _trace, task, _board, _search) = await office(workspace)
    for address, page, name in (
        (f"{card}/opt-out", f"{card}/consent", "note"),
        (f"{card}/tasks", card, "title"),
        (f"{card}/reply", card, "text"),
        (f"{task}/close", task, "result"),
        ("/broadcasts/new", "/broadcasts/new", "name"),
    ):
        response = await root.send(address, page=page, **{name: "a\x00b"})
        assert response.status == 400, (address, await response.text())
    for address in ("/search?q=%00", f"{card}?q=a%00", "/products?q=a%00", "/companies?q=%00", "/lists?after=%00"):
        await root.get(address, status=400)
    await root.get("/office/people/a%00b", status=404)
    stranger = workspace.browser()
    assert (await stranger.log_in("ro\x00ot")).status == 400
    assert await workspace.scalar("SELECT count(*) FROM opt_out") == 0
