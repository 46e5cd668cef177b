"""What lives long is not looked at each time garbage is collected.

A look at everything that a hub holds takes about a tenth of a second, in which it answers nobody: no caller, no page.
So what is there is put aside once it is known to be no garbage, and what became garbage of it is looked for seldom.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import NoReturn

# Of what comes in a few seconds a look takes some milliseconds.
_EVERY_S = 5.0
_ROUNDS = 720
"""After so many rounds, an hour, all is looked at: what was put aside while it was in use may be garbage by now."""


def put_aside() -> None:
    """Look for garbage among what came since the last time, and put aside what is none."""
    gc.collect()
    gc.freeze()


def look_at_all() -> None:
    """Look for garbage everywhere, and put aside what is none. Takes about a tenth of a second."""
    gc.unfreeze()
    put_aside()


async def keep_aside(sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> NoReturn:
    """Do so as long as the process runs."""
    while True:
        for _ in range(_ROUNDS):
            await sleep(_EVERY_S)
            put_aside()
        look_at_all()
