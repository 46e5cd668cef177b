"""Keeps the ends of days on which money is due where they belong: the office may move to another time zone."""

from __future__ import annotations

from crm_core.messages import ChannelKey
from crm_core.services.money.paying import replan
from crm_core.storage import cursors
from crm_core.storage.store import Store
from hub.log import get_logger
from hub.metrics import Metrics
from hub.workers.loop import Worker

log = get_logger(__name__)

_EVERY_S = 60.0
_PLACE = ChannelKey("hub", "payments")
_ZONE = "time_zone"


class PaymentPlanner(Worker):
    """Plans anew when the zone is another one than it was planned for, some hundred deals a transaction."""

    name = "payment-planner"

    def __init__(self, store: Store, metrics: Metrics) -> None:
        super().__init__(metrics)
        self._store = store

    async def turn(self) -> float:
        """Look whether the office moved."""
        zone = self._store.office.time_zone
        if await self._store.read(lambda conn: cursors.load(conn, _PLACE, _ZONE)) == zone:
            return _EVERY_S
        behind: int | None = 0
        while behind is not None:
            behind = await self._next(behind)
        await self._store.database.write(lambda conn: cursors.save(conn, _PLACE, _ZONE, zone))
        log.info("what is due is planned for the office's time zone", zone=zone)
        return _EVERY_S

    async def _next(self, behind: int) -> int | None:
        return await self._store.run(lambda desk: replan(desk, behind))
