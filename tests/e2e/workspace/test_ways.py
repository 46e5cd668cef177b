"""The ways to a client that other programs open: one press, the right address, in a window of its own."""

from __future__ import annotations

import pytest
from playwright.async_api import Route, expect

from tests.e2e.workspace.office import Workspace

pytestmark = pytest.mark.timeout(600)

_ANNA = ["tel:+79161234567", "tg:5001", "vk:200300", "mailto:anna+okna@example.org"]


async def test_each_messenger_opens_at_the_client_s_own_address(workspace: Workspace) -> None:
    contact = (await workspace.ask("POST", "/contacts", {"name": "Анна", "identities": _ANNA}))["id"]
    ivan = await workspace.enter("ivan")
    asked: list[str] = []

    async def elsewhere(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(body="elsewhere", content_type="text/plain")

    for each in ("https://wa.me/**", "https://t.me/**", "https://vk.com/**"):
        await ivan.context.route(each, elsewhere)
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    ways = ivan.locator("#about .ways > li")
    number, vk = ways.filter(has_text="+7 916 123-45-67"), ways.filter(has_text="200300")
    for way, name, address in (
        (number, "WhatsApp", "https://wa.me/79161234567"),
        (number, "Telegram", "https://t.me/+79161234567"),
        (vk, "VK", "https://vk.com/id200300"),
    ):
        async with ivan.context.expect_page() as opening:
            await way.get_by_role("link", name=name, exact=True).click()
        window = await opening.value
        await window.wait_for_load_state()
        assert (window.url, asked[-1]) == (address, address)
        assert await window.evaluate("[window.opener, document.referrer]") == [None, ""]
        await window.close()
    await expect(ivan).to_have_url(f"{workspace.hub.url}/contacts/{contact}")
    mail = ways.filter(has_text="example.org").get_by_role("link", name="E-mail")
    await expect(mail).to_have_attribute("href", "mailto:anna+okna@example.org")
    # A number of Telegram's that names nobody opens nothing: there would be no such address.
    await expect(ways.filter(has_text="5001").get_by_role("link")).to_have_count(0)


async def test_whoever_wrote_by_telegram_under_a_name_is_found_there_by_it(workspace: Workspace) -> None:
    assert workspace.bot is not None
    anna = workspace.bot.user(id=5002, first_name="Анна", username="anna_okna")
    await anna.say("Добрый день")
    contact = await workspace.contact("tg:5002")
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    link = ivan.locator("#about .ways").get_by_role("link", name="Telegram", exact=True)
    await expect(link).to_have_attribute("href", "https://t.me/anna_okna")
