"""How people write from a client's card: files chosen, dropped and pasted, templates, later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from playwright.async_api import Page, expect

from hub.demo.peers.bot_api.account import Sent
from hub.demo.peers.bot_api.people import Person
from tests.e2e.workspace.office import Workspace, until

pytestmark = pytest.mark.timeout(600)

_GIVE = """
([event, selector, name, text]) => {
  const given = new DataTransfer();
  given.items.add(new File([text], name, { type: "text/plain" }));
  const options = { bubbles: true, cancelable: true };
  const happens = event === "paste"
    ? new ClipboardEvent(event, { ...options, clipboardData: given })
    : new DragEvent(event, { ...options, dataTransfer: given });
  document.querySelector(selector).dispatchEvent(happens);
}
"""


async def give(page: Page, event: str, selector: str, name: str, text: str) -> None:
    """A file comes from outside of the browser: by the clipboard or in somebody's hand."""
    await page.evaluate(_GIVE, [event, selector, name, text])


async def test_files_are_chosen_dropped_and_pasted(workspace: Workspace) -> None:
    anna = workspace.client(5001, "Анна")
    await anna.say("Пришлите договор")
    contact = await workspace.contact("tg:5001")
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    chosen = {"name": "договор.txt", "mimeType": "text/plain", "buffer": "Договор".encode()}
    await ivan.locator("#composer input[type=file]").set_input_files(chosen)  # type: ignore[arg-type] # a dict will do
    await give(ivan, "drop", "[data-client]", "смета.txt", "Смета")
    await give(ivan, "paste", "#answer", "снимок.txt", "Снимок")
    await expect(ivan.locator("#composer .chosen input[name=file]")).to_have_count(3)
    await give(ivan, "drop", "[data-client]", "лишний.txt", "Лишний")
    await expect(ivan.locator("#composer .chosen input[name=file]")).to_have_count(4)
    await ivan.locator("#composer .chosen li", has_text="лишний.txt").get_by_role("button").click()
    await ivan.locator("#answer").fill("Вот всё")
    await ivan.keyboard.press("Control+Enter")

    names = sorted([*await _files(anna, 3)])
    assert names == ["договор.txt", "смета.txt", "снимок.txt"]
    await expect(ivan.locator("#composer .chosen li")).to_have_count(0)
    for name in names:
        await expect(ivan.locator("#flow")).to_contain_text(name)


async def test_a_draft_outlives_a_look_elsewhere(workspace: Workspace) -> None:
    anna = workspace.client(5001, "Анна")
    await anna.say("Сколько ждать?")
    contact = await workspace.contact("tg:5001")
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    await ivan.locator("#answer").fill("Две недели, считая с")
    await anna.say("Алло?")  # what comes meanwhile takes nothing away
    await expect(ivan.locator("#flow")).to_contain_text("Алло?")
    await expect(ivan.locator("#answer")).to_have_value("Две недели, считая с")
    await ivan.goto(f"{workspace.hub.url}/tasks")
    await ivan.go_back()
    await expect(ivan.locator("#answer")).to_have_value("Две недели, считая с")
    await ivan.locator("#answer").press("Control+Enter")
    await expect(ivan.locator("#answer")).to_have_value("")
    await ivan.reload()
    await expect(ivan.locator("#answer")).to_have_value("")


async def _files(person: Person, count: int) -> list[str]:
    """The names of the files that a person got, as soon as they are so many."""

    async def enough() -> list[Sent] | None:
        found = [each for each in person.received() if each.file_name]
        return found if len(found) >= count else None

    return [each.file_name for each in await until(enough)]


_NOTIFICATIONS = """
window.told = [];
window.Notification = class extends EventTarget {
  static permission = "granted";
  constructor(title, options) { super(); window.told.push([title, options.body]); }
  close() {}
};
"""


async def test_whoever_is_waited_for_is_told_once_on_whatever_page_they_are(workspace: Workspace) -> None:
    anna = workspace.client(5001, "Анна")
    await anna.say("Добрый день")
    contact = await workspace.contact("tg:5001")
    await workspace.ask("PATCH", f"/contacts/{contact}", {"manager": "ivan"})
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/me")
    await ivan.locator("input[name=notifications]").check()
    await ivan.locator("form:has(input[name=notifications]) button").click()
    await ivan.add_init_script(_NOTIFICATIONS)
    await ivan.goto(f"{workspace.hub.url}/tasks")
    await anna.say("Вы здесь?")
    notice = ivan.locator("#popups .notice-popup")
    await expect(notice).to_contain_text("Вы здесь?")
    assert await ivan.evaluate("told") == [["Анна: Ждёт ответа", "Вы здесь?"]]
    await notice.get_by_role("link").click()
    await expect(ivan.locator("#answer")).to_be_focused()
    await anna.say("Отзовитесь")  # they look at it: nothing pops up over it
    await expect(ivan.locator("#flow")).to_contain_text("Отзовитесь")
    await expect(notice).to_have_count(0)


