"""Whoever oversees sees a case climb its ladder and gives it to somebody, before whom it appears."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.workspace.office import Workspace

pytestmark = pytest.mark.timeout(600)


async def test_a_case_climbs_before_the_head_who_gives_it_away(workspace: Workspace) -> None:
    head = await workspace.enter("head")
    await head.goto(f"{workspace.hub.url}/wall")
    await head.evaluate("document.body.dataset.standsStill = 'yes'")
    anna = workspace.client(5001, "Анна")
    await anna.say("Кто-нибудь ответит?")
    case = head.locator("article.climbing")
    await expect(case).to_contain_text("Анна")
    await expect(case).to_contain_text("ступень 1 из 2")
    await expect(case).to_contain_text("ступень 2 из 2")
    await expect(case.locator(".steps .up")).to_have_count(2)
    await expect(case).to_contain_text("лестница пройдена до конца")
    assert await head.evaluate("document.body.dataset.standsStill") == "yes"

    # It is somebody's; it goes to the other of the two.
    (item,) = (await workspace.ask("GET", "/cases?state=open"))["items"]
    other = "olga" if item["manager"] == "ivan" else "ivan"
    receiver = await workspace.enter(other)
    await expect(receiver.get_by_text("Всем ответили.")).to_be_visible()
    await case.locator("details:has(select[name=to]) summary").click()
    await case.locator("select[name=to]").select_option(other)
    await case.locator("form[action$='/give'] button").click()
    await expect(receiver.locator("article.case")).to_contain_text("Анна")
    await expect(receiver.locator("article.case")).to_contain_text("Кто-нибудь ответит?")
    await expect(head.locator("article.climbing")).to_contain_text("Ольга" if other == "olga" else "Иван")

    # Whoever answers takes it off the wall.
    await receiver.locator("article.case h3 a").click()
    await receiver.locator("textarea[name=text]").fill("Уже здесь")
    await receiver.keyboard.press("Control+Enter")
    await expect(head.locator("article.climbing")).to_have_count(0)
