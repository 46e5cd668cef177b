"""Which pages are taken, as whom and how, and how a picture becomes small."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize

from screenshots.firm import PASSWORD

LARGEST = 150_000
"""Bytes of a picture, at most."""

_PATIENCE_MS = 180_000.0  # of a machine that others use too
_COLOURS = (256, 128, 64, 32)


class Screen(Enum):
    """What a page is looked at on: pixels across and down."""

    DESK = (1366, 768)
    TELEPHONE = (390, 844)


Step = Callable[[Page], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: its name, the page, who looks at it (empty: nobody has logged in), on what. `step` does something
    there first."""

    name: str
    path: str
    login: str = "elena"
    screen: Screen = Screen.DESK
    theme: Literal["light", "dark"] = "light"
    language: str = "ru"
    step: Step | None = None


async def take(browser: Browser, url: str, shot: Shot, show: datetime, folder: Path) -> int:
    """Take a picture; its bytes. Raises AssertionError where the page does not answer or is wider than the screen."""
    width, height = shot.screen.value
    context = await browser.new_context(
        viewport=ViewportSize(width=width, height=height),
        locale=shot.language,
        color_scheme=shot.theme,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    await page.clock.set_fixed_time(show)
    if shot.login:
        await page.goto(f"{url}/login")
        await page.fill("input[name=login]", shot.login)
        await page.fill("input[name=password]", PASSWORD)
        await page.click("main button")
        await page.wait_for_selector("nav.side", state="attached")
    answer = await page.goto(url + shot.path)
    if answer is None or answer.status != 200:
        raise AssertionError(f"{shot.name}: {shot.path} answers {answer.status if answer is not None else 'nothing'}")
    if shot.step is not None:
        await shot.step(page)
    await page.wait_for_load_state("load")
    await page.evaluate("document.fonts.ready.then(() => document.activeElement?.blur())")
    over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if over > 1:
        raise AssertionError(f"{shot.name}: {over} px wider than the screen")
    small = smaller(await page.screenshot())
    (folder / f"{shot.name}.png").write_bytes(small)
    await context.close()
    return len(small)


def smaller(picture: bytes) -> bytes:
    """The same picture of fewer colours, as few as it takes to be small enough."""
    found = picture
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in _COLOURS:
        out = io.BytesIO()
        whole.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        found = out.getvalue()
        if len(found) <= LARGEST:
            break
    return found
