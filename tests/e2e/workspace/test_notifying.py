"""Notifications of the desktop and the sound: only where the person and the browser allow them, and of use when they
come. A Chromium without a screen forbids them always: that it allows them, and what it shows then, is played."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from hub.demo.peers.bot_api.people import Person
from tests.e2e.workspace.office import Workspace

pytestmark = pytest.mark.timeout(600)

_HEARD = """
const allowed = %s;
window.told = [];
window.chimes = 0;
const Native = window.Notification;
window.Notification = class extends EventTarget {
  static get permission() { return allowed ? "granted" : Native.permission; }
  static requestPermission() { return Native.requestPermission(); }
  constructor(title, options) {
    super();
    this.closed = false;
    window.told.push([title, options.body]);
    window.last = this;
  }
  close() { this.closed = true; }
};
const Lines = window.SharedWorker;
window.SharedWorker = class extends Lines {
  constructor(...given) {
    super(...given);
    this.port.addEventListener("message", ({ data }) => {
      if (data.kind === "state") window.connected = data.connected;
    });
  }
};
const Sounds = window.AudioContext;
window.AudioContext = class extends Sounds { constructor(...given) { super(...given); window.chimes += 1; } };
"""


async def sits(workspace: Workspace, *, notifications: bool, sound: bool, allowed: bool = True) -> Page:
    """Ivan says on his own page what he wants, and goes to another one."""
    ivan = await workspace.enter("ivan")
    await ivan.add_init_script(_HEARD % str(allowed).lower())
    await ivan.goto(f"{workspace.hub.url}/me")
    await ivan.locator("input[name=notifications]").set_checked(notifications)
    await ivan.locator("input[name=sound]").set_checked(sound)
    await kept(ivan)
    await expect(ivan.locator("input[name=notifications]")).to_be_checked(checked=notifications)
    return ivan


async def kept(ivan: Page) -> None:
    """He has what he wants kept: whoever went on before that would take it back."""
    async with ivan.expect_navigation():
        await ivan.locator("form:has(input[name=notifications]) button").click()


async def works(workspace: Workspace, ivan: Page) -> None:
    """He goes to his tasks, and the line to the hub stands."""
    await ivan.goto(f"{workspace.hub.url}/tasks")
    await ivan.wait_for_function("() => window.connected === true")


async def told_of(notice: Locator, text: str, facts: int) -> None:
    """The notice stands that tells of so many messages: one that was drawn before may show the newest words already."""
    await expect(notice).to_contain_text(text)
    await expect(notice).to_have_attribute("data-mark", re.compile(rf"^{facts}\."))


async def his(workspace: Workspace) -> tuple[Person, int]:
    """A client of Ivan's, who has written before."""
    anna = workspace.client(5001, "Анна")
    await anna.say("Добрый день")
    contact = await workspace.contact("tg:5001")
    await workspace.ask("PATCH", f"/contacts/{contact}", {"manager": "ivan"})
    return anna, contact


async def test_a_click_on_a_notification_opens_the_card_in_its_window(workspace: Workspace) -> None:
    anna, contact = await his(workspace)
    ivan = await sits(workspace, notifications=True, sound=True)
    await expect(ivan.locator("[data-leave-denied]")).to_be_empty()
    await works(workspace, ivan)
    await anna.say("Вы здесь?")
    await ivan.wait_for_function("() => told.length > 0")
    assert await ivan.evaluate("[told, chimes]") == [[["Анна: Ждёт ответа", "Вы здесь?"]], 1]
    pages = len(ivan.context.pages)
    async with ivan.expect_navigation():
        await ivan.evaluate("last.dispatchEvent(new Event('click'))")
    await expect(ivan).to_have_url(f"{workspace.hub.url}/contacts/{contact}#answer")
    await expect(ivan.locator("#answer")).to_be_focused()
    assert len(ivan.context.pages) == pages, "in the window that there is"


async def test_what_the_browser_forbids_is_not_shown_and_its_mending_is_said(workspace: Workspace) -> None:
    anna, _contact = await his(workspace)
    ivan = await sits(workspace, notifications=True, sound=False, allowed=False)
    assert await ivan.evaluate("Notification.permission") == "denied"
    hint = ivan.locator("[data-leave-denied]")
    await expect(hint).to_be_visible()
    await expect(hint).to_have_text("Браузер запретил уведомления этого сайта: разрешите их в его настройках.")
    await ivan.locator("input[name=notifications]").uncheck()
    await expect(hint).to_be_empty()
    await works(workspace, ivan)
    await anna.say("Вы здесь?")
    await expect(ivan.locator("#popups .notice-popup")).to_contain_text("Вы здесь?")
    assert await ivan.evaluate("[told, chimes]") == [[], 0]


async def test_who_wants_neither_gets_neither_and_who_wants_one_gets_that(workspace: Workspace) -> None:
    anna, _contact = await his(workspace)
    ivan = await sits(workspace, notifications=False, sound=False)
    notice = ivan.locator("#popups .notice-popup")
    await works(workspace, ivan)
    await anna.say("Вы здесь?")
    await told_of(notice, "Вы здесь?", 2)
    assert await ivan.evaluate("[told, chimes]") == [[], 0]

    await ivan.goto(f"{workspace.hub.url}/me")
    await ivan.locator("input[name=notifications]").check()
    await kept(ivan)
    await expect(ivan.locator("input[name=notifications]")).to_be_checked()
    await works(workspace, ivan)
    await anna.say("А теперь?")
    await told_of(notice, "А теперь?", 3)
    await ivan.wait_for_function("() => told.length > 0")
    assert await ivan.evaluate("[told, chimes]") == [[["Анна: Ждёт ответа", "А теперь?"]], 0]

    await ivan.goto(f"{workspace.hub.url}/me")
    await ivan.locator("input[name=notifications]").uncheck()
    await ivan.locator("input[name=sound]").check()
    await kept(ivan)
    await expect(ivan.locator("input[name=sound]")).to_be_checked()
    await works(workspace, ivan)
    await anna.say("Ау!")
    await told_of(notice, "Ау!", 4)
    await ivan.wait_for_function("() => chimes > 0")  # which tab speaks is agreed on first
    assert await ivan.evaluate("[told, chimes]") == [[], 1]
