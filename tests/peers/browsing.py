"""One Chromium for all tests of this process that look at pages, in a loop that lasts as long as it does.

To start the browser and the program that drives it takes as long as many of these tests. Each test has contexts of its
own all the same, with their own cookies, caches and permissions, and all are closed behind it. What drives a browser
belongs to a loop, so these tests share one: their conftest.py takes both fixtures, `_function_scoped_runner` (by that
name pytest-asyncio asks for the loop of a test and of its fixtures) and `chromium`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, async_playwright

from hub.demo.peers.chromium import browser as find_browser
from tests.patience import PATIENCE_S

__all__ = ["_function_scoped_runner", "browsing", "chromium"]


class Browsing:
    """The loop, and the browser in it."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.runner = runner
        self._stack = AsyncExitStack()
        self._browser: Browser | None = None

    @property
    def browser(self) -> Browser:
        """The browser that runs."""
        assert self._browser is not None
        return self._browser

    async def open(self) -> None:
        """Start it, where it was not started yet or has broken down."""
        if self._browser is not None and self._browser.is_connected():
            return
        await self.close()
        found = find_browser()
        playwright = await self._stack.enter_async_context(async_playwright())
        self._browser = await playwright.chromium.launch(
            executable_path=str(found.program),
            env=dict(found.environment),
            args=list(found.arguments),
            timeout=PATIENCE_S * 1000,
        )
        self._stack.push_async_callback(self._browser.close)

    async def close(self) -> None:
        """End it, and the program that drives it."""
        self._browser = None
        await self._stack.aclose()


@pytest.fixture(scope="session")
def browsing() -> Iterator[Browsing]:
    """What these tests share."""
    with asyncio.Runner() as runner:
        found = Browsing(runner)
        yield found
        runner.run(found.close())


@pytest.fixture
def _function_scoped_runner(browsing: Browsing) -> asyncio.Runner:
    # Before anybody looks at what runs: the browser is none of the test's
    browsing.runner.run(browsing.open())
    return browsing.runner


@pytest.fixture
async def chromium(browsing: Browsing) -> AsyncIterator[Browser]:
    """A browser in which no page is open; what the test opens is closed behind it."""
    yield browsing.browser
    for context in browsing.browser.contexts:
        await context.close()
