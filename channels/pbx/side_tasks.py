"""Side tasks of a connector: each is begun again when it dies, and what it dies of is told once, not for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_MOST_S = 60.0


async def forever(
    name: str, work: Callable[[], Awaitable[None]], trouble: Callable[[str], None], again_s: float
) -> None:
    """Run `work` until cancelled. When it ends it begins again in `again_s`; where it dies, then ever more seldom.

    `trouble` is told what it died of, and "" when it is well again: when it has lived as long as it last had to wait.
    """
    pause, known = again_s, ""
    while True:
        running = asyncio.ensure_future(work())
        try:
            done, _ = await asyncio.wait((running,), timeout=pause)
            if not done:
                pause, known = again_s, ""
                trouble("")
            await running
            pause, known = again_s, ""
            trouble("")
            await asyncio.sleep(pause)
        except Exception as err:
            before, known = known, str(err) or type(err).__name__
            if known != before:
                log.exception("%s failed", name)
            trouble(known)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _MOST_S)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
