"""The chat on a website as a visitor meets it: a real browser, a page of another origin, a hub of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, ViewportSize, expect

from crm_core.model.user import Role
from crm_core.storage.users import NewUser
from hub.demo.peers.process import free_port
from tests.e2e.hub_process import HubProcess, staffed
from tests.e2e.site import website
from tests.patience import PATIENCE_S
from tests.peers.browsing import _function_scoped_runner, browsing, chromium

__all__ = ["_function_scoped_runner", "browsing", "chromium"]

pytestmark = pytest.mark.timeout(600)

expect.set_options(timeout=PATIENCE_S * 1000)
DESKTOP, TELEPHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
OPEN, CLOSE, ENTRY = "Открыть чат", "Закрыть чат", "Напишите сообщение…"
_SITE = """
[[web]]
name = "site"
key = "site-key"
origins = ["http://127.0.0.1:{port}"]
title = "Окна от А до Я"
source = "Сайт"
"""


@dataclass
class Scene:
    """A hub, somebody's website, a browser, and a person of the office with a token."""

    hub: HubProcess
    origin: str
    browser: Browser
    api: aiohttp.ClientSession
    errors: list[str] = field(default_factory=list)

    async def visit(self, query: str = "", context: BrowserContext | None = None, **more: Any) -> Page:
        """A page of the site, in a browser that was never there unless a context is given."""
        settings = {"viewport": DESKTOP, "locale": "ru-RU", "reduced_motion": "reduce", **more}
        page = await (context or await self.browser.new_context(**settings)).new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(f"a dialog: {dialog.message}"))
        await page.goto(f"{self.origin}/{query}")
        return page

    async def get(self, path: str) -> Any:
        """What the API answers."""
        async with self.api.get(f"{self.hub.url}/api/v1{path}") as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def clients(self, count: int = 1) -> list[dict[str, Any]]:
        """All clients, as soon as there are so many."""
        found: list[dict[str, Any]] = await until(lambda: self._clients(count))
        return found

    async def _clients(self, count: int) -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = (await self.get("/contacts"))["items"]
        return found if len(found) >= count else None

    async def entries(self, contact: int) -> list[dict[str, Any]]:
        """The timeline of a client, without what is only noted."""
        found = (await self.get(f"/contacts/{contact}/timeline"))["items"]
        return [each for each in found if each["kind"] in {"message", "form"}]

    async def answer(self, contact: int, text: str) -> None:
        """A person of the office answers."""
        url = f"{self.hub.url}/api/v1/contacts/{contact}/messages"
        headers = {"Idempotency-Key": text[:40].encode().hex()}
        async with self.api.post(url, json={"channel": "web", "text": text}, headers=headers) as response:
            assert response.status == 202, await response.text()


async def until(look: Callable[[], Awaitable[Any]]) -> Any:
    """What `look` finds, as soon as it finds something."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.1)


def closed_hours() -> str:
    """A calendar that is closed today and tomorrow, whatever the zone, in hub.toml's words."""
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%a").lower()
    return f'hours = "office"\n[[hours]]\nname = "office"\ndays = {{ {day} = "09:00-18:00" }}\n'


Open = Callable[[str], Awaitable[Scene]]


@pytest.fixture
async def scene(tmp_path: Path, furnished_sqlite: str, chromium: Browser) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:
        scenes: list[Scene] = []

        async def open_scene(more: str = "") -> Scene:
            port = free_port()
            token = await staffed(furnished_sqlite, NewUser("ivan", "Иван Петров", Role.ADMIN))
            hub = HubProcess(tmp_path, furnished_sqlite, _SITE.format(port=port) + more)
            stack.push_async_callback(hub.stop)
            await hub.start()
            site = await stack.enter_async_context(website(port, f"{hub.url}/in/web/site/widget.js"))
            headers = {"Authorization": f"Bearer {token}"}
            api = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
            scenes.append(Scene(hub, site.origin, chromium, api))
            return scenes[-1]

        yield open_scene
        assert [error for each in scenes for error in each.errors] == []


async def focused(page: Page) -> str:
    """What has the focus, within the chat or outside."""
    found: str = await page.evaluate(
        "() => { const a = document.activeElement, r = a && a.shadowRoot; const e = r ? r.activeElement : a;"
        " return e ? (e.getAttribute('aria-label') || e.name || e.id || e.tagName) : ''; }"
    )
    return found


def panel(page: Page) -> Locator:
    return page.get_by_role("dialog")


async def say(page: Page, text: str) -> None:
    """Write into the open chat."""
    await panel(page).get_by_label(ENTRY).fill(text)
    await page.keyboard.press("Enter")


async def open_chat(page: Page) -> None:
    await page.get_by_role("button", name=OPEN).click()


