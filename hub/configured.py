"""The office as it is configured now: hub.toml over what the record keeps, made anew when that changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from crm_core.model.user import User
from crm_core.ports import Clock, Policies
from crm_core.storage.database import Database
from crm_core.storage.feed import FeedRow
from crm_core.storage.store import Store
from hub.leaving import with_links
from hub.live import Live
from hub.log import get_logger
from hub.settings import Settings
from hub.settings.kept import with_kept
from hub.settings.office import office_of
from routing.assign import LeastLoaded
from routing.escalation import TellByRole

log = get_logger(__name__)

_PARTS = frozenset({"definition", "pipeline", "stage"})


def record_of(settings: Settings, database: Database, clock: Clock) -> Store:
    """The record with the office of hub.toml alone; `configure` adds what the record keeps."""

    def works(user: User, at: datetime) -> bool:
        # The office is made anew while people configure it.
        return store.office.works(user, at)

    store = Store(
        database, clock, with_links(office_of(settings), settings), Policies(LeastLoaded(works), TellByRole())
    )
    return store


async def configure(store: Store, settings: Settings, clock: Clock) -> tuple[str, ...]:
    """Give the store the office as it is configured now; what of the record's definitions can't be used, in words."""
    catalogue = await store.run(lambda desk: desk.catalogue)
    today = clock.now().astimezone(settings.time_zone).date()
    together, problems = with_kept(settings, catalogue, today)
    store.office = with_links(office_of(together), settings)
    return (*catalogue.problems, *(str(each) for each in problems))


class Configured:
    """Keeps the store's office up to date with the record's calendars, groups, special lists and ladders.

    `problems` are those of the record's definitions that can't be used; the others are in force.
    """

    def __init__(self, settings: Settings, store: Store, live: Live, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._listeners: list[Callable[[], Awaitable[None]]] = []
        self.problems: tuple[str, ...] = ()
        live.listen(self._changed)

    def listen(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Call `listener` after the office was made anew."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Make the office of what is configured now."""
        self.problems = await configure(self._store, self._settings, self._clock)
        for each in self.problems:
            log.warning("something configured can't be used", what=each)

    async def _changed(self, rows: list[FeedRow]) -> None:
        if any(table in _PARTS for row in rows for table, _key, _contact in row.changes):
            await self.start()
            for listener in self._listeners:
                await listener()
