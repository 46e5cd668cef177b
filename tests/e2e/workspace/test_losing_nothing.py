"""What somebody wrote outlives another session of theirs, a lost connection and a second click."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.e2e.workspace.office import PASSWORD, Workspace, until

pytestmark = pytest.mark.timeout(600)

_ALONE = "delete globalThis.BroadcastChannel"  # a tab that did not hear of the new session


async def card_of(workspace: Workspace, ivan: Page) -> None:
    """A client's card is open."""
    await workspace.client(5001, "Анна").say("Сколько стоит?")
    await ivan.goto(f"{workspace.hub.url}/contacts/{await workspace.contact('tg:5001')}")


async def log_out(page: Page) -> None:
    """In one tab for the whole browser."""
    await page.locator(".who button").click()
    await expect(page.locator("input[name=login]")).to_be_visible()


async def log_in(page: Page, login: str = "ivan") -> None:
    """On the login page."""
    await page.locator("input[name=login]").fill(login)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button").first.click()
    await expect(page.locator("nav.side")).to_be_visible()


@pytest.mark.parametrize("alone", [True, False])
async def test_an_answer_is_sent_though_its_page_is_of_an_earlier_session(workspace: Workspace, alone: bool) -> None:
    ivan = await workspace.enter("ivan")
    if alone:
        await ivan.add_init_script(_ALONE)
    await card_of(workspace, ivan)
    await ivan.locator("#answer").fill("Сейчас посчитаю")
    other = await workspace.beside(ivan, "/")
    await log_out(other)
    await log_in(other)
    await ivan.locator("#composer button:not([type])").last.click()
    await expect(ivan.locator("#flow")).to_contain_text("Сейчас посчитаю")
    await expect(ivan.locator("#answer")).to_have_value("")
    await expect(ivan.locator("nav.side")).to_have_count(1)
    await expect(ivan.locator("#failure")).to_be_hidden()


