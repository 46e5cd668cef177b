"""What a button of a long form comes to is seen by whoever pressed it, wherever on the page it stands."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.workspace.office import Workspace

pytestmark = pytest.mark.timeout(600)


async def test_a_trial_and_a_fault_come_into_sight(workspace: Workspace) -> None:
    then = {"do": "task", "title": "Позвонить", "to": "manager"}
    rule = {"name": "Правило", "when": {"event": "created"}, "then": [then, then, then]}
    ident = (await workspace.ask("POST", "/rules", rule))["id"]
    page = await workspace.enter("root")
    await page.goto(f"{workspace.hub.url}/office/rules/{ident}")
    trial = page.locator(".trial h2")
    await page.get_by_role("button", name="Испытать на последних").click()
    await expect(trial).to_be_in_viewport()

    await page.evaluate("scrollTo(0, 0)")
    await page.locator("[name='then.2.title']").fill("")
    await page.evaluate("scrollTo(0, 0)")
    await page.locator(".buttons.sticky button[value=save]").click()
    await expect(page.locator(".wrong").first).to_be_in_viewport()
