"""Putting clients on special lists by a button, and what administrators see of troubles."""

from __future__ import annotations

import pytest

from crm_core.model.alarm import AlarmKind
from crm_core.model.user import Role
from crm_core.services.watching.alarms import raise_alarm
from tests.integration.http.world import LINE, later
from tests.integration.storage.world import missed
from tests.integration.web.conftest import Workspace

NUMBER = "+79161234567"
BODY = {"list": "соискатели", "reason": "ищет <b>работу</b>"}


async def called(workspace: Workspace) -> tuple[int, int, int]:
    """A missed call; the ids of contact, case and call."""
    await workspace.hub.intake.receive(missed("c1", NUMBER, later(0)))
    ids = [await workspace.scalar(f"SELECT id FROM {table}") for table in ("contact", "contact_case", "call")]
    return tuple(int(str(each)) for each in ids)  # type: ignore[return-value] # three of them


@pytest.mark.parametrize("place", ["home", "client", "calls"])
async def test_a_press_lists_a_client_and_the_next_call_goes_elsewhere(workspace: Workspace, place: str) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    contact, case, call = await called(workspace)
    page, action = {
        "home": ("/", f"/cases/{case}/list"),
        "client": (f"/contacts/{contact}", f"/contacts/{contact}/list"),
        "calls": ("/calls", f"/calls/{call}/list"),
    }[place]
    assert f'action="{action}"' in await ivan.get(page)
    response = await ivan.send(action, page=page, back=page, **BODY)
    assert (response.status, response.headers["Location"]) == (303, page)
    assert workspace.hub.directory.explain(NUMBER, LINE)[0].endpoints == ("PJSIP/150",)
    assert "Внесено в список «соискатели»." in await ivan.get(page)
    shown = await ivan.get(f"/contacts/{contact}")
    assert "Ivan вносит в список «соискатели»: ищет &lt;b&gt;работу&lt;/b&gt;" in shown
    assert await workspace.scalar("SELECT state FROM contact_case") == "closed"
    response = await ivan.send(f"/contacts/{contact}/unlist", page=f"/contacts/{contact}", back=page)
    assert response.status == 303
    assert workspace.hub.directory.explain(NUMBER, LINE)[0].endpoints != ("PJSIP/150",)


async def test_what_can_not_be_is_said_on_the_page(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    contact, _, _ = await called(workspace)
    page = f"/contacts/{contact}"
    await ivan.send(f"{page}/list", page=page, back=page, list="соискатель", reason="x")
    assert "может быть, «соискатели»" in await ivan.get(page)
    assert (await ivan.send(f"{page}/list", page=page, csrf="forged", back=page, **BODY)).status == 303
    assert await workspace.scalar("SELECT list_name FROM contact") is None


async def test_alarms_stand_on_the_first_page_of_those_they_are_for(workspace: Workspace) -> None:
    root, ivan = await workspace.visitor(), await workspace.visitor("ivan", Role.MANAGER)
    detail = "refused <script>"
    await workspace.hub.store.run(lambda desk: raise_alarm(desk, AlarmKind.LINK_DOWN, "pbx:office", detail))
    shown = await root.get("/")
    assert "Нет связи: pbx:office" in shown
    assert "refused &lt;script&gt;" in shown
    assert "Нет связи: pbx:office" not in await ivan.get("/")
