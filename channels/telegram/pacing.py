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


class Pacer:
    """Gives each message its place in time, on the injected clock."""

    def __init__(self, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._chats: OrderedDict[int, deque[float]] = OrderedDict()
        self._promised: OrderedDict[str, float] = OrderedDict()
        self._bot: deque[float] = deque(maxlen=PER_BOT_SECOND)

    async def admit(self, chat_id: int, key: str, *, patient: bool = False) -> None:
        """Return when a message to `chat_id` may go out.

        Where that is not soon, raises TransientDeliveryError with `retry_after` and keeps the place in the line for
        `key`, the message that will come back; `patient` waits however long (for the later parts of one message).
        """
        now = self._clock.monotonic()
        due = self._promised.pop(key, None)
        if due is None or due < now - PROMISE_S:
            due = self._reserve(chat_id, now)
        if due - now > PATIENCE_S and not patient:
            self._promise(key, due)
            raise TransientDeliveryError("The chat has had its share of messages.", retry_after=due - now)
        if due > now:
            await self._sleep(due - now)
        await self._bot_turn()

    def hold(self, chat_id: int, seconds: float) -> None:
        """Telegram asked for quiet in this chat."""
        self._line(chat_id).append(self._clock.monotonic() + seconds - PER_CHAT_S)

    def _reserve(self, chat_id: int, now: float) -> float:
        line = self._line(chat_id)
        due = max(now, line[-1] + PER_CHAT_S) if line else now
        if chat_id < 0 and len(line) == PER_GROUP_MINUTE:
            due = max(due, line[0] + MINUTE_S)
        line.append(due)
        return due

    def _line(self, chat_id: int) -> deque[float]:
        line = self._chats.setdefault(chat_id, deque(maxlen=PER_GROUP_MINUTE))
        self._chats.move_to_end(chat_id)
        if len(self._chats) > MAX_CHATS:
            self._chats.popitem(last=False)
        return line

    def _promise(self, key: str, due: float) -> None:
        self._promised[key] = due
        if len(self._promised) > MAX_PROMISES:
            self._promised.popitem(last=False)

    async def _bot_turn(self) -> None:
        now = self._clock.monotonic()
        full = len(self._bot) == PER_BOT_SECOND
        due = max(now, self._bot[0] + 1.0) if full else now
        self._bot.append(due)
        if due > now:
            await self._sleep(due - now)
