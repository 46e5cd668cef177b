"""How pages keep up: regions that are asked anew one after another, pieces that come late, many tabs, plain HTTP."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.e2e.workspace.office import Workspace, until
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.timeout(600)

REGIONS = """async (said) => {
  const { src } = document.querySelector('script[src*="/workspace.js"]');
  const { refreshStale } = await import(new URL("./regions.js", src));
  refreshStale([said], true);
}"""
SETTLED = "new Promise((done) => { setTimeout(done, 800); })"  # longer than what pages wait for


class Held:
    """Answers of the hub that reach the page when they are let go."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.came = asyncio.Event()
        self.go = asyncio.Event()

    async def hold(self, route: Route) -> None:
        """Ask the hub now; the first answer waits."""
        self.asked.append(route.request.url)
        response = await route.fetch()
        self.came.set()
        await self.go.wait()
        await route.fulfill(response=response)

    async def once(self) -> None:
        """Wait for the first answer."""
        async with asyncio.timeout(PATIENCE_S):
            await self.came.wait()


async def holds(page: Page, condition: str) -> None:
    """Wait until something holds on a page whose policy lets nothing be evaluated by itself."""

    async def look() -> bool | None:
        return True if await page.evaluate(condition) else None

    await until(look)


async def card_of(workspace: Workspace) -> tuple[Page, int]:
    """Ivan on the card of a client who wrote."""
    await workspace.client(5001, "Анна").say("Добрый день")
    contact = await workspace.contact("tg:5001")
    page = await workspace.enter("ivan")
    await page.goto(f"{workspace.hub.url}/contacts/{contact}")
    await expect(page.locator("#flow")).to_contain_text("Добрый день")
    return page, contact


async def test_what_changes_while_an_older_answer_takes_a_region_over_is_shown(workspace: Workspace) -> None:
    page, contact = await card_of(workspace)
    held = Held()
    await page.route("**/contacts/*part=business*", held.hold)
    await workspace.ask("POST", "/deals", {"title": "Окна", "contact_id": contact})
    await held.once()
    await workspace.ask("POST", "/deals", {"title": "Балкон", "contact_id": contact})
    await page.evaluate(REGIONS, f"client:{contact}")
    await page.evaluate(SETTLED)
    held.go.set()
    await expect(page.locator("#business")).to_contain_text("Балкон")
    await page.unroute_all(behavior="ignoreErrors")


async def test_what_is_missed_while_the_missed_is_asked_for_is_asked_for_too(workspace: Workspace) -> None:
    page, contact = await card_of(workspace)
    held = Held()
    await page.route("**/contacts/*part=fresh*", held.hold)
    await page.evaluate(REGIONS, f"client:{contact}")
    await held.once()
    await page.evaluate(REGIONS, f"client:{contact}")
    async with page.expect_request("**/contacts/*part=fresh*") as again:
        held.go.set()
    assert "missed=1" in (await again.value).url
    assert "missed=1" in held.asked[0]
    await page.unroute_all(behavior="ignoreErrors")


async def test_a_piece_of_what_is_listened_to_comes_when_it_has_ended(workspace: Workspace) -> None:
    page = await workspace.enter("ivan")
    seen = await page.evaluate("""async () => {
      const { src } = document.querySelector('script[src*="/workspace.js"]');
      const { placePiece } = await import(new URL("./regions.js", src));
      const item = Object.assign(document.createElement("p"), { id: "entry-7", textContent: "old" });
      const audio = document.createElement("audio");
      let paused = false;
      Object.defineProperty(audio, "paused", { get: () => paused });
      item.append(audio);
      document.querySelector("main").append(item);
      const shown = () => document.getElementById("entry-7").textContent;
      placePiece({ topic: "client:5", key: "entry-7", html: '<p id="entry-7">new</p>' });
      const before = shown();
      paused = true;
      audio.dispatchEvent(new Event("ended"));
      return [before, shown()];
    }""")
    assert seen == ["old", "new"]


_TABS = """(count) => {
  const { src } = document.querySelector('script[src*="/workspace.js"]');
  const { login, position } = document.body.dataset;
  window.heard = [];
  window.ports = Array.from({ length: count }, (_, number) => {
    const { port } = new SharedWorker(new URL("./feed-worker.js", src), { name: `hub:${login}` });
    const heard = ({ data }) => { if (data.kind === "stale") window.heard.push([number, ...data.topics]); };
    port.addEventListener("message", heard);
    port.start();
    const topics = ["me", `client:${900000 + number}`];
    port.postMessage({ kind: "follow", topics, position: Number(position), hidden: true });
    return port;
  });
}"""


async def test_more_tabs_than_the_hub_follows_leave_the_one_that_is_looked_at_alive(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    await ivan.evaluate(_TABS, 80)
    await workspace.client(5001, "Анна").say("Добрый день")
    await expect(ivan.locator("ol.events")).to_contain_text("Добрый день")
    assert await ivan.evaluate("heard.filter(([, topic]) => topic === '*')") == []
    await ivan.evaluate("ports[79].postMessage({ kind: 'looked' })")
    await holds(ivan, "heard.some(([number, topic]) => number === 79 && topic === '*')")


_PLAIN_HTTP = """
Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined });
window.chimes = 0;
window.AudioContext = class { constructor() { window.chimes += 1; throw new DOMException("none here"); } };
"""


async def test_over_plain_http_too_one_tab_alone_makes_a_sound(workspace: Workspace) -> None:
    anna = workspace.client(5001, "Анна")
    await anna.say("Добрый день")
    await workspace.ask("PATCH", f"/contacts/{await workspace.contact('tg:5001')}", {"manager": "ivan"})
    ivan = await workspace.enter("ivan")
    await ivan.context.add_init_script(_PLAIN_HTTP)
    await ivan.goto(f"{workspace.hub.url}/tasks")
    beside = await workspace.beside(ivan, "/me")
    await anna.say("Вы здесь?")
    for page in (ivan, beside):
        await expect(page.locator("#popups .notice-popup")).to_contain_text("Вы здесь?")
        await page.evaluate(SETTLED)  # the tabs have agreed which of them it is
    chimes = [await page.evaluate("chimes") for page in (ivan, beside)]
    assert sorted(chimes) == [0, 1]
    workspace.errors.clear()  # of the sound that is none


_ALONE = """
delete window.SharedWorker;
window.givenBack = 0;
const { close } = EventSource.prototype;
EventSource.prototype.close = function () { window.givenBack += 1; close.call(this); };
const later = window.setTimeout;
window.setTimeout = (act, ms, ...more) => later(act, ms === 60000 ? 0 : ms, ...more);  // a minute is over at once
"""
_SEEN = """(seen) => {
  Object.defineProperty(Document.prototype, "hidden", { configurable: true, get: () => !seen });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def test_a_tab_with_a_line_of_its_own_gives_it_back_while_nobody_looks(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    await ivan.context.add_init_script(_ALONE)
    await ivan.goto(f"{workspace.hub.url}/")
    await workspace.client(5001, "Анна").say("Добрый день")
    await expect(ivan.locator("ol.events")).to_contain_text("Добрый день")
    await ivan.evaluate(_SEEN, False)
    await holds(ivan, "givenBack === 1")
    await workspace.client(5001, "Анна").say("Вы здесь?")
    await ivan.evaluate(_SEEN, True)
    await expect(ivan.locator("ol.events")).to_contain_text("Вы здесь?")
    await expect(ivan.locator("body:not(.offline)")).to_be_attached()
