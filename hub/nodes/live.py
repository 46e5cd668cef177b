"""The change feed as it happens: read from the database in commit order, woken by commits, polled anyway.

Another node's commits are seen by the poll, or at once where Redis carries the wake-up. Losing a wake-up costs
freshness, never a change.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from crm_core.errors import CoreError, StorageUnavailable
from crm_core.storage import feed
from crm_core.storage.feed import FeedRow
from crm_core.storage.store import Store
from hub.log import get_logger

log = get_logger(__name__)

_PAGE = 500
_KEPT = 2000
_TRIES = 10  # to tell a listener that breaks, before the others go on without it
_MOST_OWED = 1000
_LONGEST_PAUSE_S = 60.0
Listener = Callable[[list[FeedRow]], Awaitable[None]]


@dataclass(slots=True, eq=False)
class _Listening:
    """A listener, the changes it broke on, and when it is told these again (by the loop's clock), after which pause.
    Of too many the oldest are `lost`."""

    listener: Listener
    pause_s: float
    owed: deque[FeedRow] = field(default_factory=deque)
    again_at: float = 0.0
    lost: int = 0

    def owe(self, rows: list[FeedRow]) -> None:
        self.owed.extend(rows)
        while len(self.owed) > _MOST_OWED:
            self.owed.popleft()
            self.lost += 1


class Live:
    """Follows the feed for everybody in this process. `poll_s` bounds how late another node's change is seen.

    What some listener breaks on it is told again after `retry_s`, then less and less often.
    """

    def __init__(self, store: Store, poll_s: float = 0.5, retry_s: float = 5.0) -> None:
        self._store = store
        self._poll_s = poll_s
        self._retry_s = retry_s
        self._recent: deque[FeedRow] = deque(maxlen=_KEPT)
        self._listeners: list[_Listening] = []
        self._woken = asyncio.Event()
        self._moved = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self.position = 0
        store.on_commit(lambda _position: self.wake())

    def listen(self, listener: Listener) -> None:
        """Have every change told to `listener`, in order, before followers see it; call before `start`.

        It may be told the same changes again. Where it breaks on them again and again, they are passed over, for the
        others would see nothing any more, and told to it later, behind others: it looks at what stands now.
        """
        self._listeners.append(_Listening(listener, self._retry_s))

    @property
    def passed_over(self) -> int:
        """How many changes some listener broke on and does not know of yet."""
        return sum(len(each.owed) + each.lost for each in self._listeners)

    def wake(self) -> None:
        """Something was committed, here or elsewhere; from the loop's own thread."""
        self._woken.set()

    async def start(self) -> None:
        """Begin at the newest change."""
        self.position = await self._store.read(feed.newest)
        self._task = asyncio.create_task(self._pump(), name="live")

    async def stop(self) -> None:
        """End; followers end too. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with self._moved:
            self._moved.notify_all()

    async def reached(self, position: int | None, timeout_s: float = 1.0) -> bool:
        """Wait until listeners have seen a position; False where that takes too long."""
        if position is None or self.position >= position:
            return True
        try:
            async with asyncio.timeout(timeout_s), self._moved:
                await self._moved.wait_for(lambda: self.position >= position or self._task is None)
        except TimeoutError:
            return False
        return self.position >= position

    async def follow(self, after: int | None = None) -> AsyncGenerator[FeedRow, None]:
        """Every change behind a position (None: from now on), then those that come; ends when the hub stops."""
        async for rows in self.batches(after):
            for row in rows:
                yield row

    async def batches(self, after: int | None = None) -> AsyncGenerator[list[FeedRow], None]:
        """The same, as many at once as there are."""
        last = self.position if after is None else after
        while self._task is not None:
            rows = await self._behind(last)
            if rows:
                last = rows[-1].position
                yield rows
                continue
            async with self._moved:
                if self.position <= last and self._task is not None:
                    await self._moved.wait()

    async def _behind(self, position: int) -> list[FeedRow]:
        if position >= self.position:
            return []
        if self._recent and self._recent[0].position <= position:
            return [row for row in self._recent if row.position > position]
        return await self._store.read(lambda conn: feed.after(conn, position, _PAGE))

    async def _pump(self) -> None:
        while True:
            self._woken.clear()
            await self._make_up()
            try:
                rows = await self._store.read(lambda conn: feed.after(conn, self.position, _PAGE))
                told = await self._told(rows)
            except CoreError as err:
                log.warning("the change feed can't be read", error=str(err))
                told, rows = False, []
            except Exception:
                log.exception("the change feed can't be read")
                told, rows = False, []
            if rows and told:
                self._recent.extend(rows)
                async with self._moved:
                    self.position = rows[-1].position
                    self._moved.notify_all()
                continue
            try:
                async with asyncio.timeout(self._poll_s):  # unlike wait_for, it never swallows the end of this task
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _told(self, rows: list[FeedRow]) -> bool:
        """Whether the listeners know of these changes, so that they need not be told again. Raises
        StorageUnavailable."""
        broken: list[_Listening] = []
        for each in self._listeners if rows else ():
            try:
                await each.listener(rows)
            except StorageUnavailable:
                raise
            except Exception:
                log.exception("a listener of the change feed failed", position=rows[-1].position, tries=self._failures)
                broken.append(each)
        self._failures = self._failures + 1 if broken else 0
        if self._failures >= _TRIES:
            log.error("changes were passed over that a listener breaks on", position=rows[-1].position)
            for each in broken:
                each.owe(rows)
                each.again_at = self._later(each)
            self._failures = 0
            return True
        return not broken

    async def _make_up(self) -> None:
        """Tell listeners once more what was passed over, where it is time to."""
        for each in self._listeners:
            if not each.owed or asyncio.get_running_loop().time() < each.again_at:
                continue
            rows, each.owed = list(each.owed), deque()
            for row in rows:
                if not await self._told_again(each.listener, row):
                    each.owed.append(row)
            if each.owed:
                each.pause_s = min(each.pause_s * 2, _LONGEST_PAUSE_S)
                each.again_at = self._later(each)
            else:
                each.pause_s = self._retry_s
                log.info("a listener has heard what was passed over", changes=len(rows))

    async def _told_again(self, listener: Listener, row: FeedRow) -> bool:
        """Each by itself, so that one it always breaks on keeps no other from it."""
        try:
            await listener([row])
        except Exception as err:  # noqa: BLE001 - where it breaks is in the log already
            log.warning("a listener of the change feed failed again", position=row.position, error=repr(err))
            return False
        return True

    def _later(self, each: _Listening) -> float:
        return asyncio.get_running_loop().time() + each.pause_s
