"""An office whose people sit before browsers: a hub, a messenger, clients who write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from argon2 import PasswordHasher
from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize, expect

from crm_core.model.user import Role
from crm_core.storage.users import NewUser
from hub.demo.peers.bot_api.people import Person
from hub.demo.peers.bot_api.server import Bot
from tests.e2e.hub_process import HubProcess
from tests.patience import PATIENCE_S

DESKTOP, TELEPHONE = ViewportSize(width=1366, height=768), ViewportSize(width=390, height=844)
PASSWORD = "длинный пароль"
EVIL = "<script>alert(1)</script>"
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

expect.set_options(timeout=PATIENCE_S * 1000)


def person(login: str, name: str, role: Role, **more: Any) -> NewUser:
    """Somebody who can log in."""
    return NewUser(login, name, role, password_hash=_CHEAP.hash(PASSWORD), **more)


@asynccontextmanager
async def at_work(hub: HubProcess, browser: Browser, token: str, bot: Bot | None = None) -> AsyncIterator[Workspace]:
    """A hub that is started and stopped; in the end no page may have said what none should ever say."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(hub.stop)
        await hub.start()
        headers = {"Authorization": f"Bearer {token}"}
        api = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        found = Workspace(hub, bot, browser, api)
        yield found
        assert found.errors == []


@dataclass
class Workspace:
    """The hub, the messenger, a browser, and the API with an administrator's token.

    `errors` are what pages should never say: errors of scripts, refusals of the content security policy, dialogs.
    """

    hub: HubProcess
    bot: Bot | None
    browser: Browser
    api: aiohttp.ClientSession
    errors: list[str] = field(default_factory=list)

    async def enter(self, login: str, **more: Any) -> Page:
        """Somebody logs in, in a browser of their own; they stand on the first page."""
        page = await self.stranger(**more)
        await page.goto(f"{self.hub.url}/login")
        await page.locator("input[name=login]").fill(login)
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.locator("main button").first.click()
        await expect(page.locator("nav.side")).to_be_visible()
        return page

    async def stranger(self, **more: Any) -> Page:
        """Somebody who was never here, in a browser of their own; no page is open yet."""
        settings = {"viewport": DESKTOP, "locale": "ru-RU", "reduced_motion": "reduce", **more}
        return self._watched(await (await self.browser.new_context(**settings)).new_page())

    async def beside(self, page: Page, path: str) -> Page:
        """One more tab of the same browser, on a page."""
        tab = self._watched(await page.context.new_page())
        await tab.goto(f"{self.hub.url}{path}")
        return tab

    def client(self, ident: int, name: str) -> Person:
        """A client of the messenger."""
        assert self.bot is not None
        return self.bot.user(id=ident, first_name=name)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers."""
        async with self.api.request(method, f"{self.hub.url}/api/v1{path}", json=body) as response:
            assert response.status < 300, f"{path}: {await response.text()}"
            return await response.json() if response.status != 204 else None

    async def contact(self, identity: str) -> int:
        """Who holds an identity, as soon as somebody does."""

        async def found() -> int | None:
            items = (await self.ask("GET", f"/contacts?identity={identity}"))["items"]
            return int(items[0]["id"]) if items else None

        return int(await until(found))

    def _watched(self, page: Page) -> Page:
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(f"a dialog: {dialog.message}"))
        page.on("console", self._heard)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.errors.append(message.text)


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """What `look` finds, as soon as it finds something."""
    async with asyncio.timeout(PATIENCE_S):
        while (found := await look()) is None:  # noqa: ASYNC110 - seen through the API of another process only
            await asyncio.sleep(0.05)
    return found
