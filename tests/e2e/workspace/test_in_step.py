"""Two browsers show the same at the same moment, also when the hub dies under them; people see who is beside them."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.workspace.office import Workspace

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
    # Ольга came later, so Иван's looking is said again only when he does.
    await ivan.reload()
    await expect(olga.locator("[data-whispers]")).to_have_text("Иван Петров смотрит")

    await olga.locator("textarea[name=text]").press_sequentially("Здравствуйте")
    await expect(ivan.locator("[data-whispers]")).to_have_text("Ольга Сергеева пишет…")
    await expect(olga.locator("[data-whispers]")).to_have_text("Иван Петров смотрит")
    # Whoever stops writing is soon not said to write.
    await expect(ivan.locator("[data-whispers]")).not_to_contain_text("пишет")
