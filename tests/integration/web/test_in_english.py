"""Whoever reads English reads English, in a Russian office, too: no page says a Russian word that is nobody's data."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from crm_core.model.alarm import AlarmKind
from crm_core.model.automation import RuleRunRecord, RunOutcome
from crm_core.services.desk import Desk
from crm_core.services.watching.alarms import raise_alarm
from crm_core.storage.tokens import add_token
from crm_core.storage.users import UserChange, update_user
from crm_core.wording import Sentence
from hub.access.security import token_digest
from tests.integration.web.conftest import Browser, Workspace
from tests.integration.web.test_in_russian import MOST_OF_EACH, PEOPLE, Texts, patterns

NAMES: Final = {
    "root": "Anna Head",
    "nachalnik": "Boris Chief",
    "kontroler": "Vera Watch",
    "ivan": "Ivan Peters",
    "reklama": "Galina Kim",
}
_RUSSIAN: Final = re.compile(r"[А-Яа-яЁё]+")
# What presets call things: they are written in one language.
OF_OTHERS: Final = re.compile(r"/(?:first-run|first-run/preset/.+|office/presets|office/presets/.+)")
# How a language calls itself, and what the settings of the test call things, or those a hub begins with.
LITERAL: Final = frozenset(
    [
        *("Русский", "соискатели", "чёрный список", "Яндекс.Директ"),
        *("потенциальный", "разовый свежий", "разовый старый", "постоянный", "ушедший"),
    ]
)


@pytest.fixture
def migrated_url(furnished_sqlite: str) -> str:
    """The words of a page do not hang on the database."""
    return furnished_sqlite


async def fill(workspace: Workspace) -> list[str]:
    """An office that works, whose people, clients and settings have Latin names; where that is shown."""
    root = workspace.browser()
    await root.log_in("root")
    await workspace.hub.store.run(lambda desk: add_token(desk, "root", token_digest("hub_words")))
    headers = {"Authorization": "Bearer hub_words"}

    async def ask(method: str, path: str, body: Any = None) -> Any:
        async with root.client.request(method, f"/api/v1{path}", json=body, headers=headers) as answer:
            assert answer.status < 300, (path, await answer.text())
            return await answer.json() if answer.status != 204 else None

    for of in ("contact", "deal"):
        await ask("POST", "/fields", {"of": of, "key": "colour", "title": "Colour", "group": "Order"})
    stages = [{"name": "New", "checklist": ["Sizes"]}, {"name": "Offer"}, {"name": "Won", "kind": "won"}]
    pipeline = await ask("POST", "/pipelines", {"name": "Sales", "stages": stages, "loss_reasons": ["Dear"]})
    dialled = {"name": "Winter", "dial_list": True, "stages": [{"name": "To call"}]}
    listed = await ask("POST", "/pipelines", dialled)
    await ask("POST", "/templates", {"name": "Greeting", "text": "Good day"})
    task = {"do": "task", "title": "Call them", "to": "manager"}
    await ask("POST", "/rules", {"name": "First", "when": {"event": "created"}, "then": task})
    await ask("POST", "/chains", {"name": "Second", "steps": [{"template": "Greeting"}]})
    await ask("POST", "/segments", {"name": "Everybody"})
    await ask("POST", "/document-templates", {"name": "Bill", "title": "Bill", "html": "<p>{{ contact.name }}</p>"})
    await ask("POST", "/webhooks", {"name": "Hook", "url": "https://example.org/hook", "events": ["deal.*"]})
    draft = await ask("POST", "/broadcasts", {"name": "Spring", "segment": "Everybody", "text": "Good day"})
    card = await workspace.write("How much is a window?", name="Maria Light")
    await workspace.write("I wait", client=1002, name="Peter Luke", number="2")
    company = await ask("POST", "/companies", {"name": "Daisy"})
    product = await ask("POST", "/products", {"name": "Window", "unit": "pcs"})
    deal = await ask("POST", "/deals", {"title": "Windows", "pipeline": "Sales", "contact_id": card, "manager": "ivan"})
    rung = await ask("POST", "/deals", {"title": "Ring", "pipeline": "Winter", "contact_id": card})
    price = {"amount": 150000, "currency": "RUB"}
    for change in ({"manager": "root"}, {"company_id": company["id"]}, {"amount": price}):
        await ask("PATCH", f"/deals/{deal['id']}", change)
    await ask("POST", f"/deals/{deal['id']}/documents", {"template": "Bill"})
    given = await ask("POST", "/tasks", {"title": "Survey", "assignee": "ivan", "deal_id": deal["id"]})
    await ask("POST", f"/contacts/{card}/messages", {"channel": "telegram", "account": "shop", "text": "Good day"})

    def troubles(desk: Desk) -> None:
        update_user(desk, "ivan", UserChange(extension="101", do_not_disturb=True))
        update_user(desk, "nachalnik", UserChange(extension="102"))
        refused = Sentence("VK error {code}", code=901)
        runs = (
            (RunOutcome.FAILED, Sentence("{act}: {why}", act="message", why=refused)),
            (RunOutcome.UNMET, "condition"),
            (RunOutcome.HELD_BACK, Sentence("rules call each other in a circle: {circle}", circle="First → Second")),
        )
        for number, (outcome, why) in enumerate(runs):
            desk.work.put(
                RuleRunRecord(f"k{number}", "First", "deal", deal["id"], card, desk.now, outcome, "created", [], why)
            )
        raise_alarm(desk, AlarmKind.LINK_DOWN, "pbx:office", Sentence("the link is down"))

    await workspace.hub.store.run(troubles)
    await workspace.fail(b"{}")
    return [
        f"/contacts/{card}",
        f"/contacts/{card}/figures",
        f"/deals/{deal['id']}",
        f"/deals/{deal['id']}?part=trace",
        f"/tasks/{given['id']}",
        f"/deals/board/{pipeline['id']}",
        f"/dialling/{listed['id']}/cards/{rung['id']}",
        f"/companies/{company['id']}",
        f"/products/{product['id']}",
        f"/broadcasts/{draft['id']}",
        "/journal?state=all",
        "/search?q=win",
    ]


async def reading_english(workspace: Workspace, login: str) -> Browser:
    """Somebody who has chosen English on their own page."""
    browser = workspace.browser()
    await browser.log_in(login)
    assert (await browser.send("/me/tastes", page="/me", language="en", theme="auto")).status == 303
    return browser


async def walked(workspace: Workspace, browser: Browser, first: list[str]) -> dict[str, str]:
    """What is said in Russian on the pages that somebody comes to, with the first of these pages."""
    known, waiting = patterns(workspace), list(first)
    waiting += [path for path in known if "{" not in path]
    visited: dict[str, int] = {}
    seen: set[str] = set()
    found: dict[str, str] = {}
    while waiting:
        path = waiting.pop(0)
        name = next((name for name, fits in known.items() if fits.fullmatch(urlsplit(path).path)), None)
        if path in seen or name is None or visited.get(name, 0) >= MOST_OF_EACH + 2 * name.startswith("/office"):
            continue
        seen.add(path)
        visited[name] = visited.get(name, 0) + 1
        async with browser.client.get(path, allow_redirects=True) as answer:
            if "text/html" not in answer.headers.get("Content-Type", ""):
                continue
            page = Texts()
            page.feed(await answer.text())
        for text in page.found if not OF_OTHERS.fullmatch(path) else ():
            if _RUSSIAN.search(text) and text not in LITERAL:
                found.setdefault(" ".join(text.split())[:160], path)
        waiting += sorted(page.links - seen)
    return found


@pytest.mark.timeout(300)
async def test_no_page_says_a_russian_word_to_whoever_reads_english(workspace: Workspace) -> None:
    for login, role in PEOPLE.items():
        await workspace.hire(login, role, name=NAMES[login])
    first = await fill(workspace)
    said: dict[str, str] = {}
    for login in PEOPLE:
        found = await walked(workspace, await reading_english(workspace, login), first)
        said |= {text: f"{login} {where}" for text, where in found.items() if text not in said}
    assert not said, "\n".join(f"{text!r}: {where}" for text, where in said.items())
