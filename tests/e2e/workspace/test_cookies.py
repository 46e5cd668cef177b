"""What a browser is given to keep: for no script, for no other site, and for TLS alone where the hub is
visited by TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, expect

from crm_core.model.user import Role
from hub.demo.peers.process import free_port
from tests.e2e.hub_process import HubProcess, staffed
from tests.e2e.workspace.office import PASSWORD, person
from tests.peers.certificate import certify

pytestmark = pytest.mark.timeout(600)


@asynccontextmanager
async def tls_front(folder: Path, port: int, behind: int) -> AsyncIterator[None]:
    """What stands before a hub: it speaks TLS with browsers, and passes on what they say as they say it."""
    certified = certify(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certified.certificate, certified.key)
    ends: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # whoever went away hears nothing more
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, there = await asyncio.open_connection("127.0.0.1", behind)
        ends.extend((writer, there))
        await asyncio.gather(pass_on(reader, there), pass_on(answers, writer))

    server = await asyncio.start_server(talk, "127.0.0.1", port, ssl=context)
    try:
        yield
    finally:
        server.close()
        for each in ends:
            each.close()
        await asyncio.gather(*(each.wait_closed() for each in ends), return_exceptions=True)


async def opened(hub: HubProcess) -> None:
    """A hub with a board begins to serve: Ivan may log in."""
    people = (person("root", "Главный Администратор", Role.ADMIN), person("ivan", "Иван Петров", Role.MANAGER))
    token = await staffed(hub.database_url, *people)
    await hub.start()
    board, bearer = {"name": "Окна", "stages": [{"name": "Новая"}]}, {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=bearer) as api,
        api.post(f"{hub.url}/api/v1/pipelines", json=board) as answer,
    ):
        assert answer.status == 201


async def given(browser: Browser, url: str) -> tuple[BrowserContext, dict[str, dict[str, object]]]:
    """Ivan logs in at an address and looks around; all cookies that his browser keeps then, by name."""
    context = await browser.new_context(locale="ru-RU", ignore_https_errors=True)
    page = await context.new_page()
    await page.goto(f"{url}/login")
    await page.locator("input[name=login]").fill("ivan")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button").first.click()
    await expect(page.locator("nav.side")).to_be_visible()
    await page.goto(f"{url}/deals")
    await expect(page.locator(".column[data-name='Новая']")).to_be_visible()
    assert await page.evaluate("document.cookie") == "", "no script reads one"
    cookies = {str(each.get("name")): dict(each) for each in await context.cookies([url, f"{url}/deals"])}
    assert set(cookies) == {"hub_session", "pipeline"}
    return context, cookies


async def test_behind_tls_cookies_are_kept_from_scripts_other_sites_and_plain_http(
    tmp_path: Path, furnished_sqlite: str, chromium: Browser
) -> None:
    port = free_port()
    hub = HubProcess(tmp_path, furnished_sqlite, f'public_url = "https://127.0.0.1:{port}"\n')
    await opened(hub)
    try:
        async with tls_front(tmp_path, port, hub.port):
            context, cookies = await given(chromium, f"https://127.0.0.1:{port}")
            for name, each in cookies.items():
                assert (each["httpOnly"], each["sameSite"], each["secure"]) == (True, "Lax", True), name
            await context.close()
    finally:
        await hub.stop()


async def test_without_tls_cookies_are_kept_all_the_same(
    tmp_path: Path, furnished_sqlite: str, chromium: Browser
) -> None:
    hub = HubProcess(tmp_path, furnished_sqlite, "")
    await opened(hub)
    try:
        context, cookies = await given(chromium, hub.url)
        for name, each in cookies.items():
            assert (each["httpOnly"], each["sameSite"], each["secure"]) == (True, "Lax", False), name
        await context.close()
    finally:
        await hub.stop()
