"""What people do all day, in real browsers."""

from __future__ import annotations

import aiohttp
import pytest
from playwright.async_api import expect

from tests.e2e.workspace.office import EVIL, Workspace, until

pytestmark = pytest.mark.timeout(600)


async def test_a_client_writes_and_is_answered_from_the_card(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    await expect(ivan.get_by_text("Всем ответили.")).to_be_visible()
    anna = workspace.client(5001, "Анна")
    await anna.say("Сколько стоит окно?")
    await expect(ivan.locator("article.case")).to_contain_text("Сколько стоит окно?")
    await expect(ivan.locator("ol.events")).to_contain_text("Сколько стоит окно?")

    await ivan.locator("article.case h3 a").click()
    await expect(ivan.locator("main")).to_contain_text("Сколько стоит окно?")
    await ivan.locator("textarea[name=text]").fill("От 18 500 ₽ с установкой")
    await ivan.keyboard.press("Control+Enter")
    await expect(ivan.locator("main")).to_contain_text("От 18 500 ₽ с установкой")

    async def delivered() -> bool | None:
        return any("От 18 500 ₽" in each.text for each in anna.received()) or None

    await until(delivered)
    await anna.say("Беру!")
    await expect(ivan.locator("main")).to_contain_text("Беру!")


async def test_a_form_of_another_site_becomes_a_lead_before_their_eyes(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    form = {"name": f"Пётр {EVIL}", "phone": "+79161234567", "message": f"Замер {EVIL}", "utm_source": "yandex"}
    async with (
        aiohttp.ClientSession() as site,
        site.post(f"{workspace.hub.url}/in/web/site?key=site-key", data=form) as answer,
    ):
        assert answer.status < 300
    lead = ivan.locator("article.new-lead")
    await expect(lead).to_contain_text("Замер")
    await lead.get_by_role("button", name="Взять").click()
    await expect(ivan.locator("article.new-lead")).to_have_count(0)
    assert (await workspace.ask("GET", "/leads"))["items"][0]["manager"] == "ivan"


async def test_a_name_of_ones_own_without_an_end_widens_no_page(workspace: Workspace) -> None:
    await workspace.ask("PATCH", "/users/ivan", {"name": "Ы" * 90})
    ivan = await workspace.enter("ivan", viewport={"width": 1366, "height": 768})
    await expect(ivan.locator("a.myself")).to_be_visible()
    await expect(ivan.locator("form.who button")).to_be_in_viewport(ratio=1)
    assert await ivan.evaluate("document.documentElement.scrollWidth") == 1366
