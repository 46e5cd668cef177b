"""Cards on the board: dragged by mouse, moved by keys, sent back where a stage refuses them; others see it happen."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.workspace.office import Workspace

pytestmark = pytest.mark.timeout(600)
FORWARD = {"forward_only": True}
STAGES: list[dict[str, Any]] = [
    {"name": "Новая"},
    {"name": "Предложение", "probability": 50},
    {"name": "Договор", "required": ["source"], **FORWARD},
    {"name": "Оплачена", "kind": "won"},
    {"name": "Отказ", "kind": "lost"},
]


def column(page: Page, name: str) -> Locator:
    """A column of the board."""
    return page.locator(f".column[data-name='{name}']")


async def stands(page: Page, title: str, stage: str, *, cards: int, amount: str) -> None:
    """A card stands in a column, which counts and sums what it holds."""
    there = column(page, stage)
    await expect(there.locator("li.deal", has_text=title)).to_have_count(1)
    await expect(page.locator("li.deal", has_text=title)).to_have_count(1)
    await expect(there.locator(".many-cards")).to_have_text(str(cards))
    await expect(there.locator(".sums")).to_contain_text(amount)


async def drag(page: Page, title: str, stage: str) -> None:
    """Take a card with the mouse and let it go over another column."""
    card = await page.locator("li.deal", has_text=title).bounding_box()
    target = await column(page, stage).locator(".cards").bounding_box()
    assert card is not None
    assert target is not None
    # By its lower edge: what stands above can be pressed by itself.
    await page.mouse.move(card["x"] + 30, card["y"] + card["height"] - 8)
    await page.mouse.down()
    await page.mouse.move(card["x"] + 50, card["y"] + card["height"] - 4, steps=3)
    await page.mouse.move(target["x"] + target["width"] / 2, target["y"] + 40, steps=8)
    await page.mouse.up()


async def test_a_deal_is_dragged_and_moved_by_keys_and_sent_back_where_it_may_not_stand(workspace: Workspace) -> None:
    body = {"name": "Окна", "stages": STAGES, "loss_reasons": ["Дорого"]}
    sales = (await workspace.ask("POST", "/pipelines", body))["id"]
    deals = {}
    for title, roubles in (("Окна на дачу", 200_000), ("Балкон", 50_000)):
        deal: dict[str, Any] = {"title": title, "pipeline": "Окна", "manager": "ivan"}
        deal["amount"] = {"amount": roubles * 100, "currency": "RUB"}
        deals[title] = (await workspace.ask("POST", "/deals", deal))["id"]
    ivan, head = await workspace.enter("ivan"), await workspace.enter("head")
    for page in (ivan, head):
        await page.goto(f"{workspace.hub.url}/deals/board/{sales}")
        await stands(page, "Окна на дачу", "Новая", cards=2, amount="250\u00a0000")
    await head.evaluate("document.body.dataset.standsStill = 'yes'")

    await drag(ivan, "Окна на дачу", "Предложение")
    for page in (ivan, head):
        await stands(page, "Окна на дачу", "Предложение", cards=1, amount="200\u00a0000")
        await expect(column(page, "Предложение").locator(".sums")).to_contain_text("100\u00a0000")
        await stands(page, "Балкон", "Новая", cards=1, amount="50\u00a0000")
    assert (await workspace.ask("GET", f"/deals/{deals['Окна на дачу']}"))["stage"] == "Предложение"

    # What the stage asks for is asked for; who does not say it keeps the card where it was.
    dialog = ivan.locator("dialog#asking")
    await drag(ivan, "Окна на дачу", "Договор")
    await expect(dialog).to_contain_text("Источник")
    await dialog.locator("[data-cancel]").click()
    await expect(dialog).to_be_hidden()
    await stands(ivan, "Окна на дачу", "Предложение", cards=1, amount="200\u00a0000")
    await expect(ivan.locator("#board-said")).to_contain_text("остаётся на прежнем этапе")
    await drag(ivan, "Окна на дачу", "Договор")
    await dialog.locator("input[name=source]").fill("Рекомендация")
    await dialog.locator("button").first.click()
    for page in (ivan, head):
        await stands(page, "Окна на дачу", "Договор", cards=1, amount="200\u00a0000")
    found = await workspace.ask("GET", f"/deals/{deals['Окна на дачу']}")
    assert (found["stage"], found["source"]) == ("Договор", "Рекомендация")

    # A way that leads forward only.
    await drag(ivan, "Окна на дачу", "Новая")
    await expect(dialog).to_contain_text("вперёд")
    await ivan.keyboard.press("Escape")
    await stands(ivan, "Окна на дачу", "Договор", cards=1, amount="200\u00a0000")
    await stands(ivan, "Балкон", "Новая", cards=1, amount="50\u00a0000")

    # By keys alone: from card to card, the menu, the stage, the reason.
    await ivan.locator("li.deal", has_text="Балкон").focus()
    await ivan.keyboard.press("ArrowRight")
    await expect(ivan.locator("li.deal", has_text="Окна на дачу")).to_be_focused()
    await ivan.keyboard.press("ArrowLeft")
    await ivan.keyboard.press("m")
    await expect(ivan.locator("#move-menu button:focus")).to_have_text("Предложение")
    await ivan.keyboard.press("End")
    await ivan.keyboard.press("Enter")
    await expect(dialog.locator("select[name=reason]")).to_be_focused()
    await dialog.locator("select[name=reason]").select_option("Дорого")
    await ivan.keyboard.press("Tab")
    await ivan.keyboard.press("Enter")
    await expect(ivan.locator("#board-said")).to_contain_text("Отказ")
    for page in (ivan, head):  # a board shows what is still to be worked on
        await expect(page.locator("li.deal", has_text="Балкон")).to_have_count(0)
        await expect(column(page, "Новая").locator(".many-cards")).to_have_text("0")
    assert await head.evaluate("document.body.dataset.standsStill") == "yes"
    assert (await workspace.ask("GET", f"/deals/{deals['Балкон']}"))["reason"] == "Дорого"
    await head.goto(f"{workspace.hub.url}/deals/board/{sales}?closed=1")
    await stands(head, "Балкон", "Отказ", cards=1, amount="50\u00a0000")
