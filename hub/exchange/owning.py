"""Whose an import is: one process does it at a time, another goes on when that one is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from crm_core.errors import CoreError
from crm_core.storage import leases
from crm_core.storage.store import Store
from hub.log import get_logger

log = get_logger(__name__)

_DURATION = timedelta(seconds=20)
_RENEW_S = 5.0


@asynccontextmanager
async def claimed(store: Store, name: str, owner: str) -> AsyncIterator[bool]:
    """Own a long act by its name while it is done; False where somebody else does.

    Whoever loses it in the middle does no harm: every batch looks whether its place is still the import's.
    """
    database = store.database
    if await database.write(lambda conn: leases.acquire(conn, name, owner, _DURATION)) is None:
        yield False
        return
    renewing = asyncio.create_task(_renew(store, name, owner), name=f"owning {name}")
    try:
        yield True
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing
        try:
            await database.write(lambda conn: leases.release(conn, name, owner))
        except CoreError as err:
            log.warning("a lease was not given back; it runs out by itself", lease=name, error=str(err))


async def _renew(store: Store, name: str, owner: str) -> None:
    while True:
        await asyncio.sleep(_RENEW_S)
        try:
            await store.database.write(partial(leases.acquire, name=name, owner=owner, duration=_DURATION))
        except CoreError as err:
            log.warning("a lease can't be renewed", lease=name, error=str(err))