async def test_a_visitor_is_answered_live_and_finds_it_all_again(scene: Open) -> None:
    world = await scene("")
    page = await world.visit("?utm_source=yandex&utm_campaign=okna")
    await open_chat(page)
    await expect(panel(page)).to_contain_text("На связи")
    await say(page, "Сколько стоит окно?")
    (client,) = await world.clients()
    (lead,) = (await world.get("/leads"))["items"]
    assert (lead["source"], lead["utm"]["source"], lead["utm"]["campaign"]) == ("Сайт", "yandex", "okna")
    noted = [each["text"] for each in (await world.get(f"/contacts/{client['id']}/timeline"))["items"]]
    assert any("Окна — каталог" in text and world.origin in text for text in noted), noted

    await world.answer(client["id"], "От 18 500 ₽ с установкой")
    await expect(panel(page)).to_contain_text("От 18 500 ₽ с установкой")
    await expect(panel(page)).to_contain_text("Иван Петров")

    async def read() -> bool:
        return bool((await world.entries(client["id"]))[-1]["delivery"] == "read")

    await until(read)
    await page.reload()
    await open_chat(page)
    for text in ("Сколько стоит окно?", "От 18 500 ₽ с установкой"):
        await expect(panel(page)).to_contain_text(text)
    await say(page, "Спасибо!")
    await expect(panel(page)).to_contain_text("Спасибо!")

    async def both() -> bool:
        return [each["text"] for each in await world.entries(client["id"])].count("Спасибо!") == 1

    await until(both)
    assert len(await world.clients()) == 1
    assert await page.context.cookies() == []
    async with aiohttp.ClientSession() as plain, plain.get(f"{world.hub.url}/in/web/site/widget.js") as script:
        assert len(await script.read()) < 30_000
    assert "." + client["identities"][0].removeprefix("web:")[:8] not in world.hub.log()


async def test_everything_can_be_done_by_keyboard(scene: Open) -> None:
    world = await scene("")
    page = await world.visit()

    await page.get_by_role("button", name=OPEN).wait_for()
    for _ in range(10):
        await page.keyboard.press("Tab")
        if await focused(page) == OPEN:
            break
    await page.keyboard.press("Enter")
    await expect(panel(page)).to_be_visible()
    assert await focused(page) == ENTRY
    await page.keyboard.type("Добрый день")
    await page.keyboard.press("Enter")
    await world.clients()
    await expect(panel(page).get_by_label("Имя")).to_be_visible()
    met = set()
    for _ in range(30):  # round and round within the chat, never out of it
        await page.keyboard.press("Tab")
        met.add(await focused(page))
    assert {CLOSE, "Переписка", "name", "reach", "Прикрепить файл", ENTRY, "Смайлы", "Отправить"} <= met
    assert not met & {"first", "field", "BODY"}
    await page.keyboard.press("Escape")
    await expect(panel(page)).to_be_hidden()
    assert await focused(page) == OPEN


async def test_what_comes_meanwhile_does_not_take_the_focus_away(scene: Open) -> None:
    world = await scene("")
    page = await world.visit()
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        response = await route.fetch()
        await answered.wait()
        await route.fulfill(response=response)

    await open_chat(page)
    await say(page, "Добрый день")
    await expect(panel(page).get_by_label("Имя")).to_be_visible()
    await page.route("**/chat/send*", late)
    await say(page, "Сколько стоит окно?")
    await expect(panel(page)).to_contain_text("Сколько стоит окно?")
    await panel(page).get_by_label("Имя").focus()
    answered.set()
    (client,) = await world.clients()
    await world.answer(client["id"], "Здравствуйте!")
    await expect(panel(page)).to_contain_text("Здравствуйте!")
    await expect(panel(page)).not_to_contain_text("Отправляется")
    assert await focused(page) == "name"


async def test_outside_hours_a_form_is_asked_for(scene: Open) -> None:
    world = await scene(closed_hours())
    page = await world.visit(viewport=TELEPHONE, has_touch=True, is_mobile=True)
    await open_chat(page)
    await expect(panel(page)).to_contain_text("Ответим")

    async def fills_the_screen() -> bool:
        return await panel(page).bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}

    await until(fills_the_screen)
    await panel(page).get_by_role("button", name="Отправить").click()
    await expect(panel(page).get_by_role("alert")).to_contain_text("телефон")
    await panel(page).get_by_label("Имя").fill("Анна")
    await panel(page).get_by_label("Телефон или почта").fill("8 916 123-45-67")
    await panel(page).get_by_label("Сообщение", exact=True).fill("Нужны три окна")
    await panel(page).get_by_role("button", name="Отправить").click()
    await expect(panel(page)).to_contain_text("Спасибо! Мы свяжемся с вами.")
    (client,) = await world.clients()
    assert client["name"] == "Анна"
    assert "tel:+79161234567" in client["identities"]
    assert any(each.startswith("web:") for each in client["identities"])
    (form,) = await world.entries(client["id"])
    assert form["kind"] == "form"
    assert form["text"].startswith("Нужны три окна")
    await world.answer(client["id"], "Доброе утро, Анна!")
    await expect(panel(page)).to_contain_text("Доброе утро, Анна!")


