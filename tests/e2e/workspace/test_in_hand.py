"""What a telephone reaches, and what an open menu holds up."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.workspace.office import TELEPHONE, Workspace

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def account() -> str:
    """A group without people takes new clients: they are nobody's, and everybody sees them wait."""
    return 'group = "все"'


async def test_a_telephone_reaches_the_own_page_and_every_section(workspace: Workspace) -> None:
    page = await workspace.enter("root", viewport=TELEPHONE, is_mobile=True)
    side = page.locator("nav.side")
    assert await side.evaluate("each => each.scrollWidth <= each.clientWidth"), "no section lies beyond the edge"
    for each in await side.locator("li a").all():
        await expect(each).to_be_in_viewport()
    await page.locator("a.myself").click()
    await page.wait_for_url("**/me")


async def test_a_menu_left_open_holds_up_nothing_for_long(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    await workspace.client(5001, "Анна").say("Добрый день")
    case = ivan.locator("article.case")
    await case.locator("details.rarely > summary").click()
    await ivan.mouse.move(2, 400)
    await ivan.evaluate("document.activeElement.blur()")
    await workspace.client(5002, "Борис").say("А я новый")
    await expect(case).to_have_count(2, timeout=20_000)


async def test_nothing_is_said_of_nothing(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    await expect(ivan.locator("ol.events")).to_be_hidden()
    await expect(ivan.locator(".when-none")).to_be_visible()
    await workspace.client(5001, "Анна").say("Добрый день")
    await expect(ivan.locator("ol.events")).to_be_visible()
    await expect(ivan.locator(".when-none")).to_be_hidden()
