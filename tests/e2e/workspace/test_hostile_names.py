"""Names that want to be more than text, wherever a name or a text can be given: every page shows them and runs none."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import expect

from tests.e2e.workspace.furnishing import ACCOUNTS, calls, come_in, define_on_pages, explained, furnish, seeds
from tests.e2e.workspace.office import Workspace
from tests.e2e.workspace.walking import addresses, walk

pytestmark = pytest.mark.timeout(600)

BOLD: Final = """"><img src=x onerror="window.pwned=1">'<script>window.pwned=1</script>{{7*7}}"""
INJECTED: Final = """() => window.pwned ?? (document.querySelector("img[src='x'], [onerror]") !== null
  || [...document.scripts].some((each) => !each.src))"""


@pytest.fixture
def account() -> str:
    """A mail server that takes mails, and a telephone system that tells of calls."""
    return ACCOUNTS


async def test_no_name_is_more_than_text_on_any_page(workspace: Workspace, tmp_path: Path) -> None:
    known = addresses(tmp_path)
    said: list[str] = []
    root = await workspace.enter("root")
    root.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    await workspace.ask("PATCH", "/users/root", {"extension": "Root"})
    made = await furnish(workspace, BOLD)
    await define_on_pages(workspace, root, BOLD, made["pipeline"])

    # What comes in is put into open pages as finished pieces; the popup too.
    await come_in(workspace, BOLD)
    for kind in ("message", "form", "email"):
        await expect(root.locator(f"ol.events > li.in.{kind}")).to_have_count(1)
    await calls(workspace)
    await expect(root.locator("aside.popup h2")).to_contain_text("<script>")
    assert await root.locator("aside.popup").get_attribute("data-notify") is not None
    assert not await root.evaluate(INJECTED)
    await explained(workspace, BOLD)

    async def only_text(path: str) -> None:
        assert not await root.evaluate(INJECTED), path
        assert said == [], path

    first = await seeds(workspace, made)
    assert await walk(workspace, root, known, first, only_text) == []
