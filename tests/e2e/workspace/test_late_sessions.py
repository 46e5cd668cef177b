"""What is dragged, attached or sent from a page of an earlier session: done with the token of the one that its person
has now; without scripts shown again after the login, and sent once."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.workspace.office import DESKTOP, PASSWORD, Workspace
from tests.e2e.workspace.test_board import column, drag
from tests.e2e.workspace.test_losing_nothing import card_of, log_in, log_out

pytestmark = pytest.mark.timeout(600)
_ALONE = "delete globalThis.BroadcastChannel"  # a tab that did not hear of the new session


async def again(workspace: Workspace, page: Page) -> None:
    """Log out and in, in another tab."""
    other = await workspace.beside(page, "/tasks")
    await log_out(other)
    await log_in(other)
    await other.close()


async def test_a_card_is_dragged_from_a_page_of_an_earlier_session(workspace: Workspace) -> None:
    stages = [{"name": "Новая"}, {"name": "Договор"}, {"name": "Оплачена", "kind": "won"}]
    sales = await workspace.ask("POST", "/pipelines", {"name": "Окна", "stages": stages})
    deal: dict[str, Any] = {"title": "Окна на дачу", "pipeline": "Окна", "manager": "ivan"}
    ident = (await workspace.ask("POST", "/deals", deal))["id"]
    ivan = await workspace.enter("ivan")
    await ivan.add_init_script(_ALONE)
    await ivan.goto(f"{workspace.hub.url}/deals?pipeline={sales['id']}")
    await again(workspace, ivan)
    await drag(ivan, "Окна на дачу", "Договор")
    await expect(column(ivan, "Договор").locator("li.deal:not(.moving)")).to_have_count(1)
    assert (await workspace.ask("GET", f"/deals/{ident}"))["stage"] == "Договор"
    await expect(ivan.locator("#failure")).to_be_hidden()
    await log_out(await workspace.beside(ivan, "/tasks"))
    await drag(ivan, "Окна на дачу", "Новая")
    await expect(ivan.locator("#failure")).to_contain_text("Сеанс закончился")
    await expect(column(ivan, "Договор").locator("li.deal:not(.moving)")).to_have_count(1)


async def test_a_file_is_attached_on_a_page_of_an_earlier_session(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    await ivan.add_init_script(_ALONE)
    await card_of(workspace, ivan)
    await again(workspace, ivan)
    photo = {"name": "замер.txt", "mimeType": "text/plain", "buffer": "12 на 14".encode()}
    await ivan.locator("#composer input[type=file]").set_input_files(photo)  # type: ignore[arg-type] # as it documents
    await expect(ivan.locator("#composer .chosen input[type=hidden]")).to_have_count(1)
    await log_out(await workspace.beside(ivan, "/tasks"))
    await ivan.locator("#composer input[type=file]").set_input_files(photo)  # type: ignore[arg-type] # as above
    await expect(ivan.locator("#failure")).to_contain_text("Сеанс закончился")
    await expect(ivan.locator("#composer .chosen input[type=hidden]")).to_have_count(1)


async def test_without_scripts_it_is_shown_after_the_login_and_sent_once(workspace: Workspace) -> None:
    await workspace.client(5001, "Анна").say("Сколько стоит?")
    contact = await workspace.contact("tg:5001")
    context = await workspace.browser.new_context(viewport=DESKTOP, locale="ru-RU", java_script_enabled=False)
    ivan = await context.new_page()

    async def enter() -> None:
        await ivan.locator("input[name=login]").fill("ivan")
        await ivan.locator("input[name=password]").fill(PASSWORD)
        await ivan.locator("main button").first.click()

    await ivan.goto(f"{workspace.hub.url}/login")
    await enter()
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    await ivan.locator("#answer").fill("Сейчас посчитаю,\nдо вечера")
    other = await context.new_page()
    await other.goto(f"{workspace.hub.url}/tasks")
    await other.locator(".who button").click()
    await ivan.locator("#composer button:not([type])").last.click()
    await expect(ivan.locator("main")).to_contain_text("сохранено")
    await enter()
    await expect(ivan.locator(".unsent blockquote")).to_have_text("Сейчас посчитаю,\nдо вечера")
    await ivan.get_by_role("button", name="Отправить сейчас").click()
    await expect(ivan.locator("#flow")).to_contain_text("Сейчас посчитаю")
    await ivan.go_back()
    await ivan.goto(f"{workspace.hub.url}/unsent")
    await expect(ivan.locator(".unsent")).to_have_count(0)
    entries = (await workspace.ask("GET", f"/contacts/{contact}/timeline"))["items"]
    assert [each["text"] for each in entries].count("Сейчас посчитаю,\nдо вечера") == 1
