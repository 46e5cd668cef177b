"""Every page there is, as the router has it: none is left out but those that are named here, with the reason."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import Page

from hub.app import create_app
from hub.bootstrap import build
from hub.settings import DatabaseEngine, DatabaseUrl, Settings
from hub.web.routes import ROUTES
from tests.e2e.workspace.office import Workspace

NO_PAGES: Final = {
    "/live": "a line without an end",
    "/live/here": "is part of that line",
    r"/office/sounds/{pbx:[^/]{1,100}}/{name:[a-z0-9_-]{1,64}}": "a sound that lies with a telephone exchange",
}
"""What a GET answers and nobody looks at."""

OUTSIDE: Final = {
    "/setup": "for an office where nobody is yet",
    "/login": "for whoever is not logged in",
    "/login/code": "for whoever has given their password and not their code",
    "/unsent": "for whoever sent something after their session had ended",
}
"""Pages that nobody who is logged in is shown; tests come to them on ways of their own."""

_NAMED: Final = re.compile(r"\{\w+(?::((?:[^{}]|\{[^{}]*\})*))?\}")


def addresses(folder: Path) -> dict[str, re.Pattern[str]]:
    """How the addresses of all pages look that are to be walked: those of an application that is never started."""
    database = DatabaseUrl(DatabaseEngine.SQLITE, f"sqlite+aiosqlite:///{folder}/none.sqlite3", "the test's")
    hub = build(Settings(folder=folder, database_url=database, files=folder / "none"))
    paths = {each.path for each in create_app(hub)[ROUTES] if each.method == "GET"}
    elsewhere = {*NO_PAGES, *OUTSIDE}
    assert elsewhere <= paths, f"these are no routes any more: {sorted(elsewhere - paths)}"
    return {path: re.compile(_NAMED.sub(lambda found: found[1] or "[^/]+", path)) for path in sorted(paths - elsewhere)}


async def links(page: Page) -> set[str]:
    """Where a page leads: links, and the parts that it asks for."""
    found = await page.evaluate("""() => [...document.querySelectorAll("a[href], [hx-get], iframe[src]")]
        .flatMap((each) => [each.getAttribute("href"), each.getAttribute("hx-get"), each.getAttribute("src")])""")
    return {each for each in found if each and each.startswith("/") and not each.startswith(("//", "/static"))}


async def walk(
    workspace: Workspace,
    page: Page,
    known: dict[str, re.Pattern[str]],
    first: Sequence[str],
    look: Callable[[str], Awaitable[None]],
    most: int = 2,
) -> list[str]:
    """Go to every page, `most` of each kind, and look at those that are pages: what only hands something out answers.

    Begins with `first` and the addresses without a number; to others these lead. The kinds that nothing led to.
    """
    waiting = [*first, *(path for path in known if "{" not in path)]
    visited: dict[str, int] = {}
    seen: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        name = next((name for name, fits in known.items() if fits.fullmatch(urlsplit(path).path)), None)
        if path in seen or name is None or visited.get(name, 0) >= most:
            continue
        seen.add(path)
        answer = await page.request.get(f"{workspace.hub.url}{path}", headers={"Accept": "text/html"})
        assert answer.status == 200, (path, answer.status)
        visited[name] = visited.get(name, 0) + 1
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        await page.goto(f"{workspace.hub.url}{path}")
        await look(path)
        waiting += sorted(await links(page) - seen)
    return sorted(set(known) - set(visited))
