"""What somebody opened stays open while the page lives: columns of a board, menus, and what is chosen in them."""

from __future__ import annotations

import os

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.workspace.office import Workspace, until

pytestmark = pytest.mark.timeout(600)

CARDS = 130


@pytest.fixture
def account() -> str:
    """A group without people takes new clients: they are nobody's, and everybody sees them wait."""
    return 'group = "все"'


async def opened(page: Page, cards: Locator, count: int) -> None:
    """Scroll a column down until so many cards of it stand there."""

    async def there() -> bool | None:
        await cards.evaluate("each => { each.scrollTop = each.scrollHeight; }")
        return True if await cards.locator("li.deal").count() >= count else None

    await until(there)


async def in_sight(cards: Locator) -> tuple[str, float]:
    """The second card that is seen of a column, and where it stands, in pixels."""
    found: tuple[str, float] = await cards.evaluate(
        "list => { const cards = [...list.querySelectorAll('li.deal')], { top } = list.getBoundingClientRect();"
        " const at = cards.findIndex((each) => each.getBoundingClientRect().bottom > top) + 1;"
        " return [cards[at].id, cards[at].getBoundingClientRect().top - top]; }"
    )
    return found


async def looks_at_the_same(cards: Locator, seen: tuple[str, float]) -> None:
    """Whether a column shows what it showed, where it was; a pixel is nothing."""
    card, top = await in_sight(cards)
    assert card == seen[0]
    assert abs(top - seen[1]) <= 3


async def test_what_was_opened_of_a_board_stays_open_where_it_was_looked_at(workspace: Workspace) -> None:
    stages = [{"name": "Новая"}, {"name": "Договор"}, {"name": "Оплачена", "kind": "won"}]
    stages.append({"name": "Отказ", "kind": "lost"})
    sales = (await workspace.ask("POST", "/pipelines", {"name": "Окна", "stages": stages}))["id"]
    deals = []
    for number in range(CARDS):
        body = {"title": f"Окна {number:03}", "pipeline": "Окна", "manager": "ivan"}
        deals.append((await workspace.ask("POST", "/deals", body))["id"])
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/deals/board/{sales}")
    column = ivan.locator(".column[data-name='Новая']")
    cards, other = column.locator(".cards"), ivan.locator(".column[data-name='Договор']")
    await expect(cards.locator(".more")).to_contain_text(f"показано 12 из {CARDS}")
    await opened(ivan, cards, 120)

    card = cards.locator("li.deal").nth(70)
    await card.scroll_into_view_if_needed()
    await card.focus()
    seen, focused = await in_sight(cards), await card.get_attribute("id") or ""
    await ivan.evaluate("document.body.dataset.standsStill = 'yes'")
    await workspace.ask("POST", f"/deals/{deals[3]}/move", {"stage": "Договор"})
    await expect(other.locator("li.deal")).to_have_count(1)
    assert await cards.locator("li.deal").count() >= 119
    await expect(ivan.locator(f"#{focused}")).to_be_focused()
    await looks_at_the_same(cards, seen)
    new = {"title": "Новая сверху", "pipeline": "Окна", "manager": "ivan"}
    await workspace.ask("POST", "/deals", new)
    await expect(cards.locator("li.deal", has_text="Новая сверху")).to_have_count(1)
    await looks_at_the_same(cards, seen)  # nothing is pushed down under one's eyes

    # A menu goes along with its card.
    await ivan.keyboard.press("m")
    await expect(ivan.locator("#move-menu button:focus")).to_have_text("Договор")
    await workspace.ask("POST", f"/deals/{deals[5]}/move", {"stage": "Договор"})
    await expect(other.locator("li.deal")).to_have_count(2)
    await expect(ivan.locator("#move-menu button:focus")).to_have_text("Договор")
    await ivan.keyboard.press("Enter")
    await expect(other.locator(f"#{focused}")).to_have_count(1)
    await expect(ivan.locator(f"#{focused}")).to_have_count(1)
    await expect(other.locator(".many-cards")).to_have_text("3")
    deal = focused.removeprefix("card-")

    async def moved() -> bool | None:
        return True if (await workspace.ask("GET", f"/deals/{deal}"))["stage"] == "Договор" else None

    await until(moved)
    assert await ivan.evaluate("document.body.dataset.standsStill") == "yes"
    if folder := os.environ.get("LOOK_AT"):
        await look(ivan, folder, "board")


