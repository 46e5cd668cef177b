"""What an administrator mends and configures in a browser: facts that were not understood, fields, lists; and what
comes of it for others."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from json import dumps

import aiohttp
import pytest
from playwright.async_api import Page, expect

from tests.e2e.workspace.office import Workspace, until

pytestmark = pytest.mark.timeout(600)


async def form(workspace: Workspace, phone: str, message: str) -> None:
    """Somebody fills the form of the site."""
    fields = {"name": "Клиент", "phone": phone, "message": message}
    url = f"{workspace.hub.url}/in/web/site?key=site-key"
    async with aiohttp.ClientSession() as site, site.post(url, data=fields) as answer:
        assert answer.status < 300


async def saved(page: Page, where: str) -> None:
    """Press the button of the office's form, and come back to the list of what is kept there."""
    await page.locator("form.office .buttons.sticky button[value=save]").click()
    await expect(page).to_have_url(where)


async def test_a_field_that_is_added_is_filled_in_and_what_does_not_fit_it_later_stands_in_the_control_list(
    workspace: Workspace,
) -> None:
    contact = (await workspace.ask("POST", "/contacts", {"name": "Анна", "identities": ["tel:+79161234567"]}))["id"]
    root = await workspace.enter("root")
    fields = f"{workspace.hub.url}/office/fields"
    await root.goto(f"{workspace.hub.url}/control/malformed-fields")
    await expect(root.locator("p.empty")).to_be_visible()

    # A text field of clients is added by the form; what is wrong with the form is said beside the input.
    await root.goto(fields)
    await root.get_by_role("link", name="Добавить поле").first.click()
    await root.locator("[name=of]").select_option("contact")
    await root.locator("[name=title]").fill("Этаж")
    await root.locator("[name=key]").fill("Эт аж")
    await root.locator("form.office .buttons.sticky button[value=save]").click()
    await expect(root.locator("[name=key]")).to_have_attribute("aria-invalid", "true")
    await expect(root.locator("[name=title]")).to_have_value("Этаж")
    await root.locator("[name=key]").fill("floor")
    await saved(root, fields)
    await expect(root.locator("table.kept")).to_contain_text("Этаж")

    # It stands on the card, where somebody writes what is no number into it.
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    fact = ivan.locator("#about dd", has=ivan.locator("input[name=field][value='field:floor']"))
    await fact.locator("summary").click()
    await fact.locator("input[name=value]").fill("высоко")
    await fact.get_by_role("button", name="Сохранить").click()
    await expect(fact.locator("summary")).to_have_text("высоко")

    # From now on it is a number: what stands there already does not fit.
    await root.locator("table.kept a", has_text="Этаж").click()
    await root.locator("[name=type]").select_option("number")
    await saved(root, fields)

    async def looked() -> bool | None:
        (field,) = (await workspace.ask("GET", "/fields"))["items"]
        return (await workspace.ask("GET", f"/fields/{field['id']}/check"))["problems"] == 1 or None

    await until(looked)
    await root.goto(f"{workspace.hub.url}/control")
    await root.locator("a[href='/control/malformed-fields']").click()
    line = root.locator("main table tbody tr")
    await expect(line).to_have_count(1)
    await expect(line).to_contain_text("Этаж")
    await expect(line).to_contain_text(f"№ {contact}: высоко")
    # Who writes into it now is told at once.
    await ivan.reload()
    await fact.locator("summary").click()
    await fact.locator("input[name=value]").fill("ещё выше")
    await fact.get_by_role("button", name="Сохранить").click()
    await expect(fact.locator(".problem")).to_be_visible()
    await fact.locator("input[name=value]").fill("5")
    await fact.get_by_role("button", name="Сохранить").click()
    await expect(fact.locator("summary")).to_have_text("5")


