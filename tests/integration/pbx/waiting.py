"""Waiting for something that tells nobody when it comes about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.patience import PATIENCE_S


async def until(true: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Look again and again until it holds; raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110 — what is waited for lives in other threads and processes
            await asyncio.sleep(0.01)
