"""Who takes a call, on the first page, and peace for oneself by a button."""

from __future__ import annotations

from crm_core.messages import DeviceState
from crm_core.model.user import Role
from crm_core.storage.users import UserChange, update_user
from tests.integration.web.conftest import Workspace
from tests.patience import PATIENCE_S


async def with_telephone(workspace: Workspace, login: str, extension: str) -> None:
    """Give somebody a telephone."""
    _, position = await workspace.hub.store.run_at(
        lambda desk: update_user(desk, login, UserChange(extension=extension))
    )
    assert await workspace.hub.live.reached(position, PATIENCE_S)


async def test_who_takes_a_call_and_why_not(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.visitor("petr", Role.MANAGER)
    assert "Кто возьмёт звонок" not in await ivan.get("/"), "nobody has a telephone"
    await with_telephone(workspace, "ivan", "101")
    await with_telephone(workspace, "petr", "102")
    workspace.hub.presence.device("office", "PJSIP/102", DeviceState.BUSY)
    page = await ivan.get("/")
    assert "могут ответить: 1 из 2" in page
    assert '<span>Petr</span> <span class="soft">занят</span>' in page


async def test_peace_for_oneself(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await with_telephone(workspace, "ivan", "101")
    assert "Не беспокоить" in await ivan.get("/")
    response = await ivan.send("/me/peace", page="/", back="/", on="1")
    assert response.status == 303
    page = await ivan.get("/")
    assert "Звонки обходят вас" in page
    assert '<span class="soft">не беспокоить</span>' in page
    await ivan.send("/me/peace", page="/", back="/", on="")
    assert "могут ответить: 1 из 1" in await ivan.get("/")


async def test_a_forged_form_gives_nobody_peace(workspace: Workspace) -> None:
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await with_telephone(workspace, "ivan", "101")
    await ivan.send("/me/peace", page="/", csrf="forged", back="/", on="1")
    assert await workspace.scalar("SELECT do_not_disturb FROM app_user WHERE login = 'ivan'") == 0
