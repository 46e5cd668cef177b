"""Telegram's flood limits kept from our side: one message a second to a chat, twenty a minute to a group, thirty a
second in all. A chat that has to wait long does not hold up the others.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable

from crm_core.errors import TransientDeliveryError
from crm_core.ports import Clock

Sleep = Callable[[float], Awaitable[None]]

PER_CHAT_S = 1.0
PER_GROUP_MINUTE = 20
PER_BOT_SECOND = 30
MINUTE_S = 60.0
PATIENCE_S = 2.0
"""A place in the line this near is waited for; for a later one the message goes back to its queue."""

MAX_CHATS = 10_000
MAX_PROMISES = 10_000
PROMISE_S = 60.0


class _Line:
    """The places given away in one chat, and when the last message really went."""

    __slots__ = ("places", "sent")

    def __init__(self) -> None:
        self.places: deque[float] = deque(maxlen=PER_GROUP_MINUTE)
        self.sent: float | None = None

    def next(self, now: float, *, group: bool, count: int = 1) -> float:
        """The next free place for `count` messages that go together; it is given away."""
        due = max(now, self.places[-1] + PER_CHAT_S) if self.places else now
        early = len(self.places) + count - PER_GROUP_MINUTE
        if group and early > 0:
            due = max(due, self.places[min(early, len(self.places)) - 1] + MINUTE_S)
        self.places.extend([due] * count)
        return due


class Pacer:
    """Gives each message its place in time, on the injected clock."""

    def __init__(self, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lines: OrderedDict[int, _Line] = OrderedDict()
        self._promised: OrderedDict[str, float] = OrderedDict()
        self._bot: deque[float] = deque(maxlen=PER_BOT_SECOND)

    async def admit(self, chat_id: int, key: str, count: int = 1) -> None:
        """Return when a message to `chat_id` may go out, or an album of `count`.

        Where that is not soon, raises TransientDeliveryError with `retry_after` and keeps the place in the line for
        `key`, the message that will come back.
        """
        now = self._clock.monotonic()
        line = self._line(chat_id)
        due = self._promised.pop(key, None)
        if due is None or due < now - PROMISE_S:
            due = line.next(now, group=chat_id < 0, count=count)
        if line.sent is not None:
            # Somebody came late to their place.
            due = max(due, line.sent + PER_CHAT_S)
        if due - now > PATIENCE_S:
            self._promise(key, due)
            raise TransientDeliveryError("The chat has had its share of messages.", retry_after=due - now)
        line.sent = max(due, now)
        if due > now:
            await self._sleep(due - now)
        await self._bot_turn(count)

    def hold(self, chat_id: int, seconds: float) -> None:
        """Telegram asked for quiet in this chat."""
        line = self._line(chat_id)
        quiet_until = self._clock.monotonic() + seconds - PER_CHAT_S
        line.places.append(max(quiet_until, line.places[-1] if line.places else quiet_until))

    def _line(self, chat_id: int) -> _Line:
        line = self._lines.setdefault(chat_id, _Line())
        self._lines.move_to_end(chat_id)
        if len(self._lines) > MAX_CHATS:
            self._lines.popitem(last=False)
        return line

    def _promise(self, key: str, due: float) -> None:
        self._promised[key] = due
        if len(self._promised) > MAX_PROMISES:
            self._promised.popitem(last=False)

    async def _bot_turn(self, count: int) -> None:
        now = self._clock.monotonic()
        early = len(self._bot) + count - PER_BOT_SECOND
        due = max(now, self._bot[min(early, len(self._bot)) - 1] + 1.0) if early > 0 else now
        self._bot.extend([due] * count)
        if due > now:
            await self._sleep(due - now)
