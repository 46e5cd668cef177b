"""The office as it is configured now: hub.toml over what the record keeps, made anew when that changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from crm_core.messages import ChannelKey
from crm_core.model.user import User
from crm_core.ports import Clock, Policies
from crm_core.storage.database import Database
from crm_core.storage.feed import FeedRow
from crm_core.storage.store import Store
from hub.accounts.in_force import Found, InForce, with_accounts
from hub.accounts.sealing import Seal
from hub.clients.leaving import with_links
from hub.log import get_logger
from hub.nodes.live import Live
from hub.settings import Settings
from hub.settings.checks import lines_without_pbx
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
    _, problems = await put_together(store, settings, clock)
    return problems


async def put_together(store: Store, settings: Settings, clock: Clock) -> tuple[InForce, tuple[str, ...]]:
    """The same, with the settings that are in force."""
    catalogue = await store.run(lambda desk: desk.catalogue)
    today = clock.now().astimezone(settings.time_zone).date()
    together, problems = with_kept(settings, catalogue, today)
    in_force = with_accounts(together, catalogue, Seal(settings))
    store.office = with_links(office_of(in_force.settings), settings)
    mends = (*problems, *in_force.problems, *lines_without_pbx(in_force.settings, len(settings.lines)))
    return in_force, (*catalogue.problems, *(str(each) for each in mends))


class Configured:
    """Keeps the store's office up to date with the record's calendars, groups, lists, ladders, lines and accounts.

    `problems` are those of the record's definitions that can't be used; the others are in force. `settings` are those
    of hub.toml and of the record together, `accounts` those of the record alone.
    """

    def __init__(self, settings: Settings, store: Store, live: Live, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._listeners: list[Callable[[], Awaitable[None]]] = []
        self.problems: tuple[str, ...] = ()
        self.settings = settings
        self.accounts: Mapping[ChannelKey, Found] = {}
        live.listen(self._changed)

    def listen(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Call `listener` after the office was made anew."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Make the office of what is configured now."""
        in_force, self.problems = await put_together(self._store, self._settings, self._clock)
        self.settings, self.accounts = in_force.settings, in_force.found
        for each in self.problems:
            log.warning("something configured can't be used", what=each)

    async def _changed(self, rows: list[FeedRow]) -> None:
        if any(table in _PARTS for row in rows for table, _key, _contact in row.changes):
            await self.start()
            for listener in self._listeners:
                await listener()
