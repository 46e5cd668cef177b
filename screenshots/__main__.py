"""`scripts/screenshots [NAME…]`: take the pictures of the documents anew, all of them or those that are named."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import Page, async_playwright

from hub.demo.peers.chromium import browser as find_browser
from hub.demo.peers.scripted_pbx import Call
from screenshots.firm import LINE
from screenshots.running import Firm, firm, moment_of_pictures, new_hub
from screenshots.shots import Screen, Shot, take

_FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
_CARD, _DEAL = "Анна Белова", "Рустам Галиев"
_TALKS_S = 3600.0
_ATTEMPTS, _BEGINS_S = 4, 20.0


async def main(wanted: frozenset[str], folder: Path) -> int:
    """Take them, with the hubs' data in a folder; 1 where a name is unknown."""
    show = moment_of_pictures(datetime.now(UTC))
    found = find_browser()
    _FOLDER.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(found.program), env=dict(found.environment), args=list(found.arguments)
        )
        if not wanted or "first-run" in wanted:
            async with new_hub(folder, show) as url:
                shot = Shot("first-run", "/setup", "", step=_first_administrator)
                _say(shot.name, await take(browser, url, shot, show, _FOLDER))
        async with firm(folder, show) as office:
            talk = await _talking(office)
            shots = await _shots(office)
            if unknown := wanted - {"first-run", *(each.name for each in shots)}:
                sys.stderr.write(f"unknown: {', '.join(sorted(unknown))}\n")
                return 1
            for shot in shots:
                if not wanted or shot.name in wanted:
                    _say(shot.name, await take(browser, office.url, shot, show, _FOLDER))
            talk.cancel()
            await asyncio.gather(talk, return_exceptions=True)
        await browser.close()
    return 0


async def _shots(office: Firm) -> tuple[Shot, ...]:
    """All pictures of the company."""
    contact = await office.one("SELECT id FROM contact WHERE name = ?", _CARD)
    deal = await office.one(
        "SELECT max(d.id) FROM deal d JOIN contact c ON c.id = d.contact_id WHERE c.name = ?", _DEAL
    )
    task = await office.one("SELECT min(id) FROM task WHERE state = 'open' AND title LIKE ?", "Замер:%")
    rule = await office.one("SELECT id FROM definition WHERE section = 'rule' AND name = ?", "Назначить замерщика")
    board = await office.one("SELECT id FROM pipeline WHERE name = ?", "Продажа")
    return (
        Shot("inbox", "/"),
        Shot("card", f"/contacts/{contact}", "ivan"),
        Shot("board", f"/deals/board/{board}"),
        Shot("deal", f"/deals/{deal}", "timur", step=_with_talk),
        Shot("wall", "/wall"),
        Shot("control", "/control/deals-without-next-step"),
        Shot("tasks-telephone", "/tasks", "ivan", Screen.TELEPHONE),
        Shot("task-telephone", f"/tasks/{task}", "sergey", Screen.TELEPHONE),
        Shot("rules", f"/office/rules/{rule}", "root", step=_dry_run),
        Shot("health", "/office/health", "root"),
        Shot("card-dark", f"/contacts/{contact}", "ivan", theme="dark"),
        Shot("inbox-english", "/", "dmitry", language="en", step=_in_english),
    )


async def _first_administrator(page: Page) -> None:
    """The first visit: somebody enters themselves, and stands before the presets."""
    for name, text in (("login", "root"), ("name", "Дмитрий Волков")):
        await page.fill(f"input[name={name}]", text)
    for each in await page.locator("input[type=password]").all():
        await each.fill("длинный пароль")
    await page.click("main button")
    await page.wait_for_url("**/first-run")


async def _dry_run(page: Page) -> None:
    """Try the rule on what is there."""
    await page.get_by_role("button", name="Испытать на последних").click()
    await page.locator("section.trial").evaluate("each => each.scrollIntoView({block: 'center'})")


async def _in_english(page: Page) -> None:
    """Somebody chooses their own language."""
    await page.goto(page.url.rstrip("/") + "/me")
    await page.select_option("select[name=language]", "en")
    await page.locator("form:has(select[name=language]) button").first.click()
    await page.wait_for_load_state("load")
    await page.goto(page.url.split("/me")[0] + "/")


def _say(name: str, size: int) -> None:
    sys.stdout.write(f"{name}: {size // 1000} kB\n")


async def _talking(office: Firm) -> asyncio.Task[None]:
    """A client who has talked on the telephone for a while, and does as long as the task runs.

    Raises TimeoutError where no call is seen: one that begins while the hub still looks around counts as over.
    """
    show, sql = office.clock.now(), "SELECT count(*) FROM call WHERE state = ? AND finished_at IS NULL"
    office.clock.set(show - timedelta(seconds=134))
    for _attempt in range(_ATTEMPTS):
        talk = asyncio.create_task(office.pbx.call(Call("+79161230009", LINE, "", _TALKS_S)), name="a call")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_BEGINS_S):
                while not await office.one(sql, "answered"):  # noqa: ASYNC110 - seen in the record alone
                    await asyncio.sleep(0.2)
            office.clock.set(show)
            return talk
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)
    raise TimeoutError("no call is seen")


async def _with_talk(page: Page) -> None:
    """What is said to the client is asked for by the page itself."""
    await page.wait_for_selector("#flow .entry")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        sys.exit(asyncio.run(main(frozenset(sys.argv[1:]), Path(place))))