async def test_a_list_is_made_filled_and_edited_and_holds_at_once(workspace: Workspace) -> None:
    root = await workspace.enter("root")
    lists = f"{workspace.hub.url}/office/lists"
    await root.goto(f"{lists}/new")
    await root.locator("[name=name]").fill("поставщики")
    await root.locator("[name=action]").select_option("route")
    await root.locator("form.office .buttons.sticky button[value=save]").click()
    await expect(root.locator("form.office .wrong, .faults .problem").first).to_be_visible()  # to whom?
    await root.locator("[name=to]").fill("PJSIP/150")
    await saved(root, lists)
    row = root.locator("table.kept tr", has_text="поставщики")
    await expect(row).to_contain_text("PJSIP/150")

    # Somebody stands on it: their call would go to the stores.
    number = {"number": "+79031112233", "reason": "стекло"}
    await workspace.ask("POST", "/lists/поставщики/numbers", number)
    route = await workspace.ask("GET", "/explain/route?number=%2B79031112233&line=%2B74951234567")
    assert "150" in str(route), route

    # It becomes one whose people make no leads.
    await row.get_by_role("link", name="поставщики").click()
    await root.locator("[name=action]").select_option("no_lead")
    await root.locator("[name=to]").fill("")
    await saved(root, lists)
    await expect(root.locator("table.kept tr", has_text="поставщики")).not_to_contain_text("PJSIP/150")
    await form(workspace, "+79031112233", "Предлагаем стекло")
    await form(workspace, "+79161112233", "Нужны окна")

    async def leads() -> list[str] | None:
        found = (await workspace.ask("GET", "/leads"))["items"]
        return [str(each["contact_id"]) for each in found] or None

    buyer = str(await workspace.contact("tel:%2B79161112233"))
    assert await until(leads) == [buyer]
    supplier = await workspace.contact("tel:%2B79031112233")
    await root.goto(f"{workspace.hub.url}/contacts/{supplier}")
    await expect(root.locator("main")).to_contain_text("Предлагаем стекло")
    await expect(root.locator("#about .tag.problem")).to_have_text("поставщики")


async def test_what_was_not_understood_is_read_again_all_at_once(workspace: Workspace) -> None:
    url = f"{workspace.hub.url}/in/web/site?key=site-key"
    json = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as site:
        for number in range(3):
            async with site.post(url, data=f"{{message: {number}", headers=json) as answer:
                assert answer.status == 422
    root = await workspace.enter("root")
    await root.goto(f"{workspace.hub.url}/journal")
    kind = root.locator("table.records tbody tr")
    await expect(kind.locator("td.number").first).to_have_text("3")
    again = kind.get_by_role("button", name="Прочитать все заново")

    # Nothing has become of it: they are said to be as they were.
    await again.click()
    notice = root.locator("[role=status]", has_text="Всё ещё не понято")
    await expect(notice).to_contain_text("3")
    await expect(kind.locator("td.number").first).to_have_text("3")

    # Two of them can be read now, as by a newer hub that knows their shape.
    with closing(sqlite3.connect(workspace.hub.database_url.removeprefix("sqlite+aiosqlite:///"))) as file, file:
        for number, row in enumerate(file.execute("SELECT id FROM journal WHERE state = 'failed' LIMIT 2").fetchall()):
            said = dumps({"phone": f"+7916000000{number}", "message": f"Вопрос {number}"})
            file.execute("UPDATE journal SET raw = ? WHERE id = ?", (said.encode(), row[0]))
    await again.click()
    await expect(notice).to_contain_text("2 строки прочитаны заново")
    await expect(notice).to_contain_text("Всё ещё не понято: 1.")
    await expect(kind.locator("td.number").first).to_have_text("1")
    await expect(root.locator("ul.journal li")).to_have_count(1)
    # They are whole facts now, and each is there once, however often it is pressed.
    await again.click()
    await expect(notice).to_contain_text("Всё ещё не понято: 1.")
    for number in range(2):
        contact = await workspace.contact(f"tel:%2B7916000000{number}")
        entries = (await workspace.ask("GET", f"/contacts/{contact}/timeline"))["items"]
        assert [each["kind"] for each in entries].count("form") == 1
        assert f"Вопрос {number}" in str(entries)
    assert len((await workspace.ask("GET", "/leads"))["items"]) == 2
