"""Every main page read by a machine for people who can't see it well: nothing serious is found, light or dark, at a
desk or on a telephone; and none is wider than the screen."""

from __future__ import annotations

from typing import Final

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.e2e.workspace.office import DESKTOP, TELEPHONE, Workspace

pytestmark = pytest.mark.timeout(600)
_SERIOUS = frozenset({"serious", "critical"})
_EVERYTHING: Final = {"resultTypes": ["violations"]}
_COLOURS: Final = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}  # all else is the same in the dark
_LONG = "Достопримечательнейшее высокопревосходительство"
_PATHS = (
    "/",
    "/contacts",
    "/deals",
    "/deals/list",
    "/deals/new",
    "/tasks",
    "/calls",
    "/wall",
    "/control",
    "/broadcasts",
    "/broadcasts/new",
    "/dialling",
    "/companies",
    "/companies/new",
    "/products",
    "/products/new",
    "/office/segments/new",
    "/control/deals-without-next-step",
    "/reports",
    "/lists",
    "/journal",
    "/office",
    "/office/people",
    "/office/pipelines",
    "/office/rules",
    "/office/channels",
    "/office/health",
    "/first-run",
    "/search?q=анна",
    "/me",
)


async def test_pages_can_be_used_by_everybody(workspace: Workspace) -> None:
    contact = await _furnished(workspace)
    deal = await workspace.ask(
        "POST",
        "/deals",
        {"title": f"Окна: {_LONG}", "contact_id": contact, "amount": {"amount": 9_900_000, "currency": "RUB"}},
    )
    task = await workspace.ask("POST", "/tasks", {"title": f"Позвонить: {_LONG}", "deal_id": deal["id"]})
    paths = (
        *_PATHS,
        f"/contacts/{contact}",
        f"/contacts/{contact}/consent",
        f"/deals/{deal['id']}",
        f"/tasks/{task['id']}",
    )
    found: list[str] = []
    for viewport in (DESKTOP, TELEPHONE):
        page = await workspace.enter("root", viewport=viewport, color_scheme="light", bypass_csp=True)
        for path in paths:
            answer = await page.goto(f"{workspace.hub.url}{path}")
            assert answer is not None
            assert answer.status == 200, path
            where = f"{path} at {viewport['width']}"
            found += await _too_wide(page, where)
            found += await _against_people(page, f"{where}, light", _EVERYTHING)
            await page.emulate_media(color_scheme="dark")
            found += await _against_people(page, f"{where}, dark", _COLOURS)
            await page.emulate_media(color_scheme="light")
        await page.context.close()
    assert not found, "\n".join(found)


async def _furnished(workspace: Workspace) -> int:
    """A client who waits, and one whom only an id tells; the id of the first."""
    await workspace.client(5001, "Анна").say(f"Здравствуйте! {_LONG}")
    await workspace.client(5002, _LONG).say("Сколько стоит окно?")
    return await workspace.contact("tg:5001")


async def _against_people(page: Page, where: str, options: dict[str, list[str]]) -> list[str]:
    """The serious findings on a page."""
    results = await Axe().run(page, options=options)
    return [
        f"{where}: {each['id']}: {node['target']}: {node['html'][:160]}"
        for each in results.response["violations"]
        if each["impact"] in _SERIOUS
        for node in each["nodes"][:3]
    ]


async def _too_wide(page: Page, where: str) -> list[str]:
    over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{where}: {over} px wider than the screen"] if over > 1 else []