async def test_a_form_that_makes_a_lead_and_a_case_is_told_once(workspace: Workspace) -> None:
    body = {"name": "Анна", "identities": ["tel:+79161234567"], "manager": "ivan"}
    contact = (await workspace.ask("POST", "/contacts", body))["id"]
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/me")
    await ivan.locator("input[name=notifications]").check()
    await ivan.locator("form:has(input[name=notifications]) button").click()
    await ivan.add_init_script(_NOTIFICATIONS)
    await ivan.goto(f"{workspace.hub.url}/tasks")
    form = {"name": "Анна", "phone": "+79161234567", "message": "Сколько стоит окно?"}
    url = f"{workspace.hub.url}/in/web/site?key=site-key"
    async with aiohttp.ClientSession() as site, site.post(url, data=form) as answer:
        assert answer.status < 300
    notice = ivan.locator("#popups .notice-popup")
    await expect(notice).to_have_count(1)
    await expect(notice).to_contain_text("Ждёт ответа")
    await expect(notice.get_by_role("link")).to_have_attribute("href", f"/contacts/{contact}#answer")
    assert len(await ivan.evaluate("told")) == 1


async def test_a_note_is_kept_at_once_whatever_time_stood_there(workspace: Workspace) -> None:
    await workspace.client(5001, "Анна").say("Сколько ждать?")
    contact = await workspace.contact("tg:5001")
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    where, at = ivan.locator("#composer select[name=target]"), ivan.locator("#composer input[name=at]")
    tomorrow = (datetime.now().astimezone() + timedelta(days=1)).strftime("%Y-%m-%dT10:00")
    await at.fill(tomorrow)
    await where.select_option("note")
    await expect(at).to_be_hidden()
    await expect(at).to_be_disabled()
    await where.select_option("telegram:shop")
    await expect(at).to_have_value(tomorrow)
    await where.select_option("note")
    await ivan.locator("#answer").fill("Просит скидку")
    await ivan.keyboard.press("Control+Enter")
    await expect(ivan.locator("#flow li.note")).to_contain_text("Просит скидку")
    await expect(ivan.locator("#composer .problem")).to_have_count(0)


async def test_a_template_fills_the_box_with_the_client_s_own_and_what_is_seen_is_sent(workspace: Workspace) -> None:
    text = "Здравствуйте, {{ contact.name }}!\nЗамер в г. {{ contact.city }} проведёт {{ manager.name }}."
    await workspace.ask("POST", "/templates", {"name": "Замер", "text": text})
    await workspace.ask("POST", "/templates", {"name": "Прощание", "text": "Всего доброго, {{ contact.name }}."})
    anna = workspace.client(5001, "Анна")
    await anna.say("Когда приедете?")
    contact = await workspace.contact("tg:5001")
    name = "Анна «Ромашка» <b>"
    await workspace.ask("PATCH", f"/contacts/{contact}", {"name": name, "city": "Тверь", "manager": "ivan"})
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    box = ivan.locator("#answer")
    await box.fill("Добрый день. ")
    await ivan.locator("#composer input[name=q]").fill("зам")
    found = ivan.locator("#templates button.template")
    await expect(found).to_have_count(1)
    await found.click()
    filled = f"Здравствуйте, {name}!\nЗамер в г. Тверь проведёт Иван Петров."
    await expect(box).to_have_value(f"Добрый день. {filled}")
    await expect(box).to_be_focused()
    # What changes on the card meanwhile, and what is written behind it, does not make another letter of it.
    await workspace.ask("PATCH", f"/contacts/{contact}", {"city": "Клин"})
    await ivan.keyboard.type(" До встречи!")
    seen = await box.input_value()
    await ivan.keyboard.press("Control+Enter")
    await expect(ivan.locator("#flow li.out .text")).to_have_text(seen)

    async def delivered() -> list[str] | None:
        return [each.text for each in anna.received()] or None

    assert await until(delivered) == [f"Добрый день. {filled} До встречи!"] == [seen]


async def test_whoever_presses_once_more_than_was_meant_is_not_told_off(workspace: Workspace) -> None:
    anna = workspace.client(5001, "Анна")
    await anna.say("Сколько ждать?")
    contact = await workspace.contact("tg:5001")
    ivan = await workspace.enter("ivan")
    now = datetime.now(UTC)
    await ivan.clock.set_fixed_time(now)
    await ivan.goto(f"{workspace.hub.url}/contacts/{contact}")
    send, problem = ivan.locator("#composer button:not([type])"), ivan.locator("#composer .problem")
    await ivan.locator("#answer").fill("Две недели")
    await send.click()
    await expect(ivan.locator("#flow")).to_contain_text("Две недели")
    await expect(ivan.locator("#answer")).to_have_value("")
    asked: list[str] = []
    ivan.on("request", lambda request: asked.append(request.url) if request.url.endswith("/reply") else None)
    await send.click()
    await expect(problem).to_have_count(0)
    assert asked == []
    # Later on it is a mistake, said until something else is written.
    await ivan.clock.set_fixed_time(now + timedelta(seconds=5))
    await send.click()
    await expect(problem).to_contain_text("Сообщение пусто")
    await ivan.locator("#answer").fill("И")
    await expect(problem).to_have_count(0)
