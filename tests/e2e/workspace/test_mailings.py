"""A mailing in a real browser: counted, started by a double click, at each client once."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.workspace.office import Workspace, until

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def account() -> str:
    """Clients may be written to at any hour, so that nobody waits for the morning."""
    return '[robot]\nclient_hours = "00:00-24:00"\n'


async def test_a_mailing_is_counted_started_and_reaches_each_once(workspace: Workspace) -> None:
    people = [workspace.client(5001 + each, name) for each, name in enumerate(("Анна", "Пётр", "Мария"))]
    for each in people:
        await each.say("Сколько стоит окно?")
    left = await workspace.contact("tg:5003")
    await workspace.contact("tg:5002")
    await workspace.ask("POST", f"/contacts/{left}/opt-out")
    await workspace.ask("POST", "/segments", {"name": "Все"})

    head = await workspace.enter("head")
    await head.locator("nav.side a[href='/broadcasts']").click()
    await head.locator("p.empty a").click()
    await head.locator("input[name=name]").fill("Весна")
    await head.locator("select[name=segment]").select_option("Все")
    await head.locator("textarea[name=text]").fill("Весенняя цена, {{ contact.name }}!")
    await head.locator("form.card button").first.click()
    await expect(head.locator(".reached")).to_contain_text("2 клиента получат её сейчас")
    await expect(head.locator(".drafted")).to_contain_text("отказался от рассылок")
    await expect(head.locator(".as-sent")).to_contain_text("Весенняя цена, Анна!")

    await head.locator("form[action$='/start'] button").dblclick()
    await expect(head.locator(".title .badge")).not_to_have_class("badge draft")
    await expect(head.locator("#live")).to_contain_text("отказался от рассылок")

    async def all_there() -> bool | None:
        return all(any("Весенняя цена" in one.text for one in each.received()) for each in people[:2]) or None

    await until(all_there)
    await expect(head.locator("#live .tile").filter(has_text="отправлено")).to_contain_text("2")
    for each in people[:2]:
        assert sum("Весенняя цена" in one.text for one in each.received()) == 1
    assert not any("Весенняя цена" in one.text for one in people[2].received())