async def test_what_is_written_while_the_hub_is_dead_arrives_once(scene: Open) -> None:
    world = await scene("")
    page = await world.visit()
    await open_chat(page)
    await say(page, "Первое")
    (client,) = await world.clients()
    await world.hub.kill()
    await say(page, "Второе, в пустоту")
    lost = panel(page).get_by_text("Нет связи")
    await expect(lost).to_be_visible()
    await expect(panel(page)).to_contain_text("Отправляется")
    await page.reload()  # what was not sent survives even this
    await world.hub.begin()
    await world.hub.serving()
    await open_chat(page)

    async def texts() -> bool:
        return [each["text"] for each in await world.entries(client["id"])] == ["Первое", "Второе, в пустоту"]

    await until(texts)
    await expect(panel(page).get_by_text("Второе, в пустоту")).to_have_count(1)
    await expect(lost).to_be_hidden()
    await world.answer(client["id"], "Мы снова здесь")
    await expect(panel(page)).to_contain_text("Мы снова здесь")


async def test_two_windows_of_a_site_show_the_same(scene: Open) -> None:
    world = await scene("")
    first = await world.visit()
    await open_chat(first)
    await say(first, "Из первого окна")
    (client,) = await world.clients()
    second = await world.visit("other", context=first.context)
    await open_chat(second)
    await expect(panel(second)).to_contain_text("Из первого окна")
    await say(second, "Из второго окна")
    await expect(panel(first)).to_contain_text("Из второго окна")
    await world.answer(client["id"], "Вижу оба")
    await expect(panel(first)).to_contain_text("Вижу оба")
    await expect(panel(second)).to_contain_text("Вижу оба")
    await first.close()  # the other one follows now
    await world.answer(client["id"], "И одно")
    await expect(panel(second)).to_contain_text("И одно")
    assert len(await world.clients()) == 1


async def test_what_people_write_is_text_and_nothing_else(scene: Open) -> None:
    world = await scene("")
    refused = await world.browser.new_context(viewport=DESKTOP, locale="ru-RU")
    await refused.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, name, { get() { throw new DOMException('refused', 'SecurityError'); } });"
    )
    page = await world.visit("?csp", context=refused)  # no storage, and a page that allows nothing but the hub
    await open_chat(page)
    await say(page, "<img src=x onerror=alert(1)> https://example.org/a?b=1, javascript:alert(2)")
    (client,) = await world.clients()
    hostile = '<script>alert(3)</script><b onclick="alert(4)">жирно</b> \u202ehttps://evil.example/"onx=alert(5)'
    await world.answer(client["id"], hostile)
    await expect(panel(page)).to_contain_text("<script>alert(3)</script>")
    await expect(panel(page)).to_contain_text("<img src=x onerror=alert(1)>")
    links = await panel(page).locator("a").evaluate_all("all => all.map((each) => [each.href, each.rel])")
    assert [href for href, _ in links] == ["https://example.org/a?b=1", "https://evil.example/"]
    assert all("noopener" in rel for _, rel in links)
    assert await panel(page).locator("img, script, b").count() == 0
    style = await panel(page).evaluate("each => getComputedStyle(each).borderRadius")
    assert style == "18px"  # the policy of the page does not take the widget's clothes away


async def test_greeting_menu_and_files(scene: Open, tmp_path: Path) -> None:
    menu = 'greeting = "Здравствуйте! Выберите:"\nmenu = [ { text = "Цены", answer = "Окно от 9 000 ₽" } ]\n'
    world = await scene(menu)
    page = await world.visit("?lang=en&dark")
    await page.get_by_role("button", name="Open the chat").click()
    await expect(panel(page)).to_contain_text("We are here")
    dark = await panel(page).evaluate("each => getComputedStyle(each).backgroundColor")
    assert dark == "rgb(26, 29, 36)"
    await panel(page).get_by_label("Write a message…").fill("Hi")
    await page.keyboard.press("Enter")
    await panel(page).get_by_role("button", name="Цены").click()
    await expect(panel(page)).to_contain_text("Окно от 9 000 ₽")
    picture = tmp_path / "plan.png"
    await page.screenshot(path=str(picture))
    chooser = panel(page).locator("input[type=file]")
    await chooser.set_input_files(str(picture))
    await expect(panel(page).locator("img[alt='plan.png']")).to_be_visible()
    loaded = panel(page).locator("img[alt='plan.png']")
    await until(lambda: loaded.evaluate("each => each.complete && each.naturalWidth > 0"))
    (client,) = await world.clients()
    (kept,) = (await world.entries(client["id"]))[-1]["attachments"]
    assert (kept["name"], kept["content_type"]) == ("plan.png", "image/png")
    program = tmp_path / "setup.exe"
    program.write_bytes(b"MZ")
    await chooser.set_input_files(str(program))
    await expect(panel(page)).to_contain_text("Such a file can't be sent.")
