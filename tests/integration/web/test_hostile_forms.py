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
