"""The first hour of an office: a hub that nobody was ever at, an administrator, a ready configuration, a bot that is
proved to work before their eyes, and the first client."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from hub.demo.peers.bot_api.server import BotApiServer
from tests.e2e.hub_process import HubProcess
from tests.e2e.workspace.office import PASSWORD, Workspace

pytestmark = pytest.mark.timeout(600)

_TOKEN = "7654321:AAE-strict_local_token"


async def test_from_nobody_to_the_first_client(tmp_path: Path, sqlite_url: str, chromium: Browser) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(BotApiServer())
        bot = server.bot(_TOKEN)
        hub = HubProcess(tmp_path, sqlite_url, "")
        stack.push_async_callback(hub.stop)
        await hub.start()
        api = await stack.enter_async_context(aiohttp.ClientSession())
        workspace = Workspace(hub, bot, chromium, api)
        page = await workspace.stranger()

        # Whatever is asked for, the first step is to be somebody.
        await page.goto(f"{hub.url}/deals")
        await expect(page).to_have_url(f"{hub.url}/setup")
        for name, value in (
            ("login", "root"),
            ("name", "Ольга Главная"),
            ("password", PASSWORD),
            ("again", "другой длинный"),
        ):
            await page.locator(f"input[name={name}]").fill(value)
        await page.get_by_role("button", name="Завести администратора").click()
        await expect(page.locator("main [role=alert]")).to_be_visible()
        await expect(page.locator("input[name=name]")).to_have_value("Ольга Главная")
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.locator("input[name=again]").fill(PASSWORD)
        await page.get_by_role("button", name="Завести администратора").click()

        # A ready configuration is looked at, then applied.
        await expect(page).to_have_url(f"{hub.url}/first-run")
        await page.locator("a.tile[href='/first-run/preset/windows']").click()
        await expect(page.get_by_role("heading", name="Что изменится")).to_be_visible()
        await page.get_by_role("button", name="Применить").click()
        await expect(page).to_have_url(f"{hub.url}/first-run/channel")

        # A bot with a wrong token is said not to work, and nothing that was typed is lost.
        await page.locator("a.tile[href='/first-run/channel/new/telegram']").click()
        form = page.locator("form.form.card")
        await form.locator("input[name=name]").fill("shop")
        await form.locator("input[name=token]").fill("7654321:wrong")
        await form.locator("details.more > summary").click()
        await form.locator("input[name=api_base]").fill(server.url)
        await page.evaluate("document.body.dataset.standsStill = 'yes'")
        await form.get_by_role("button", name="Проверить и подключить").click()
        findings = form.locator("#findings")
        await expect(findings).to_contain_text("Пока не работает")
        assert await page.evaluate("document.body.dataset.standsStill") == "yes"
        await expect(form.locator("input[name=name]")).to_have_value("shop")

        # With the right one it is connected, and the page says by itself when it works.
        await form.locator("input[name=token]").fill(_TOKEN)
        await form.get_by_role("button", name="Только проверить").click()
        await expect(findings).to_contain_text("shop_bot")
        await expect(findings).not_to_contain_text("Пока не работает")
        await form.get_by_role("button", name="Проверить и подключить").click()
        await expect(page.locator("#state .lamp")).to_have_class("lamp connected")
        await expect(page.locator("#state b.well")).to_contain_text("Канал работает")
        await page.get_by_role("link", name="Дальше").click()
        await expect(page.locator("main")).to_contain_text("Подключён 1 канал, здесь работает 1 человек.")

        # The first page, and the first client on it.
        await page.locator("main a.tile[href='/']").click()
        await expect(page).to_have_url(f"{hub.url}/")
        await expect(page.get_by_text("Всем ответили.")).to_be_visible()
        await bot.user(id=5001, first_name="Анна").say("Сколько стоит окно?")
        await expect(page.locator("article.case")).to_contain_text("Сколько стоит окно?")
        await page.goto(f"{hub.url}/deals")
        await expect(page.locator("main")).to_contain_text("Замер запланирован")
        # It is over once for all: nobody becomes the administrator a second time.
        other = await workspace.stranger()
        await other.goto(f"{hub.url}/setup")
        await expect(other).to_have_url(f"{hub.url}/login")
        assert workspace.errors == []
