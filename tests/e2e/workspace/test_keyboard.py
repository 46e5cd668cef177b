"""Everything can be done without a mouse: found, gone to, answered; and one sees where the keyboard stands."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.workspace.office import Workspace

pytestmark = pytest.mark.timeout(600)

# What can be reached by Tab and seen: each must get the focus, show it, and be named.
WALKED = """() => {
  const here = document.activeElement;
  if (here === document.body) return null;
  const style = getComputedStyle(here), box = here.getBoundingClientRect();
  return {
    what: here.outerHTML.slice(0, 120),
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none"
      || here.closest(":focus-within label, label:focus-within") !== null,
    seen: box.width > 0 && box.height > 0,
  };
}"""
REACHED = "a[href], button, input:not([type=hidden]), select, textarea, summary"
REACHABLE = """(reached) => [...document.querySelectorAll(reached)]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled && each.tabIndex >= 0
    && !each.closest("dialog:not([open]), [hidden], details:not([open]) > :not(summary)")).length"""
MOST = 150


async def found_by(page: Page, typed: str, contact: int) -> None:
    """`/`, a part of something, an arrow and Enter lead to the card."""
    await page.wait_for_load_state()  # the keys are heard once the page's modules have run
    await page.keyboard.press("/")
    await expect(page.locator("#find")).to_be_focused()
    await page.locator("#find").fill("")
    await page.keyboard.type(typed)
    await expect(page.locator(f"#found a[href='/contacts/{contact}']").first).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#found a").first).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#find")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(rf"/contacts/{contact}$"))


async def walked(page: Page) -> list[dict[str, Any]]:
    """What Tab leads to, in order, from the top of the page to its end."""
    found: list[dict[str, Any]] = []
    await page.evaluate("document.activeElement.blur(); window.getSelection().removeAllRanges()")
    for _ in range(MOST):
        await page.keyboard.press("Tab")
        here = await page.evaluate(WALKED)
        if here is None or (found and here["what"] == found[0]["what"] and len(found) > 3):
            return found
        found.append(here)
    raise AssertionError(f"Tab goes on and on: {found[-3:]}")


async def test_a_client_is_found_gone_to_and_answered_by_the_keyboard_alone(workspace: Workspace) -> None:
    body = {"name": "Анна Достоевская", "identities": ["tel:+79161234567", "mailto:anna@example.org"]}
    body["manager"] = "ivan"
    known = (await workspace.ask("POST", "/contacts", body))["id"]
    boris = workspace.client(5001, "Борис")
    await boris.say("Сколько стоит окно?")
    writer = await workspace.contact("tg:5001")
    ivan = await workspace.enter("ivan")
    for typed in ("достоев", "1234567", "anna@exa"):
        await found_by(ivan, typed, known)
    await found_by(ivan, "борис", writer)

    # So are a task, a product and a deal, each under its heading.
    task = (await workspace.ask("POST", "/tasks", {"title": "Замер террасы", "assignee": "ivan"}))["id"]
    await workspace.ask("POST", "/products", {"name": "Терраса", "price": {"amount": 100, "currency": "RUB"}})
    await workspace.ask("POST", "/deals", {"title": "Остекление террасы", "manager": "ivan"})
    await ivan.keyboard.press("/")
    await ivan.locator("#find").fill("террас")
    await expect(ivan.locator("#found h2")).to_have_text(["Сделки", "Задачи", "Товары и услуги"])
    await ivan.locator("#found").get_by_role("link", name="Замер террасы").click()
    await expect(ivan).to_have_url(re.compile(rf"/tasks/{task}$"))
    await found_by(ivan, "борис", writer)

    # The box to answer in is named, and Ctrl+Enter sends.
    await ivan.get_by_role("textbox", name="Текст ответа").focus()
    await ivan.keyboard.type("От 18 500 ₽")
    await ivan.keyboard.press("Control+Enter")
    await expect(ivan.locator("ol.timeline")).to_contain_text("От 18 500 ₽")
    await expect(ivan.locator("textarea[name=text]")).to_have_value("")

    await expect(ivan.get_by_role("textbox", name="Текст ответа")).to_be_focused()  # one goes on writing
    await ivan.evaluate("document.activeElement.blur()")
    for key, path in (("t", "/tasks"), ("d", "/deals"), ("i", "/"), ("c", "/contacts")):
        await ivan.wait_for_load_state()
        await ivan.keyboard.press("g")
        await ivan.keyboard.press(key)
        await expect(ivan).to_have_url(re.compile(rf"{workspace.hub.url}{path}(/board/\d+)?$"))
        await expect(ivan.locator("nav.side [aria-current=page]")).to_have_attribute("href", path)
    await ivan.wait_for_load_state()
    await ivan.evaluate("document.activeElement.blur()")  # the list of clients begins with its search
    await ivan.keyboard.press("Shift+Slash")
    await expect(ivan.locator("dialog#keys")).to_be_visible()
    await ivan.keyboard.press("Escape")
    await expect(ivan.locator("dialog#keys")).to_be_hidden()


async def test_tab_leads_everywhere_and_shows_where_it_stands(workspace: Workspace) -> None:
    await workspace.client(5001, "Борис").say("Сколько стоит окно?")
    writer = await workspace.contact("tg:5001")
    ivan = await workspace.enter("ivan")
    for path in ("/", f"/contacts/{writer}", "/tasks", "/deals", "/me"):
        await ivan.goto(f"{workspace.hub.url}{path}")
        steps = await walked(ivan)
        reachable = await ivan.evaluate(REACHABLE, REACHED)
        assert len(steps) >= reachable * 0.9, (path, reachable, [each["what"] for each in steps])
        unseen = [each for each in steps if not each["outlined"]]
        assert unseen == [], path