async def test_an_open_menu_stands_open_with_what_was_chosen_in_it(workspace: Workspace) -> None:
    head = await workspace.enter("head")
    await head.goto(f"{workspace.hub.url}/wall")
    await workspace.client(5001, "Анна").say("Добрый день")
    case = head.locator("#wall-acts article.case", has_text="Анна")
    await case.locator("summary", has_text="Поручить").click()
    await case.locator("select[name=to]").select_option("olga")
    await head.mouse.move(2, 400)
    await head.evaluate("document.activeElement.blur()")
    await workspace.client(5002, "Борис").say("А я новый")
    await expect(head.locator("#wall-acts article.case")).to_have_count(2)
    await expect(case.locator("select[name=to]")).to_be_visible()
    await expect(case.locator("select[name=to]")).to_have_value("olga")
    await expect(head.locator("#wall-acts details[open]")).to_have_count(1)
    if folder := os.environ.get("LOOK_AT"):
        await look(head, folder, "wall")
    await case.locator("details[open] button").click()
    client = await workspace.contact("tg:5001")

    async def given() -> bool | None:
        cases = (await workspace.ask("GET", "/cases"))["items"]
        return True if any(each["manager"] == "olga" and each["contact_id"] == client for each in cases) else None

    await until(given)


async def test_an_open_menu_in_which_nothing_was_chosen_offers_what_is_so_now(workspace: Workspace) -> None:
    head = await workspace.enter("head")
    await head.goto(f"{workspace.hub.url}/wall")
    await workspace.client(5001, "Анна").say("Добрый день")
    case = head.locator("#wall-acts article.case", has_text="Анна")
    await case.locator("summary", has_text="Поручить").click()
    await head.mouse.move(2, 400)
    await head.evaluate("document.activeElement.blur()")
    before = await case.locator("select[name=to]").input_value()
    other = "olga" if before != "olga" else "ivan"
    client = await workspace.contact("tg:5001")
    found = next(each for each in (await workspace.ask("GET", "/cases"))["items"] if each["contact_id"] == client)
    await workspace.ask("POST", f"/cases/{found['id']}/give", {"to": other})
    await expect(case.locator("select[name=to]")).to_have_value(other)
    await expect(case.locator("select[name=to]")).to_be_visible()


async def test_what_is_written_beside_is_not_drawn_over(workspace: Workspace) -> None:
    await workspace.client(5001, "Анна").say("Добрый день")
    client = await workspace.contact("tg:5001")
    deal = (await workspace.ask("POST", "/deals", {"contact_id": client, "title": "Окна", "manager": "ivan"}))["id"]
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/deals/{deal}")
    title = ivan.locator("form[hx-post$='/tasks'] input[name=title]")
    await title.fill("Замер")
    await title.blur()
    await workspace.client(5001, "Анна").say("И ещё вопрос")
    await expect(ivan.locator(".deal-talk .timeline")).to_contain_text("И ещё вопрос")
    await ivan.evaluate("htmx.trigger('#deal', 'stale')")
    await expect(title).to_have_value("Замер")
    await title.press("Enter")
    await expect(ivan.locator("#deal .things")).to_contain_text(["Замер"])


async def look(page: Page, folder: str, name: str) -> None:
    """Pictures of a page in both themes, for whoever wants to see it."""
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        await page.screenshot(path=f"{folder}/{name}-{theme}.png")
