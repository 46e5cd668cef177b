"""One client whom the office knows by mail, VK, the chat of the site and a gateway: each is answered from one box."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from crm_core.model.user import Role
from hub.demo.peers.process import free_port
from tests.contract.channels.gateway import Gateway
from tests.contract.channels.mail import ANNA, OURS, Mail
from tests.contract.channels.provider import Provider
from tests.contract.channels.vk import Vk
from tests.e2e.hub_process import HubProcess, staffed
from tests.e2e.site import website
from tests.e2e.workspace.office import Workspace, person, until

pytestmark = pytest.mark.timeout(600)

_PRICES = b"%PDF-1.4\n% prices of windows\n"
_SITE = '[[web]]\nname = "site"\nkey = "site-key"\norigins = ["http://127.0.0.1:{port}"]\n'
_ORIGIN = "http://127.0.0.1:{port}/"


@dataclass(frozen=True)
class Reachable:
    """The hub and its browsers; the providers at the other side; where the site is."""

    workspace: Workspace
    mail: Mail
    vk: Vk
    gateway: Gateway
    site: str


@pytest.fixture
async def reachable(tmp_path: Path, furnished_sqlite: str, chromium: Browser) -> AsyncIterator[Reachable]:
    mail, vk, gateway = Mail(), Vk("longpoll"), Gateway()
    providers: tuple[Provider, ...] = (mail, vk, gateway)
    port, site = free_port(), free_port()
    async with AsyncExitStack() as stack:
        token = await staffed(
            furnished_sqlite, person("root", "Администратор", Role.ADMIN), person("ivan", "Иван Петров", Role.MANAGER)
        )
        tables = [_SITE.format(port=site)]
        for each in providers:
            tables.append(await each.open(tmp_path, port))
            stack.push_async_callback(each.close)
        hub = HubProcess(tmp_path, furnished_sqlite, "".join(tables), port=port)
        stack.push_async_callback(hub.stop)
        await hub.start()
        await stack.enter_async_context(website(site, f"{hub.url}/in/web/site/widget.js"))
        headers = {"Authorization": f"Bearer {token}"}
        api = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        workspace = Workspace(hub, None, chromium, api)
        yield Reachable(workspace, mail, vk, gateway, _ORIGIN.format(port=site))
        assert workspace.errors == []


async def answered(page: Page, target: str, text: str) -> Locator:
    """The entry of an answer that somebody wrote into the box, chosen to go to an account."""
    await page.locator("#composer select[name=target]").select_option(target)
    await page.locator("#answer").fill(text)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#answer")).to_have_value("")
    entry = page.locator("#flow li.out", has_text=text)
    await expect(entry).to_have_count(1)
    return entry


async def test_a_client_is_answered_in_each_of_their_channels_from_one_box(reachable: Reachable) -> None:
    workspace, mail, vk, gateway = reachable.workspace, reachable.mail, reachable.vk, reachable.gateway
    known = [mail.identity, vk.identity, gateway.identity]
    contact = (await workspace.ask("POST", "/contacts", {"name": "Анна", "identities": known, "manager": "ivan"}))["id"]
    await mail.say("Пришлите прайс")
    await vk.say("Какие скидки?")
    await gateway.say("Где вы сидите?")
    visitor = await workspace.stranger()
    await visitor.goto(reachable.site)
    await visitor.get_by_role("button", name="Открыть чат").click()
    chat = visitor.get_by_role("dialog")
    await chat.get_by_label("Напишите сообщение…").fill("Есть кто?")
    await visitor.keyboard.press("Enter")

    async def visited() -> int | None:
        found = (await workspace.ask("GET", "/contacts"))["items"]
        return next((each["id"] for each in found if each["identities"][0].startswith("web:")), None)

    await workspace.ask("POST", f"/contacts/{contact}/merge", {"contact_id": await until(visited)})
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    for asked in ("Пришлите прайс", "Какие скидки?", "Где вы сидите?", "Есть кто?"):
        await expect(ivan.locator("#flow")).to_contain_text(asked)

    # Each answer goes where it was sent to, and nowhere else; only a mail has a subject.
    where, subject = ivan.locator("#composer select[name=target]"), ivan.locator("#composer input[name=subject]")
    for target in ("vk:community", "gateway:whatsapp", "web:site"):
        await where.select_option(target)
        await expect(subject).to_be_hidden()
    await where.select_option("email:sales")
    await subject.fill("Прайс на окна № 5")
    file = {"name": "прайс.pdf", "mimeType": "application/pdf", "buffer": _PRICES}
    await ivan.locator("#composer input[type=file]").set_input_files(file)  # type: ignore[arg-type] # a dict will do
    await expect(ivan.locator("#composer .chosen input[name=file]")).to_have_count(1)
    texts = {
        "email:sales": "Вот прайс, Анна",
        "vk:community": "Скидка 10 %",
        "gateway:whatsapp": "На Лесной, 5",
        "web:site": "Да, слушаю вас",
    }
    entries = [await answered(ivan, target, text) for target, text in texts.items()]
    for entry in entries[:3]:
        await expect(entry).to_contain_text("отправлено")
    await expect(entries[3]).to_contain_text("прочитано")  # the visitor has the chat open
    await expect(entries[0]).to_contain_text("прайс.pdf")

    (letter,) = await mail.letters(1)
    assert (letter["Subject"], letter["To"]) == ("Прайс на окна № 5", ANNA)
    assert OURS in letter["From"]
    (heard,) = await mail.heard(1)
    assert heard.text.startswith("Вот прайс, Анна")
    assert heard.files == (("прайс.pdf", _PRICES),)
    assert [(each.text, each.files) for each in await vk.heard(1)] == [("Скидка 10 %", ())]
    assert [(each.text, each.files) for each in await gateway.heard(1)] == [("На Лесной, 5", ())]
    assert len(gateway.posts) == 1
    await expect(chat.get_by_text("Да, слушаю вас")).to_have_count(1)
    for text in list(texts.values())[:3]:
        await expect(chat).not_to_contain_text(text)
