"""Coming in at the office's own provider, with a second factor and without; seen in a browser, to the way out."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator

import pyotp
import pytest
from playwright.async_api import Page, expect

from hub.clock import SystemClock
from tests.e2e.workspace.office import DESKTOP, PASSWORD, Workspace
from tests.peers.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    found = Provider(SystemClock())
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
def account(provider: Provider) -> str:
    """The office's provider."""
    lines = (f'issuer = "{provider.issuer}"', f'client_id = "{CLIENT_ID}"', f'client_secret = "{CLIENT_SECRET}"')
    return "\n".join(("[oidc]", *lines, 'name = "Яндекс 360"'))


async def stranger(workspace: Workspace) -> Page:
    """A browser that nobody has logged in with, on the login page."""
    page = await (await workspace.browser.new_context(viewport=DESKTOP, locale="ru-RU")).new_page()
    page.on("pageerror", lambda error: workspace.errors.append(str(error)))
    await page.goto(f"{workspace.hub.url}/login")
    return page


async def go(page: Page) -> None:
    """Press the provider's button."""
    await page.get_by_role("link", name="Войти через «Яндекс 360»").click()


async def log_out(page: Page) -> None:
    await page.locator(".who button").click()
    await expect(page.locator("input[name=login]")).to_be_visible()


async def test_in_through_the_provider_and_out_again(workspace: Workspace, provider: Provider) -> None:
    provider.redirect_uri = f"{workspace.hub.url}/login/oidc/back"
    page = await stranger(workspace)
    problem = page.locator(".problem")

    provider.status = 503  # before anything is known of it
    await go(page)
    await expect(problem).to_contain_text("«Яндекс 360» не отвечает")
    await expect(page.locator("input[name=password]")).to_be_visible()
    provider.status = 200

    await go(page)  # nobody of the office has this address yet
    await expect(problem).to_contain_text("Попросите администратора")
    await workspace.ask("PATCH", "/users/ivan", {"email": "ivan@example.org"})

    provider.lies = {"aud": "another office"}
    await page.goto(f"{workspace.hub.url}/login")
    await go(page)
    await expect(problem).to_contain_text("не получилось")
    provider.lies = {}
    provider.denies = True
    await page.goto(f"{workspace.hub.url}/login")
    await go(page)
    await expect(problem).to_contain_text("не подтвердил")
    provider.denies = False

    await page.goto(f"{workspace.hub.url}/tasks")  # where they wanted to go
    await expect(page).to_have_url(re.compile("/login"))
    await go(page)
    await expect(page).to_have_url(f"{workspace.hub.url}/tasks")
    await expect(page.locator(".myself")).to_contain_text("Иван Петров")
    await log_out(page)
    await page.go_back()
    await expect(page.locator("input[name=login]")).to_be_visible()

    await page.goto(f"{workspace.hub.url}/login")
    await go(page)
    await page.goto(f"{workspace.hub.url}/me/factor")
    await page.locator("summary").click()
    totp = pyotp.TOTP("".join((await page.locator("details code").inner_text()).split()))
    await page.locator("input[name=code]").fill(totp.now())
    await page.get_by_role("button", name="Включить").click()
    await expect(page.locator("#codes li")).to_have_count(10)
    paper = await page.locator("#codes li").all_inner_texts()
    await page.goto(f"{workspace.hub.url}/me")
    await log_out(page)

    await go(page)
    await expect(page).to_have_url(f"{workspace.hub.url}/login/code")
    await page.locator("input[name=code]").fill("000000")
    await page.get_by_role("button", name="Войти", exact=True).click()
    await expect(problem).to_contain_text("не подошёл")
    ahead = totp.at(int(time.time()) + 30)  # the telephone's clock is half a minute fast
    await page.locator("input[name=code]").fill(ahead)
    await page.get_by_role("button", name="Войти", exact=True).click()
    await expect(page.locator("nav.side")).to_be_visible()
    await log_out(page)

    await go(page)
    await page.locator("input[name=code]").fill(ahead)
    await page.get_by_role("button", name="Войти", exact=True).click()
    await expect(problem).to_contain_text("уже")
    await page.locator("input[name=code]").fill(paper[0].upper())
    await page.get_by_role("button", name="Войти", exact=True).click()
    await expect(page.locator("nav.side")).to_be_visible()
    assert CLIENT_SECRET not in workspace.hub.log()


async def test_a_session_is_ended_from_another_browser(workspace: Workspace) -> None:
    here, there = await workspace.enter("ivan"), await workspace.enter("ivan")
    await here.goto(f"{workspace.hub.url}/me")
    rows = here.locator("section[aria-labelledby=leave-title] tbody tr")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("Chrome, Linux")
    await here.get_by_role("button", name="Завершить").click()
    await expect(here.locator("main .notice")).to_contain_text("Сеанс завершён")
    await expect(there.locator("body.logged-out")).to_have_count(1)  # told, not found out by the next press
    await there.goto(f"{workspace.hub.url}/tasks")
    await there.locator("input[name=login]").fill("ivan")
    await there.locator("input[name=password]").fill(PASSWORD)
    await there.locator("main button").first.click()
    await expect(there).to_have_url(f"{workspace.hub.url}/tasks")
