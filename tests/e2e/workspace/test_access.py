"""Every main page read by a machine for people who can't see it well: nothing serious is found, light or dark, at a
desk or on a telephone; and none is wider than the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pyotp
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.e2e.hub_process import HubProcess
from tests.e2e.workspace.furnishing import ACCOUNTS, calls, come_in, define_on_pages, furnish, seeds
from tests.e2e.workspace.office import PASSWORD, TELEPHONE, Workspace
from tests.e2e.workspace.walking import addresses, walk

pytestmark = pytest.mark.timeout(900)
_SERIOUS = frozenset({"serious", "critical"})
_EVERYTHING: Final = {"resultTypes": ["violations"]}
_COLOURS: Final = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}  # all else is the same in the dark
_LONG: Final = "Достопримечательнейшее высокопревосходительство"
_ON_TELEPHONES: Final = (
    "/",
    "/contacts",
    "/deals",
    "/deals/list",
    "/tasks",
    "/calls",
    "/wall",
    "/control",
    "/broadcasts",
    "/dialling",
    "/office",
    "/search?q=дост",
    "/me",
)
_PAGE: Final = "document.querySelector('main') !== null"


@pytest.fixture
def account() -> str:
    """A mail server that takes mails, and a telephone system that tells of calls."""
    return ACCOUNTS


async def test_pages_can_be_used_by_everybody(workspace: Workspace, tmp_path: Path) -> None:
    """Every page that the router has; on a telephone those that are used there, and the width of all."""
    page = await workspace.enter("root", color_scheme="light", bypass_csp=True)
    made = await furnish(workspace, _LONG)
    await define_on_pages(workspace, page, _LONG, made["pipeline"])
    await come_in(workspace, _LONG)
    await workspace.contact("mailto:evil@example.com")
    await calls(workspace)
    await expect(page.locator("aside.popup h2")).to_be_visible()
    await calls(workspace, "hangup")  # its popup would lie over what is looked at
    await expect(page.locator("aside.popup h2")).to_be_hidden()
    found: list[str] = []
    walked: list[str] = []

    async def look(path: str) -> None:
        if not await page.evaluate(_PAGE):
            return  # a part of one, looked at where it stands
        walked.append(path)
        found.extend(await _on_a_desk(page, path))

    cards = [f"/contacts/{made['contact']}", f"/deals/{made['deal']}", f"/tasks/{made['task']}"]
    first = [*await seeds(workspace, made), *cards, f"/contacts/{made['contact']}/consent"]
    unseen = await walk(workspace, page, addresses(tmp_path), first, look, most=1)
    await page.context.close()

    page = await workspace.enter("root", viewport=TELEPHONE, color_scheme="light", bypass_csp=True)
    for path in [*_ON_TELEPHONES, *walked]:
        await page.goto(f"{workspace.hub.url}{path}")
        found += await _too_wide(page, f"{path} at {TELEPHONE['width']}")
        if path in {*_ON_TELEPHONES, *cards}:
            found += await _against_people(page, f"{path} on a telephone", _EVERYTHING)
    assert not found, "\n".join(found)
    assert unseen == []


async def test_what_opens_over_a_page_can_be_used_by_everybody(workspace: Workspace) -> None:
    """The popup of a call, the menu of a card on the board, the dialog that asks for what a stage wants."""
    page = await workspace.enter("root", color_scheme="light", bypass_csp=True)
    await workspace.ask("PATCH", "/users/root", {"extension": "Root"})
    made = await furnish(workspace, _LONG)
    await calls(workspace)
    await expect(page.locator("aside.popup h2")).to_contain_text(_LONG.split()[0])
    found = await _on_a_desk(page, "a popup")
    await page.goto(f"{workspace.hub.url}/deals/board/{made['pipeline']}")
    await page.locator("li.deal", has_text="Без источника").focus()
    await page.keyboard.press("m")
    await expect(page.locator("#move-menu button:focus")).to_be_visible()
    found += await _on_a_desk(page, "the menu of a card")
    await page.locator("#move-menu button", has_text="Спросит").click()
    await expect(page.locator("dialog#asking")).to_contain_text("Источник")
    found += await _on_a_desk(page, "the dialog of a stage")
    assert not found, "\n".join(found)


async def test_whoever_is_not_in_yet_can_use_the_pages(workspace: Workspace) -> None:
    """The login, the page of the code, and what was sent too late."""
    root = await workspace.enter("root", color_scheme="light")
    await workspace.client(5001, _LONG).say("Сколько стоит?")
    card = f"{workspace.hub.url}/contacts/{await workspace.contact('tg:5001')}"
    await root.goto(f"{workspace.hub.url}/me/factor")
    secret = await root.locator(".factor code").text_content() or ""
    await root.locator("input[name=code]").fill(pyotp.TOTP("".join(secret.split())).now())
    await root.locator("main button").first.click()
    await expect(root.locator("input[name=code]")).to_have_count(0)
    found = await _on_a_desk(root, "codes on paper")

    stranger = await (await workspace.browser.new_context(bypass_csp=True, color_scheme="light")).new_page()
    await stranger.goto(f"{workspace.hub.url}/login")
    found += await _on_a_desk(stranger, "/login")
    for login in ("root", "ivan"):
        await stranger.goto(f"{workspace.hub.url}/login")
        await stranger.locator("input[name=login]").fill(login)
        await stranger.locator("input[name=password]").fill(PASSWORD)
        await stranger.locator("main button").first.click()
        if login == "root":
            await expect(stranger.locator("input[name=code]")).to_be_visible()
            found += await _on_a_desk(stranger, "/login/code")
    await expect(stranger.locator("nav.side")).to_be_visible()

    # Sent without scripts from a page of a session that has ended.
    await stranger.goto(card)
    csrf = await stranger.locator("#composer input[name=csrf]").get_attribute("value")
    action = await stranger.locator("#composer").get_attribute("action")
    fields = await stranger.evaluate("Object.fromEntries(new FormData(document.querySelector('#composer')))")
    await stranger.locator(".who button").click()
    await expect(stranger.locator("input[name=login]")).to_be_visible()
    sent: dict[str, str | float | bool] = {**fields, "csrf": str(csrf), "text": _LONG}
    await stranger.request.post(f"{workspace.hub.url}{action}", form=sent, headers={"Referer": card})
    await stranger.goto(f"{workspace.hub.url}/login")
    await stranger.locator("input[name=login]").fill("ivan")
    await stranger.locator("input[name=password]").fill(PASSWORD)
    await stranger.locator("main button").first.click()
    await stranger.goto(f"{workspace.hub.url}/unsent")
    await expect(stranger.locator(".unsent blockquote")).to_have_text(_LONG)
    found += await _on_a_desk(stranger, "/unsent")
    assert not found, "\n".join(found)


async def test_the_first_visit_can_be_used_by_everybody(
    chromium: Browser, furnished_sqlite: str, tmp_path: Path
) -> None:
    """An office where nobody is yet."""
    hub = HubProcess(tmp_path, furnished_sqlite, "")
    await hub.start()
    try:
        page = await (await chromium.new_context(bypass_csp=True, color_scheme="light")).new_page()
        await page.goto(f"{hub.url}/")
        await expect(page.locator("input[name=again]")).to_be_visible()
        assert await _on_a_desk(page, "/setup") == []
    finally:
        await hub.stop()


async def _on_a_desk(page: Page, where: str) -> list[str]:
    """What is wrong with a page by day and by night."""
    found = [*await _too_wide(page, where), *await _against_people(page, f"{where}, light", _EVERYTHING)]
    await page.emulate_media(color_scheme="dark")
    found += await _against_people(page, f"{where}, dark", _COLOURS)
    await page.emulate_media(color_scheme="light")
    return found


async def _against_people(page: Page, where: str, options: dict[str, list[str]]) -> list[str]:
    """The serious findings on a page."""
    results = await Axe().run(page, options=options)
    return [
        f"{where}: {each['id']}: {node['target']}: {node['html'][:160]}"
        for each in results.response["violations"]
        if each["impact"] in _SERIOUS
        for node in each["nodes"][:3]
    ]


async def _too_wide(page: Page, where: str) -> list[str]:
    over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{where}: {over} px wider than the screen"] if over > 1 else []
