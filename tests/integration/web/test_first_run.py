"""The first steps of an office: a ready configuration looked at and applied, a first channel that is proved to work."""

from __future__ import annotations

from crm_core import presets
from crm_core.model.user import Role
from hub.demo.peers.bot_api import BotApiServer
from tests.integration.web.conftest import PASSWORD, Workspace
from tests.peers.bots import TOKEN


async def test_from_nobody_to_a_channel_that_works(workspace: Workspace, bots: BotApiServer) -> None:
    browser = workspace.browser()
    first = await browser.send("/setup", page="/setup", login="root", name="Ольга", password=PASSWORD, again=PASSWORD)
    assert first.headers["Location"] == "/first-run"
    page = await browser.get("/first-run")
    for name in presets.names():
        assert f"/first-run/preset/{name}" in page
    page = await browser.get("/first-run/preset/windows")
    assert "Что изменится" in page
    assert await workspace.scalar("SELECT count(*) FROM definition") == 0, "only looked at"
    assert "«Количество окон (сделки)»" in page, "what people call it, not the key"
    assert "«пропущенный звонок»" in page
    assert "deal.windows" not in page
    applied = await browser.send("/first-run/preset/windows", page="/first-run/preset/windows")
    assert applied.headers["Location"] == "/first-run/channel"
    assert "Настройка применена" in await browser.get("/first-run/channel")
    assert "Всё уже так" in await browser.get("/first-run/preset/windows")
    page = "/first-run/channel/new/telegram"
    bad = await browser.send(page, page=page, act="connect", name="bot", token="1:no", api_base=bots.url)
    assert bad.status == 422
    assert "Пока не работает" in await bad.text()
    done = await browser.send(
        page, page=page, act="connect", name="bot", token=TOKEN, api_base=bots.url, mode="polling"
    )
    assert done.status == 303, await done.text()
    assert "Первые шаги" in await browser.get(done.headers["Location"])
    page = await browser.get("/first-run/done")
    assert "здесь работает 1 человек" in page
    assert "/office/people" in page


async def test_the_steps_are_for_those_who_configure(workspace: Workspace) -> None:
    ivan, head = await workspace.visitor("ivan", Role.MANAGER), await workspace.visitor("anna", Role.HEAD)
    for path in ("/first-run", "/first-run/channel", "/first-run/done", "/first-run/preset/windows"):
        await ivan.get(path, status=403)
    assert "Чем занимается ваша компания?" in await head.get("/first-run")
    await head.get("/first-run/channel", status=403)
    await head.get("/first-run/preset/none", status=404)


async def test_whoever_may_not_connect_channels_goes_on_without_them(workspace: Workspace) -> None:
    head = await workspace.visitor("anna", Role.HEAD)
    page = await head.get("/first-run")
    assert "/first-run/channel" not in page
    applied = await head.send("/first-run/preset/windows", page="/first-run/preset/windows")
    assert (applied.status, applied.headers["Location"]) == (303, "/first-run/done")
    page = await head.get("/first-run/done")
    assert "Настройка применена" in page
    assert "/first-run/channel" not in page
    assert "/first-run/channel" not in await head.get("/first-run/preset/windows")
