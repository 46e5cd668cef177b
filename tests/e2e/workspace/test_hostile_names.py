"""Names that want to be more than text, wherever a name or a text can be given: every page shows them and runs none."""

from __future__ import annotations

import asyncio
import re
import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import Page, expect

from hub.app import create_app
from hub.bootstrap import build
from hub.demo.peers.process import free_port
from hub.settings import DatabaseEngine, DatabaseUrl, Settings
from hub.web.routes import ROUTES, Route
from tests.e2e.workspace.office import Workspace

pytestmark = pytest.mark.timeout(600)

BOLD: Final = """"><img src=x onerror="window.pwned=1">'<script>window.pwned=1</script>{{7*7}}"""
CLIENT: Final = "79161234567"
MOST_OF_EACH: Final = 2
# Lines without an end, what is nobody's who is logged in, and what this office has nothing for: no telephone exchange
# of our own, nobody else's login, nothing imported or printed.
ELSEWHERE: Final = re.compile(
    r"/live(/here)?|/setup|/login.*|/me/factor|.*/recording|.*/why|/deals/.*/documents/.*|/office/sounds/.*"
    r"|/control/.*/export|/(first-run|office)/channel.*{.*|/office/imports/.+|/office/\w+/{id.*"
)
INJECTED: Final = """() => window.pwned ?? (document.querySelector("img[src='x'], [onerror]") !== null
  || [...document.scripts].some((each) => !each.src))"""

_MAIL = free_port()
_NAMED: Final = re.compile(r"\{\w+(?::((?:[^{}]|\{[^{}]*\})*))?\}")


@pytest.fixture
def account() -> str:
    """A mail server that takes mails, and a telephone system that tells of calls."""
    return f"""
[[email]]
name = "sales"
address = "sales@example.org"
listen = "127.0.0.1:{_MAIL}"
[[cti]]
name = "other"
token = "cti-token"
"""


def routes(folder: Path) -> list[Route]:
    """All pages there are: those of an application that is made and never started."""
    database = DatabaseUrl(DatabaseEngine.SQLITE, f"sqlite+aiosqlite:///{folder}/none.sqlite3", "the test's")
    hub = build(Settings(folder=folder, database_url=database, files=folder / "none"))
    return [each for each in create_app(hub)[ROUTES] if each.method == "GET"]


async def fill(workspace: Workspace) -> dict[str, int]:
    """Put the names wherever there is room for one; the ids of what was made."""
    ask, made = workspace.ask, {}
    await ask("POST", "/users", {"login": "evil", "name": BOLD, "role": "manager"})
    for of in ("contact", "deal"):
        await ask("POST", "/fields", {"of": of, "key": "evil", "title": BOLD, "group": BOLD, "help": BOLD})
    stages = [{"name": BOLD, "goal": BOLD, "criteria": BOLD, "checklist": [BOLD]}, {"name": "Дальше"}]
    made["pipeline"] = (await ask("POST", "/pipelines", {"name": BOLD, "goal": BOLD, "stages": stages}))["id"]
    await ask("POST", "/templates", {"name": BOLD, "text": f"{BOLD.partition('{{')[0]}"})
    company = made["company"] = (await ask("POST", "/companies", {"name": BOLD, "city": BOLD, "tags": [BOLD]}))["id"]
    made["product"] = (await ask("POST", "/products", {"name": BOLD, "unit": BOLD, "sku": BOLD[:40]}))["id"]
    body: dict[str, Any] = {"name": BOLD, "identities": [f"tel:+{CLIENT}"], "manager": "root", "city": BOLD}
    body |= {"tags": [BOLD], "company_id": company, "fields": {"evil": BOLD}}
    made["contact"] = (await ask("POST", "/contacts", body))["id"]
    deal = {"title": BOLD, "pipeline": BOLD, "contact_id": made["contact"], "manager": "root", "tags": [BOLD]}
    made["deal"] = (await ask("POST", "/deals", {**deal, "fields": {"evil": BOLD}, "source": BOLD}))["id"]
    await ask("POST", "/segments", {"name": BOLD})
    broadcast = {"name": BOLD, "segment": BOLD, "text": BOLD.partition("{{")[0]}
    made["draft"] = (await ask("POST", "/broadcasts", broadcast))["id"]
    made["broadcast"] = (await ask("POST", "/broadcasts", broadcast))["id"]
    await ask("POST", f"/broadcasts/{made['broadcast']}/start", {})
    dialled = {"name": f"Обзвон {BOLD}", "goal": BOLD, "dial_list": True, "stages": stages}
    made["list"] = (await ask("POST", "/pipelines", dialled))["id"]
    rung = {"title": BOLD, "pipeline": dialled["name"], "contact_id": made["contact"]}
    made["rung"] = (await ask("POST", "/deals", rung))["id"]
    task = {"title": BOLD, "text": BOLD, "assignee": "root", "deal_id": made["deal"]}
    made["task"] = (await ask("POST", "/tasks", task))["id"]
    return made


