"""Side tasks begin again when they die; what they die of is told once, and that they are well again."""

from __future__ import annotations

import asyncio

import pytest

from channels.pbx.side_tasks import forever
from tests.patience import PATIENCE_S


async def test_a_fault_that_comes_again_is_logged_once_and_forgotten_when_it_lives(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[str] = []
    well = asyncio.Event()
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun <= 3:
            raise RuntimeError("a fault of ours")
        await asyncio.Event().wait()

    def trouble(words: str) -> None:
        told.append(words)
        if not words:
            well.set()

    running = asyncio.create_task(forever("pbx:office: link", work, trouble, 0.01))
    async with asyncio.timeout(PATIENCE_S):
        await well.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert told == ["a fault of ours"] * 3 + [""]
    assert [each.getMessage() for each in caplog.records] == ["pbx:office: link failed"]


async def test_cancelling_ends_the_work_too() -> None:
    ended, begun = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    running = asyncio.create_task(forever("pbx:office: link", work, lambda _: None, 60.0))
    await begun.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert ended.is_set()
