"""Updates that wait for a bot, and long polling with Telegram's rules for offset and conflict."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from hub.demo.peers.bot_api.errors import ApiError, conflict
from hub.demo.peers.bot_api.wire import Json

MAX_WAITING = 100_000
MAX_LIMIT = 100
MAX_TIMEOUT_S = 50
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(frozen=True, slots=True)
class Waiting:
    """An update not confirmed yet: its id for the offset, and its JSON as it goes out."""

    update_id: int
    content: Json


class UpdateQueue:
    """The updates of one bot, oldest first."""

    def __init__(self, first_id: int) -> None:
        self._next_id = first_id
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()
        self._poll: asyncio.Future[None] | None = None
        self._allowed: frozenset[str] | None = None
        self.filtered = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def new_id(self) -> int:
        """The id of the next update."""
        self._next_id += 1
        return self._next_id - 1

    def put(self, update_id: int, content: Json, kind: str | None = None) -> bool:
        """Add an update; False where the bot did not ask for its kind. RuntimeError where far too many wait."""
        if kind is not None and not self._wanted(kind):
            self.filtered += 1
            return False
        if len(self._waiting) >= MAX_WAITING:
            raise RuntimeError(f"{MAX_WAITING} updates are waiting; does the bot run?")
        self._waiting.append(Waiting(update_id, content))
        self._arrived.set()
        return True

    def allow(self, kinds: Sequence[str] | None) -> None:
        """Which kinds the bot wants from now on: None leaves it as it was, an empty list means the usual ones."""
        if kinds is not None:
            self._allowed = frozenset(kinds) or None

    @property
    def allowed(self) -> list[str] | None:
        """The kinds the bot asked for."""
        return sorted(self._allowed) if self._allowed else None

    def confirm(self, offset: int) -> None:
        """Forget everything before `offset`; a negative one leaves only that many of the last."""
        if offset < 0:
            while len(self._waiting) > -offset:
                self._waiting.popleft()
        while offset > 0 and self._waiting and self._waiting[0].update_id < offset:
            self._waiting.popleft()

    def first(self, limit: int) -> list[Waiting]:
        """The oldest ones."""
        return [waiting for waiting, _ in zip(self._waiting, range(limit), strict=False)]

    def drop(self) -> None:
        """Forget all."""
        self._waiting.clear()

    async def arrival(self) -> None:
        """Wait until there is something."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()

    async def poll(self, offset: int, limit: int, wait_s: int) -> list[Json]:
        """getUpdates: ends an earlier poll with 409, as Telegram does."""
        self.interrupt(
            conflict("terminated by other getUpdates request; make sure that only one bot instance is running")
        )
        self.confirm(offset)
        limit = limit if 1 <= limit <= MAX_LIMIT else MAX_LIMIT
        if not self._waiting and wait_s > 0:
            await self._wait(min(wait_s, MAX_TIMEOUT_S))
        return [waiting.content for waiting in self.first(limit)]

    async def _wait(self, wait_s: int) -> None:
        interrupted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._poll = interrupted
        arrival = asyncio.ensure_future(self.arrival())
        try:
            await asyncio.wait(
                {interrupted, arrival},
                timeout=wait_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if interrupted.done():
                interrupted.result()
        finally:
            arrival.cancel()
            if self._poll is interrupted:
                self._poll = None
            interrupted.cancel()

    def interrupt(self, why: ApiError) -> None:
        """End a poll that waits, with `why`."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_exception(why)
        self._poll = None

    @property
    def polled(self) -> bool:
        """Whether somebody waits in getUpdates at this moment."""
        return self._poll is not None

    def _wanted(self, kind: str) -> bool:
        return kind in self._allowed if self._allowed is not None else kind not in NOT_BY_DEFAULT
