"""Two browsers show the same at the same moment, also when the hub dies under them; people see who is beside them."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.workspace.office import PASSWORD, Workspace

pytestmark = pytest.mark.timeout(600)
MISSED = ("Вы работаете?", "Есть кто живой?", "Тогда завтра позвоню")
ONCE = "document.body.dataset.standsStill = 'yes'"


@pytest.fixture
def account() -> str:
    """A group without people takes new clients: they are nobody's, and everybody sees them wait."""
    return 'group = "все"'


async def shown_once(places: Locator, texts: tuple[str, ...]) -> None:
    """Each text stands in exactly one of the places."""
    for text in texts:
        await expect(places.filter(has_text=text)).to_have_count(1)


async def loaded_once(*pages: Page) -> None:
    """None of the pages was loaded anew since it was marked."""
    for page in pages:
        assert await page.evaluate("document.body.dataset.standsStill") == "yes"


async def test_two_browsers_stay_in_step_when_the_hub_dies(workspace: Workspace) -> None:
    ivan, olga = await workspace.enter("ivan"), await workspace.enter("olga")
    anna = workspace.client(5001, "Анна")
    await anna.say("Добрый день")
    contact = await workspace.contact("tg:5001")
    beside = await workspace.beside(ivan, f"/contacts/{contact}")  # a second tab on the same line
    events = [page.locator("ol.events > li") for page in (ivan, olga)] + [beside.locator("ol.timeline > li")]
    for each in events:
        await shown_once(each, ("Добрый день",))
    pages = (ivan, olga, beside)
    for page in pages:
        await page.evaluate(ONCE)

    await workspace.hub.kill()
    for page in pages:
        await expect(page.locator("body.offline")).to_be_attached()
    for text in MISSED:
        await anna.say(text)
    await workspace.hub.begin()
    await workspace.hub.serving()

    for page in pages:
        await expect(page.locator("body:not(.offline)")).to_be_attached()
    for each in events:
        await shown_once(each, ("Добрый день", *MISSED))
    for page in (ivan, olga):
        await expect(page.locator("article.case")).to_have_count(1)
        await expect(page.locator("article.case")).to_contain_text(MISSED[-1])
    await loaded_once(*pages)

    # The line is the same as before: what comes now is told through it.
    boris = workspace.client(5002, "Борис")
    await boris.say("А я новый")
    for page in (ivan, olga):
        await expect(page.locator("article.case")).to_have_count(2)
    await loaded_once(*pages)
    await ivan.locator("article.case", has_text="Анна").get_by_role("button", name="Беру", exact=True).click()
    await expect(olga.locator("article.case")).to_have_count(1)
    await expect(olga.locator("article.case")).to_contain_text("Борис")
    await loaded_once(olga, beside)


async def test_who_looks_and_who_writes_is_seen_beside(workspace: Workspace) -> None:
    await workspace.client(5001, "Анна").say("Добрый день")
    card = f"/contacts/{await workspace.contact('tg:5001')}"
    ivan, olga = await workspace.enter("ivan"), await workspace.enter("olga")
    for page in (ivan, olga):
        await page.goto(f"{workspace.hub.url}{card}")
        await expect(page.locator("textarea[name=text]")).to_be_visible()
    await expect(ivan.locator("[data-whispers]")).to_have_text("Ольга Сергеева смотрит")
    # Ольга came later: she is told of who was there already.
    await expect(olga.locator("[data-whispers]")).to_have_text("Иван Петров смотрит")

    await olga.locator("textarea[name=text]").press_sequentially("Здравствуйте")
    await expect(ivan.locator("[data-whispers]")).to_have_text("Ольга Сергеева пишет…")
    await expect(olga.locator("[data-whispers]")).to_have_text("Иван Петров смотрит")
    # Whoever stops writing is soon not said to write.
    await expect(ivan.locator("[data-whispers]")).not_to_contain_text("пишет")


async def test_a_tab_of_whoever_logged_out_says_so_and_hears_nothing_of_the_next(workspace: Workspace) -> None:
    """Two people at one browser, one after the other: the tab that the first left open is not the second's."""
    first = await workspace.enter("ivan")
    left = await workspace.beside(first, "/")
    anna = workspace.client(5001, "Анна")
    await anna.say("Добрый день")
    await shown_once(left.locator("ol.events > li"), ("Добрый день",))
    sign = left.locator(".offline-sign.out")
    await expect(sign).to_be_hidden()

    await first.locator("form.who button").click()
    await expect(first.locator("input[name=login]")).to_be_visible()
    await expect(sign).to_have_text("Вы вышли; войдите снова")
    await expect(sign.locator("a")).to_have_attribute("href", "/login")
    await expect(left.locator(".offline-sign:not(.out)")).to_be_hidden()

    await first.locator("input[name=login]").fill("olga")
    await first.locator("input[name=password]").fill(PASSWORD)
    await first.locator("main button").first.click()
    await expect(first.locator("body[data-login=olga]:not(.offline)")).to_be_attached()
    await anna.say("Мой адрес: Лесная, 5")
    await shown_once(first.locator("ol.events > li"), ("Мой адрес: Лесная, 5",))
    await expect(left.locator("ol.events > li").filter(has_text="Лесная")).to_have_count(0)
    await expect(sign).to_be_visible()

    # Whoever comes back finds the tab following again.
    await first.locator("form.who button").click()
    await first.locator("input[name=login]").fill("ivan")
    await first.locator("input[name=password]").fill(PASSWORD)
    await first.locator("main button").first.click()
    await expect(sign).to_be_hidden()
    await shown_once(left.locator("ol.events > li"), ("Мой адрес: Лесная, 5",))
