"""Keeps when API tokens were last used, to the hour and many at once: no request writes for it."""

from __future__ import annotations

import asyncio

from crm_core.errors import CoreError
from crm_core.ports import Clock
from crm_core.storage.store import Store
from crm_core.storage.tokens import USE_KEPT_EVERY, Token, keep_uses
from hub.log import get_logger
from hub.metrics import Metrics
from hub.workers.loop import Worker

log = get_logger(__name__)

_EVERY_S = 60.0


class TokenUses(Worker):
    """Told of every use, writes once a minute what is news."""

    name = "token-uses"

    def __init__(self, store: Store, clock: Clock, metrics: Metrics) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self._used: set[int] = set()

    def note(self, token: Token) -> None:
        """A token was used just now, as it was read."""
        if token.last_used_at is None or self._clock.now() - token.last_used_at >= USE_KEPT_EVERY:
            self._used.add(token.id)

    async def turn(self) -> float:
        """Write down what was used."""
        used, self._used = self._used, set()
        if used:
            now = self._clock.now()
            try:
                await self._store.database.write(lambda conn: keep_uses(conn, used, now))
            except BaseException:
                self._used |= used  # told again when the database is back
                raise
        return _EVERY_S

    async def stop(self) -> None:
        """End; what is not written yet is written first, where the database answers in time."""
        await super().stop()
        if not self._used:
            return
        try:
            async with asyncio.timeout(self.stop_s):
                await self.turn()
        except (CoreError, TimeoutError) as err:
            log.warning("the last uses of tokens are not kept", error=str(err))
