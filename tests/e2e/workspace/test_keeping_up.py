"""A second browser sees what somebody else does on the page it stands on, without loading it anew."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.workspace.office import TELEPHONE, Workspace
from tests.e2e.workspace.test_in_step import ONCE, loaded_once

pytestmark = pytest.mark.timeout(600)


async def test_a_task_closed_a_client_renamed_and_an_amount_are_seen_elsewhere(workspace: Workspace) -> None:
    anna = (await workspace.ask("POST", "/contacts", {"name": "Анна", "identities": ["tel:+79161234567"]}))["id"]
    stages = [{"name": "Новая"}, {"name": "Оплачена", "kind": "won"}, {"name": "Отказ", "kind": "lost"}]
    await workspace.ask("POST", "/pipelines", {"name": "Окна", "stages": stages})
    body = {
        "title": "Балкон",
        "pipeline": "Окна",
        "manager": "ivan",
        "contact_id": anna,
        "amount": {"amount": 100_000, "currency": "RUB"},
    }
    deal = (await workspace.ask("POST", "/deals", body))["id"]
    body = {"title": "Замер", "assignee": "ivan", "contact_id": anna}
    task = (await workspace.ask("POST", "/tasks", body))["id"]

    head, ivan = await workspace.enter("head"), await workspace.enter("ivan")
    await head.goto(f"{workspace.hub.url}/tasks/{task}")
    written = await workspace.beside(head, f"/tasks/{task}")
    table, clients = await workspace.beside(head, "/deals/list"), await workspace.beside(head, "/contacts")
    pages = (head, written, table, clients)
    await expect(table.locator(f"#row-{deal}")).to_contain_text("1 000")
    await written.locator("textarea[name=result]").fill("Не успел")
    for page in pages:
        await page.evaluate(ONCE)

    await workspace.ask("PATCH", f"/deals/{deal}", {"amount": {"amount": 777_000, "currency": "RUB"}})
    await table.bring_to_front()
    await expect(table.locator(f"#row-{deal}")).to_contain_text("7 770")
    await workspace.ask("PATCH", f"/contacts/{anna}", {"name": "Анна Мужева"})
    await clients.bring_to_front()
    await expect(clients.locator(f"#client-{anna}")).to_contain_text("Анна Мужева")

    await ivan.goto(f"{workspace.hub.url}/tasks/{task}")
    await ivan.locator("#acts textarea[name=result]").fill("140 на 120")
    await ivan.get_by_role("button", name="Сделано", exact=True).click()
    await expect(ivan.locator("#acts")).to_contain_text("140 на 120")
    await head.bring_to_front()
    await expect(head.locator("#facts .state.done")).to_be_visible()
    await expect(head.locator("#acts")).to_contain_text("140 на 120")
    await expect(head.locator("textarea[name=result]")).to_have_count(0)
    # What somebody is writing stays, and they see all the same that it was done.
    await written.bring_to_front()
    await expect(written.locator("#facts .state.done")).to_be_visible()
    await expect(written.locator("textarea[name=result]")).to_have_value("Не успел")
    await loaded_once(*pages)


async def test_a_company_a_journal_and_the_stages_of_a_telephone_keep_up(workspace: Workspace) -> None:
    stages = [{"name": "Новая"}, {"name": "Оплачена", "kind": "won"}, {"name": "Отказ", "kind": "lost"}]
    pipeline = (await workspace.ask("POST", "/pipelines", {"name": "Окна", "stages": stages}))["id"]
    company = (await workspace.ask("POST", "/companies", {"name": "ООО Рама", "city": "Омск"}))["id"]
    root = await workspace.enter("root")
    written = await workspace.beside(root, f"/companies/{company}")
    chosen, shown = [await workspace.beside(root, f"/companies/{company}") for _ in range(2)]
    journal = await workspace.beside(root, "/journal?state=all")
    board = await workspace.enter("ivan", viewport=TELEPHONE)
    await board.goto(f"{workspace.hub.url}/deals/board/{pipeline}")
    stage = board.locator("[data-column] option").first
    await expect(stage).to_have_text("Новая · 0")
    await written.locator("input[name=tax_id]").fill("7707083893")
    await chosen.locator("select[name=manager]").select_option("ivan")
    pages = (written, chosen, shown, journal, board)
    for page in pages:
        await page.evaluate(ONCE)

    await workspace.ask("PATCH", f"/companies/{company}", {"name": "АО Рама", "city": "Томск"})
    body = {"title": "Балкон", "pipeline": "Окна", "manager": "ivan", "company_id": company}
    await workspace.ask("POST", "/deals", body)
    for page in (written, chosen, shown):
        await page.bring_to_front()
        await expect(page.locator("h1")).to_have_text("АО Рама")
        await expect(page.locator("#company-side")).to_contain_text("Балкон")
    await expect(shown.locator("input[name=city]")).to_have_value("Томск")
    await expect(stage).to_have_text("Новая · 1")
    # What somebody is filling in stays theirs.
    await expect(written.locator("input[name=tax_id]")).to_have_value("7707083893")
    await expect(chosen.locator("select[name=manager]")).to_have_value("ivan")
    await expect(chosen.locator("input[name=city]")).to_have_value("Омск")

    await journal.bring_to_front()
    rows = await journal.locator("ul.journal > li").count()
    await expect(journal.locator("#fresh")).to_be_empty()
    await workspace.client(5001, "Анна").say("Добрый день")
    await expect(journal.locator("#fresh")).to_contain_text("Новых строк: ")
    assert await journal.locator("ul.journal > li").count() == rows, "nothing moves under the eyes"
    await loaded_once(*pages)
    await journal.locator("#fresh a").click()
    await expect(journal.locator("ul.journal > li").first).to_contain_text("Telegram, shop")
