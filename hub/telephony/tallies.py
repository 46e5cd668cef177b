"""How much everybody talked, in memory: what groups are rung by that spare whoever talked last or most.

Read at the start for a few days back, then kept up by the change feed. Nothing is read where no group asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm_core.model.line import RingStrategy
from crm_core.ports import Clock
from crm_core.storage.database import Connection
from crm_core.storage.feed import FeedRow
from crm_core.storage.store import Store
from crm_core.storage.tallies import TalkRow, last_talks, talks_of, talks_since
from routing.scene import Figures

# Whoever has not talked for longer has not talked at all.
_REMEMBERED = timedelta(days=7)
_COUNTING = frozenset({RingStrategy.LONGEST_IDLE, RingStrategy.LEAST_CALLS})
_NOTHING = Figures()


class Tallies:
    """Figures by login. Written by the loop's thread, read by any: replaced whole."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._wanted = self._asked()
        self._zone = ZoneInfo(store.office.time_zone)
        self._taken: set[int] = set()
        self._day_ends = datetime.min.replace(tzinfo=UTC)
        self._figures: Mapping[str, Figures] = {}

    async def start(self) -> None:
        """Read what happened before."""
        if self._wanted:
            await self._store.read(self._load)

    async def reconfigured(self) -> None:
        """The office is another one now: its groups may ask for figures that were not kept."""
        before, self._wanted = self._wanted, self._asked()
        if self._wanted and not before:
            await self._store.read(self._load)

    async def changed(self, rows: Iterable[FeedRow]) -> None:
        """Take in what the feed tells of calls."""
        if not self._wanted:
            return
        calls = {key for row in rows for table, key, _ in row.changes if table == "call"}
        if calls:
            self._learn(await self._store.read(lambda conn: talks_of(conn, calls)))

    def figures(self, at: datetime) -> Mapping[str, Figures]:
        """Everybody's figures at `at`, by login."""
        if at < self._day_ends or not self._figures:
            return self._figures
        return {login: Figures(each.last_talk) for login, each in self._figures.items()}

    def _asked(self) -> bool:
        return any(group.strategy in _COUNTING for group in self._store.office.groups.values())

    def _load(self, conn: Connection) -> None:
        now = self._clock.now()
        begin, self._day_ends = self._day(now)
        self._taken = set()
        self._figures = {login: Figures(at) for login, at in last_talks(conn, now - _REMEMBERED).items()}
        self._learn(talks_since(conn, begin))

    def _learn(self, talks: Iterable[TalkRow]) -> None:
        begin, ends = self._day(self._clock.now())
        figures = dict(self._figures)
        if ends != self._day_ends:
            self._day_ends, self._taken = ends, set()
            figures = {login: Figures(each.last_talk) for login, each in figures.items()}
        for talk in talks:
            known = figures.get(talk.login, _NOTHING)
            last = max(talk.finished_at or talk.answered_at, known.last_talk or talk.answered_at)
            answered = known.answered
            if talk.taken and talk.answered_at >= begin and talk.id not in self._taken:
                self._taken.add(talk.id)
                answered += 1
            figures[talk.login] = Figures(last, answered)
        self._figures = figures

    def _day(self, at: datetime) -> tuple[datetime, datetime]:
        """Begin and end of the office's day."""
        today = at.astimezone(self._zone).date()
        begin = datetime.combine(today, time(), self._zone).astimezone(UTC)
        return begin, datetime.combine(today + timedelta(days=1), time(), self._zone).astimezone(UTC)