async def test_what_is_written_waits_for_the_login_and_for_the_connection(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    await card_of(workspace, ivan)
    send, line = ivan.locator("#composer button:not([type])").last, ivan.locator("#failure")
    await ivan.locator("#answer").fill("Сейчас посчитаю")
    await ivan.context.set_offline(True)
    await send.click()
    await expect(line).to_contain_text("Не отправлено: нет связи. Написанное сохранено.")
    await ivan.context.set_offline(False)
    await log_out(await workspace.beside(ivan, "/"))
    await send.click()
    await expect(line).to_contain_text("Сеанс закончился")
    await expect(ivan.locator("#answer")).to_have_value("Сейчас посчитаю")
    async with ivan.context.expect_page() as opened:
        await line.get_by_role("link").click()
    other = await opened.value
    await expect(other.locator("main")).to_contain_text("Сеанс закончился")
    await log_in(other, "olga")
    await send.click()
    await expect(line).to_contain_text("вошёл другой сотрудник")
    await expect(ivan.locator("#answer")).to_have_value("Сейчас посчитаю")
    await log_out(other)
    await log_in(other)
    await send.click()
    await expect(ivan.locator("#flow")).to_contain_text("Сейчас посчитаю")
    await expect(line).to_be_hidden()


async def test_a_form_pressed_while_the_hub_is_away_leaves_its_page_where_it_is(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/tasks")
    await ivan.locator(".new-task > summary").click()
    await expect(ivan.locator(".new-task input[name=title]")).to_be_focused()
    await ivan.keyboard.type("Позвонить Анне")
    await workspace.hub.kill()
    await expect(ivan.locator("body.offline")).to_be_attached()
    await ivan.keyboard.press("Enter")
    await expect(ivan.locator("#failure")).to_contain_text("Не отправлено: нет связи. Написанное сохранено.")
    await expect(ivan.locator("#failure [data-reload]")).to_be_hidden()  # that would lose it
    await expect(ivan.locator(".new-task input[name=title]")).to_have_value("Позвонить Анне")
    await workspace.hub.begin()
    await workspace.hub.serving()
    await ivan.locator(".new-task input[name=title]").press("Enter")  # whether the line stands again or not yet
    await expect(ivan.locator(".list.tasks")).to_contain_text("Позвонить Анне")
    assert len((await workspace.ask("GET", "/tasks?limit=100"))["items"]) == 1


async def test_a_second_click_sends_nothing(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    await card_of(workspace, ivan)
    asked: list[str] = []
    answered = asyncio.Event()

    async def slowly(route: Route) -> None:
        asked.append(route.request.url)
        await answered.wait()
        await route.continue_()

    await ivan.route("**/reply", slowly)
    await ivan.locator("#answer").fill("Сейчас посчитаю")
    await ivan.keyboard.press("Control+Enter")
    await expect(ivan.locator("#composer button[aria-disabled=true]")).to_have_count(1)
    await ivan.keyboard.press("Control+Enter")
    await ivan.locator("#composer button:not([type])").last.click(force=True)
    answered.set()
    await expect(ivan.locator("#answer")).to_have_value("")
    await ivan.locator("#answer").focus()
    await ivan.keyboard.press("Control+Enter")
    await expect(ivan.locator("#flow")).to_contain_text("Сейчас посчитаю")
    await expect(ivan.locator("#composer .problem")).to_have_count(0)
    assert len(asked) == 1

    made: list[str] = []
    ivan.on("request", lambda request: made.append(request.url) if request.method == "POST" else None)
    await ivan.goto(f"{workspace.hub.url}/")
    await ivan.locator("form[action$='/take'] button").first.dblclick()
    await expect(ivan.locator("main .notice")).to_be_visible()
    assert len([url for url in made if url.endswith("/take")]) == 1


async def test_a_card_that_is_gone_says_so_and_keeps_what_stands(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    await card_of(workspace, ivan)
    await ivan.locator("#answer").fill("Сейчас посчитаю")
    region = "main [data-topic][hx-get]"
    await ivan.route(
        "**/contacts/*?part=*", lambda route: route.fulfill(status=404, body="", content_type="text/plain")
    )
    await ivan.evaluate(f"htmx.trigger(document.querySelector('{region}'), 'stale')")
    await expect(ivan.locator(".gone")).to_have_text("Эту карточку удалили.")
    await expect(ivan.locator("#answer")).to_have_value("Сейчас посчитаю")
    await ivan.route("**/reply", lambda route: route.fulfill(status=503, body="<p>x</p>", content_type="text/html"))
    await ivan.locator("#composer button:not([type])").last.click()
    await expect(ivan.locator("#failure")).to_contain_text("Хаб не отвечает")
    await ivan.locator("#failure [data-close]").click()
    await expect(ivan.locator("#failure")).to_be_hidden()
    await expect(ivan.locator("#answer")).to_have_value("Сейчас посчитаю")


async def test_what_is_typed_while_a_form_is_being_drawn_anew_stays(workspace: Workspace) -> None:
    root = await workspace.enter("root")
    await root.goto(f"{workspace.hub.url}/office/fields/new")
    asked: list[str] = []
    answered = asyncio.Event()

    async def slowly(route: Route) -> None:
        if route.request.method == "POST":
            asked.append(route.request.url)
            await answered.wait()
        await route.continue_()

    await root.route("**/office/fields/new", slowly)
    await root.locator("[name=of]").select_option("deal")
    await root.locator("[name=title]").fill("Этаж")
    await root.locator("[name=title]").press("End")
    await root.keyboard.type(" дома")
    await root.locator("[name=of]").select_option("contact")
    answered.set()
    await expect(root.locator("[name=of]")).to_have_value("contact")
    await expect(root.locator("[name=title]")).to_have_value("Этаж дома")

    async def twice() -> bool | None:
        return len(asked) == 2 or None

    await until(twice)  # what was chosen last is drawn, too
    await expect(root.locator("[name=of]")).to_have_value("contact")
    await expect(root.locator("[name=title]")).to_have_value("Этаж дома")
    await root.unroute_all(behavior="ignoreErrors")
