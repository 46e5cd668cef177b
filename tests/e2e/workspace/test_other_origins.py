"""Pages of other origins in the browser of somebody who is logged in: what they send changes nothing, however they
send it; the form of the office's own website comes in, from the origin that is allowed alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from hub.demo.peers.process import free_port
from tests.e2e.workspace.office import Workspace, until

pytestmark = pytest.mark.timeout(600)

OWN, FOREIGN = free_port(), free_port()
_PAGE = """<!doctype html><meta charset="utf-8"><title>Сайт</title>
<form method="post" action="{action}">{fields}<button>Отправить</button></form>"""


@pytest.fixture
def account() -> str:
    """The website of the office, beside the messenger."""
    return f'[[web]]\nname = "own"\nkey = "own-key"\norigins = ["http://localhost:{OWN}"]\n'


@pytest.fixture
async def sites() -> AsyncIterator[None]:
    """The office's own website and a stranger's: both show whatever form is asked for."""

    async def page(request: web.Request) -> web.Response:
        fields = "".join(
            f'<input name="{name}" value="{value}">' for name, value in request.query.items() if name != "action"
        )
        text = _PAGE.format(action=request.query["action"].replace("&", "&amp;"), fields=fields)
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    servers = [TestServer(app, host="127.0.0.1", port=port) for port in (OWN, FOREIGN)]
    for each in servers:
        await each.start_server()
    yield
    for each in servers:
        await each.close()


async def sent_from(page: Page, origin: str, action: str, **fields: str) -> None:
    """Go to a page of another origin, and press the button of its form."""
    query = "&".join(f"{name}={value}" for name, value in {"action": action.replace("?", "%3F"), **fields}.items())
    await page.goto(f"{origin}/?{query}")
    async with page.expect_navigation():
        await page.get_by_role("button").click()


@pytest.mark.usefixtures("sites")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["another site", "another port"])
async def test_a_form_of_a_stranger_does_nothing(workspace: Workspace, host: str) -> None:
    ivan = await workspace.enter("ivan")
    await workspace.client(5001, "Анна").say("Сколько стоит?")
    contact = await workspace.contact("tg:5001")
    origin, url = f"http://{host}:{FOREIGN}", workspace.hub.url
    await sent_from(ivan, origin, f"{url}/contacts/{contact}/reply", text="взломано", target="telegram:shop", csrf="x")
    await expect(ivan).not_to_have_url(f"{origin}/")
    await expect(ivan.locator("main")).not_to_contain_text("взломано")
    for path, fields in (
        ("/logout", {}),
        ("/me/tastes", {"theme": "dark"}),
        ("/tasks/new", {"title": "взломано"}),
        ("/login", {"login": "olga", "password": "x"}),
    ):
        await sent_from(ivan, origin, f"{url}{path}", **fields)
    await ivan.goto(f"{url}/me")
    await expect(ivan.locator(".myself")).to_contain_text("Иван Петров")
    await expect(ivan.locator("html[data-theme=dark]")).to_have_count(0)
    await ivan.goto(f"{url}/unsent")
    await expect(ivan.locator(".unsent")).to_have_count(0)
    entries = (await workspace.ask("GET", f"/contacts/{contact}/timeline"))["items"]
    assert "взломано" not in str(entries)
    assert (await workspace.ask("GET", "/tasks"))["items"] == []


@pytest.mark.usefixtures("sites")
async def test_a_stranger_s_script_reads_and_sends_nothing(workspace: Workspace) -> None:
    ivan = await workspace.enter("ivan")
    await ivan.goto(f"http://127.0.0.1:{FOREIGN}/?action=/")
    told = await ivan.evaluate(
        """async (url) => {
            const of = async (path, more) => {
              try { return (await fetch(url + path, { credentials: "include", ...more })).status; } catch { return 0; }
            };
            return [await of("/api/v1/contacts"), await of("/me"), await of("/live?topics=cases"),
              await of("/logout", { method: "POST", headers: { "HX-Request": "true" } })];
        }""",
        workspace.hub.url,
    )
    assert told == [0, 0, 0, 0], "no page of another origin is told anything"
    await ivan.goto(f"{workspace.hub.url}/me")
    await expect(ivan.locator(".myself")).to_contain_text("Иван Петров")


@pytest.mark.usefixtures("sites")
async def test_the_form_of_the_own_website_becomes_a_lead_and_that_of_another_does_not(workspace: Workspace) -> None:
    visitor = await (await workspace.browser.new_context(locale="ru-RU")).new_page()
    action = f"{workspace.hub.url}/in/web/own?key=own-key"
    await sent_from(visitor, f"http://localhost:{FOREIGN}", action, name="Чужой", phone="89161110000")
    await sent_from(visitor, f"http://localhost:{OWN}", action, name="Ольга", phone="89161112233")

    async def came() -> bool | None:
        return bool((await workspace.ask("GET", "/contacts?identity=tel:%2B79161112233"))["items"]) or None

    assert await until(came)
    assert (await workspace.ask("GET", "/contacts?identity=tel:%2B79161110000"))["items"] == []
    assert await visitor.context.cookies() == []