def mail() -> None:
    """A mail whose sender, subject, text and file are named so."""
    letter = EmailMessage()
    letter["From"] = '"\\"><img src=x onerror=window.pwned=1><script>window.pwned=1</script>" <evil@example.com>'
    letter["To"], letter["Subject"], letter["Message-ID"] = "sales@example.org", BOLD, "<evil@example.com>"
    letter.set_content(BOLD)
    letter.add_alternative(f"<p>Письмо</p>{BOLD}<a href='javascript:window.pwned=1'>да</a>", subtype="html")
    letter.add_attachment(BOLD.encode(), maintype="text", subtype="html", filename=f"{BOLD}.html")
    with smtplib.SMTP("127.0.0.1", _MAIL, timeout=30) as server:
        server.send_message(letter)


async def come_in(workspace: Workspace) -> None:
    """A message, a form and a mail of people with such names."""
    await workspace.client(5001, BOLD[:64]).say(BOLD)
    form = {"name": BOLD, "phone": "+79160000000", "message": BOLD, "utm_source": BOLD, "page": BOLD}
    async with (
        aiohttp.ClientSession() as site,
        site.post(f"{workspace.hub.url}/in/web/site?key=site-key", data=form) as answer,
    ):
        assert answer.status < 300
    await asyncio.to_thread(mail)


async def calls(workspace: Workspace) -> None:
    """The client whose name is so calls somebody."""
    told = {"event": "newCall", "from": CLIENT, "to": "74959876543", "direction": "in", "callId": "c1", "user": "Root"}
    async with aiohttp.ClientSession() as pbx:
        url = f"{workspace.hub.url}/api/v1/cti/cti-token"
        async with pbx.post(url, json=told) as answer:
            assert answer.status < 300, await answer.text()


async def links(page: Page) -> set[str]:
    """Where a page leads: links, and the parts that it asks for."""
    found = await page.evaluate("""() => [...document.querySelectorAll("a[href], [hx-get], iframe[src]")]
        .flatMap((each) => [each.getAttribute("href"), each.getAttribute("hx-get"), each.getAttribute("src")])""")
    return {each for each in found if each and each.startswith("/") and not each.startswith(("//", "/static"))}


async def shows(workspace: Workspace, page: Page, path: str, said: list[str]) -> None:
    """A page is shown and nothing of the names runs; what is no page is only answered."""
    answer = await page.request.get(f"{workspace.hub.url}{path}", headers={"Accept": "text/html"})
    assert answer.status == 200, (path, answer.status)
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return
    await page.goto(f"{workspace.hub.url}{path}")
    assert not await page.evaluate(INJECTED), path
    assert said == [], path


async def test_no_name_is_more_than_text_on_any_page(workspace: Workspace, tmp_path: Path) -> None:
    known = routes(tmp_path)
    said: list[str] = []
    root = await workspace.enter("root")
    root.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    await workspace.ask("PATCH", "/users/root", {"extension": "Root"})
    made = await fill(workspace)

    # What comes in is put into open pages as finished pieces; the popup too.
    await come_in(workspace)
    for kind in ("message", "form", "email"):
        await expect(root.locator(f"ol.events > li.in.{kind}")).to_have_count(1)
    await calls(workspace)
    await expect(root.locator("aside.popup h2")).to_contain_text("<script>")
    assert await root.locator("aside.popup").get_attribute("data-notify") is not None
    assert not await root.evaluate(INJECTED)
    csrf = {"X-CSRF": await root.evaluate("document.body.dataset.csrf")}
    view: dict[str, str | float | bool] = {
        "page": f"board:{made['pipeline']}",
        "name": BOLD,
        "query": "q=a",
        "shared": "1",
        "act": "keep",
    }
    await root.request.post(f"{workspace.hub.url}/deals/views", headers=csrf, form=view)
    writer = await workspace.contact("mailto:evil@example.com")

    # Every page there is: those without a number in their address, and of the others those to which these lead.
    wanted = [each for each in known if not ELSEWHERE.fullmatch(each.path)]
    paths = [
        f"/contacts/{writer}",
        f"/contacts/{made['contact']}",
        f"/deals/{made['deal']}",
        f"/tasks/{made['task']}",
        f"/companies/{made['company']}",
        f"/products/{made['product']}",
        f"/broadcasts/{made['draft']}",
        f"/broadcasts/{made['broadcast']}?show=skipped",
        f"/dialling/{made['list']}/cards/{made['rung']}",
    ]
    paths += [each.path for each in wanted if "{" not in each.path]
    paths += [f"/deals/board/{made['pipeline']}", f"/search?q={CLIENT[-6:]}", "/search?q=script&part=quick"]
    patterns = {each.path: re.compile(_NAMED.sub(_part, each.path)) for each in wanted}
    visited: dict[str, int] = {}
    seen: set[str] = set()
    while paths:
        path = paths.pop(0)
        name = next((name for name, fits in patterns.items() if fits.fullmatch(urlsplit(path).path)), None)
        if path in seen or name is None or visited.get(name, 0) >= MOST_OF_EACH:
            continue
        seen.add(path)
        visited[name] = visited.get(name, 0) + 1
        await shows(workspace, root, path, said)
        paths += sorted(await links(root) - seen)
    assert sorted(set(patterns) - set(visited)) == []


def _part(found: re.Match[str]) -> str:
    return found[1] or "[^/]+"
