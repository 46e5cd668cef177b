"""Who takes a call, on the first page, and peace for oneself by a button."""

from __future__ import annotations

from crm_core.messages import DeviceState
from crm_core.model.user import Role
from crm_core.storage.entering import set_factor
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


async def test_a_lost_second_factor_is_taken_off_and_the_sessions_end(workspace: Workspace) -> None:
    root, ivan = await workspace.visitor(), await workspace.visitor("ivan", Role.MANAGER)
    page = "/office/people/ivan"
    assert "Второго фактора нет" in await root.get(page)
    await workspace.hub.store.run(lambda desk: set_factor(desk, "ivan", "sealed", 1, ["a", "b"]))
    told = await root.get(page)
    assert "Второй фактор включён. Осталось 2 бумажных кода" in told
    response = await root.send(f"{page}/factor", page=page)
    assert (response.status, response.headers["Location"]) == (303, page)
    assert "Второй фактор снят" in await root.get(page)
    assert await workspace.scalar("SELECT totp_secret FROM app_user WHERE login = 'ivan'") is None
    assert (await ivan.client.get("/", allow_redirects=False)).status == 302, "their session ended"
    row = "SELECT login || ' ' || detail || ' ' || remote FROM access_log WHERE what = 'factor.taken'"
    assert await workspace.scalar(row) == "root ivan 127.0.0.1"
    await root.send(f"{page}/factor", page=page)
    assert "Второго фактора уже нет" in await root.get(page)


async def test_somebody_is_logged_out_everywhere(workspace: Workspace) -> None:
    root, ivan = await workspace.visitor(), await workspace.visitor("ivan", Role.MANAGER)
    assert (await ivan.send("/office/people/root/sessions", page="/me")).status == 403
    assert (await root.send("/office/people/ivan/sessions", page="/office/people/ivan")).status == 303
    assert (await ivan.client.get("/", allow_redirects=False)).status == 302
    assert (await root.client.get("/", allow_redirects=False)).status == 200
    assert await workspace.scalar("SELECT login || ' ' || detail FROM access_log WHERE what = 'login.ended'") == (
        "root ivan"
    )
    assert (await ivan.log_in("ivan")).status == 303


async def test_nobody_takes_their_own_factor_off_without_a_code(workspace: Workspace) -> None:
    root = await workspace.visitor()
    await root.send("/office/people/root/factor", page="/office/people")
    await root.send("/office/people/root/sessions", page="/office/people")
    page = await root.get("/office/people/root")
    assert "на вашей странице" in page
    assert await workspace.scalar("SELECT count(*) FROM access_log WHERE what = 'login.ended'") == 0


async def test_an_absence_that_was_typed_is_not_lost(workspace: Workspace) -> None:
    root = await workspace.visitor()
    await workspace.hire("ivan", Role.MANAGER)
    page = "/office/people/ivan"
    typed = {"absent_from": "2026-12-07T09:00", "absent_until": "2026-12-01T09:00"}
    response = await root.send(page, page=page, name="Иван", role="manager", extension="101", **typed)
    text = await response.text()
    assert response.status == 400
    assert 'value="2026-12-07T09:00"' in text
    assert 'value="2026-12-01T09:00"' in text
    response = await root.send(page, page=page, name="", role="manager", absent_until="2099-01-01T09:00")
    assert 'value="2099-01-01T09:00"' in await response.text()
